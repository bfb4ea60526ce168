"""The report of a panel study: result first, the same figures in page, table and records, and nothing undefined as a
number."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
import re
from pathlib import Path

import pytest
from tests.report.panel import made_up
from tests.report.reading import Page, body_of, tables_of

from tsladder.artifacts.panel_features import write_panel_features
from tsladder.artifacts.ranking_scores import icir_name
from tsladder.errors import WorkFailed
from tsladder.panel.baseline_runs import study_key
from tsladder.places import Places
from tsladder.ranking.level import in_order, level_to_beat
from tsladder.report.html import to_html
from tsladder.report.markdown import to_markdown
from tsladder.report.panel import words
from tsladder.report.panel.baselines_table import COLUMNS, WITH_INTERVAL, WITHOUT_INTERVAL, to_baselines_csv
from tsladder.report.panel.build import build_panel_report
from tsladder.report.panel.document import panel_document
from tsladder.report.panel.files import read_panel_facts
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import ProbeOutcome, Region

GOLDEN = Path(__file__).parent / "golden_report.md"
"""Written again by: TSLADDER_GOLDEN=write python -m pytest tests/report/panel/test_panel_report.py"""


def built(places, params=None, **how):
    """The text of a report with all its files."""
    build_panel_report(places, params or made_up.panel_params(), environment=made_up.HERE, **how)
    return (places.report / "report.md").read_text("utf-8")


def facts_of(places, params=None):
    return read_panel_facts(places, params or made_up.panel_params(), made_up.HERE)


def text_of(places, params=None):
    """The text of a report without its pictures, which take longer than all the rest."""
    return to_markdown(panel_document(facts_of(places, params), ()))


def rows_of(places, params=None):
    return list(csv.DictReader(io.StringIO(to_baselines_csv(facts_of(places, params)))))


def section(text, title):
    """The text below one heading of level 2."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def places(tmp_path):
    return made_up.write_study(tmp_path)


def test_the_text_of_a_small_page_is_as_it_was_read_and_approved(places):
    made_up.write_audited(places, ProbeOutcome.PASSED, ProbeOutcome.INCONCLUSIVE)
    # The last section repeats params.yaml, which may gain leaves.
    text = text_of(places).partition("\n## Reproducibility")[0]
    if os.environ.get("TSLADDER_GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_page_text_and_table_tell_the_same_and_are_the_same_bytes_again(places):
    text = built(places)
    names = ("report.md", "report.html", "baselines.csv", "rank_ic.png", "cumulative_return.png")
    first = {name: (places.report / name).read_bytes() for name in names}
    page = Page(first["report.html"].decode("utf-8"))
    assert page.open == []
    assert [table.facts for table in tables_of(text)] == [table.facts for table in page.tables]
    assert len({table.file for table in page.tables}) == len(page.tables)
    assert first["baselines.csv"].decode("utf-8") == to_baselines_csv(facts_of(places))
    tracker = MemoryTracker()
    built(places, tracker=tracker)
    assert {name: (places.report / name).read_bytes() for name in names} == first
    (run,) = tracker.runs()
    assert run.name == "comparison"
    assert {"report.html", "baselines.csv", "rank_ic.png"} <= set(tracker.artifacts[run.run_id])
    assert (run.tags["study_key"], run.tags["model"]) == (
        study_key(made_up.panel_params(), facts_of(places).features),
        "baselines",
    )


def test_every_leaf_of_the_question_and_every_identity_is_in_the_page(places):
    tables = {table.caption: table for table in tables_of(text_of(places))}
    leaves = dict(tables["The whole question"].rows)
    assert (leaves["target.entry_lag"], leaves["evaluation.cost_bps"], leaves["horizons"]) == ("1", "5.0", "[1]")
    assert {path.partition(".")[0] for path in leaves} == {
        "study", "horizons", "data", "universe", "target", "windows", "splits", "evaluation",
    }  # fmt: skip
    assert dict(tables["Identities"].rows) == made_up.HERE.fingerprints


def test_the_csv_holds_every_figure_of_the_records_under_stable_names(places):
    rows = rows_of(places)
    assert tuple(rows[0]) == COLUMNS
    facts = facts_of(places)
    for row in rows:
        level = facts.region(int(row["horizon"]), Region(row["region"]))
        stored = level.baselines[row["baseline"]].to_json(1)
        found = level.baseline_intervals[row["baseline"]]
        for figure in (*WITH_INTERVAL, *WITHOUT_INTERVAL):
            name = icir_name(1) if figure == "icir" else figure
            assert row[figure] == ("" if stored[name] is None else str(stored[name]))
            if figure in WITH_INTERVAL and found[name] is not None:
                assert (float(row[f"{figure}_low"]), float(row[f"{figure}_high"])) == found[name].ci
    assert len(rows) == 2 * len(made_up.SKILL)


def test_every_figure_of_the_page_is_that_of_the_csv(places):
    text = text_of(places)
    tables = {table.caption.split(",")[0]: table for table in tables_of(text)}
    rows = {row["baseline"]: row for row in rows_of(places) if row["region"] == "test"}
    facts = facts_of(places)
    order = in_order(facts.region(1))
    ranking, portfolio = tables["Ranking skill on the test days"], tables["Long-short portfolio on the test days"]
    assert [row[0].partition(" (")[0] for row in ranking.rows] == [words.name(name) for name in order]
    shown = {
        "RankIC": ("rank_ic", 1, 4), "ICIR, h1": ("icir", 1, 3), "IC": ("ic", 1, 4),
        "hit rate, % (chance 50)": ("hit_rate", 100, 2), "quantile spread, bps a day": ("quantile_spread", 1, 1),
        "unordered days": ("unordered_days", 1, 0), "turnover, % a day": ("turnover", 100, 1),
        "Sharpe gross": ("sharpe_gross", 1, 2), "Sharpe net": ("sharpe_net", 1, 2),
        "return gross, % a year": ("annual_return_gross", 100, 1),
        "return net, % a year": ("annual_return_net", 100, 1),
        "max drawdown gross, %": ("max_drawdown_gross", 100, 1), "max drawdown net, %": ("max_drawdown_net", 100, 1),
    }  # fmt: skip
    compared = 0
    for table in (ranking, portfolio):
        for name, entries in zip(order, table.rows, strict=True):
            for title, entry in zip(table.titles, entries, strict=True):
                if title in shown:
                    column, scale, digits = shown[title]
                    value = rows[name][column]
                    wanted = "undefined" if value == "" else f"{scale * float(value):.{digits}f}"
                    assert float(entry.split(" (")[0].replace("undefined", "nan")) == pytest.approx(
                        float(wanted.replace("undefined", "nan")), nan_ok=True
                    )
                    compared += 1
    assert compared == len(shown) * len(order)


def test_who_beats_the_constant_is_said_first_with_the_level_to_beat(places):
    text = section(text_of(places), "Result")
    assert text.index("ridge regression and 5-day reversal, on the test days") < text.index("momentum 252-21")
    assert "ridge regression, RankIC 0.0480 (0.0380 to 0.0580); to have skill at all, no order" in text
    assert {row["baseline"] for row in rows_of(places) if row["beats_stricter"] == "true"} == {"ridge", "reversal_5"}


def test_where_nothing_beats_the_stricter_constant_that_constant_is_the_level(tmp_path):
    skill = made_up.SKILL | {"static_order": 0.045}
    text = section(text_of(made_up.write_study(tmp_path, test=skill)), "Result")
    assert "Beat the stricter constant, static order**: no baseline" in text
    assert "Level that a model has to beat**: static order, RankIC 0.0450" in text
    assert "Worse than it**: 5-day reversal and momentum 252-21." in text
    assert "Best baseline, ridge regression" in text


def test_hindsight_is_shown_and_never_counted(places):
    text = text_of(places)
    facts = facts_of(places)
    standing = level_to_beat(facts.region(1))
    assert standing.best == "ridge"
    assert "own_static_order" not in (*standing.beat, *standing.undecided, *standing.worse)
    assert "static order in hindsight (only shown)" in text
    (row,) = [row for row in rows_of(places) if row["baseline"] == "own_static_order" and row["region"] == "test"]
    assert (row["kind"], row["beats_stricter"]) == ("hindsight", "")


def test_a_failed_audit_is_said_before_anything_else(places):
    made_up.write_audited(places, ProbeOutcome.PASSED, ProbeOutcome.FAILED)
    text = text_of(places)
    first, second = [line for line in text.split("\n") if line.startswith("#")][:2]
    assert first == "# Study nyse36-panel"
    assert "no figure below counts" in second
    assert section(text, "Result").strip().startswith("- **Invalid**")
    assert {row["audit"] for row in rows_of(places)} == {"failed"}


@pytest.mark.parametrize(
    ("outcomes", "said", "in_csv"),
    [
        ((), "the audit has not run", "not_run"),
        ((ProbeOutcome.PASSED,), "passed (1 probe)", "passed"),
        ((ProbeOutcome.PASSED, ProbeOutcome.INCONCLUSIVE), "1 of 2 probes inconclusive", "inconclusive"),
    ],
)
def test_the_state_of_the_audit_stands_beside_the_result(places, outcomes, said, in_csv):
    if outcomes:
        made_up.write_audited(places, *outcomes)
    text = text_of(places)
    assert said in section(text, "Result")
    assert {row["audit"] for row in rows_of(places)} == {in_csv}


def test_the_bias_of_the_panel_stands_directly_below_the_question(places):
    lines = [line for line in text_of(places).split("\n") if line]
    assert lines[1].startswith("How well do simple rules rank the 13 stocks of nyse36")
    assert "close of day t+1 and held to the close of day t+2" in lines[1]
    assert lines[2] == "The universe is survivors: those that failed are missing."


def test_an_undefined_figure_is_called_so_and_is_empty_in_the_csv(tmp_path):
    places = made_up.write_study(tmp_path)
    text = text_of(places)
    table = next(table for table in tables_of(text) if table.caption.startswith("Ranking skill on the test"))
    (none,) = [row for row in table.rows if row[0].startswith("no order")]
    assert none[table.titles.index("ICIR, h1")] == "undefined"
    (row,) = [row for row in rows_of(places) if (row["baseline"], row["region"]) == ("no_order", "test")]
    assert (row["icir"], row["icir_low"], row["sharpe_net"], row["break_even_bps"]) == ("", "", "", "")
    assert "nan" not in re.split(r"[^a-z]", text.lower())


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_no_finite_number_is_undefined(value):
    assert words.figure(value) == "undefined"
    assert words.estimate(value, made_up.around(0.0)) == "undefined"


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (0.05, 0.01, "0.0500 (0.0400 to 0.0600)"),
        (0.005, 0.01, "0.0050 (-0.0050 to 0.0150) (includes 0)"),
        (-0.00001, 0.01, "0.0000 (-0.0100 to 0.0100) (includes 0)"),
        (0.0, 0.0, "0.0000"),
    ],
)
def test_an_interval_that_holds_zero_says_so_and_a_constant_has_none(value, half, shown):
    assert words.estimate(value, made_up.around(value, half)) == shown


def test_a_break_even_cost_below_zero_is_no_cost(tmp_path):
    skill = made_up.SKILL | {"momentum_252_21": -0.03}
    text = text_of(made_up.write_study(tmp_path, test=skill))
    table = next(table for table in tables_of(text) if table.caption.startswith("Long-short portfolio on the test"))
    assert [row[-1] for row in table.rows if row[0] == "momentum 252-21"] == ["below 0"]


def test_stocks_that_left_early_and_days_with_too_few_members_are_named(places):
    text = section(text_of(places), "Data and splits")
    assert "**Left early, test, horizon 1**: 3 labels of OLD, OLDER" in text
    assert "2 days, the first is 2004-02-02" in text
    assert [row[1] for row in next(t for t in tables_of(text) if t.caption.startswith("Sample days")).rows] == [
        "train", "validation", "test",
    ]  # fmt: skip


def test_each_horizon_has_its_own_result_tables_and_rows(tmp_path):
    params = made_up.panel_params(horizons=(1, 5))
    places = made_up.write_study(tmp_path, horizons=(1, 5))
    text = text_of(places, params)
    assert "over 1 and 5 sessions" in text
    assert section(text, "Result").count("### Horizon") == 2
    assert {row["horizon"] for row in rows_of(places, params)} == {"1", "5"}
    assert "ICIR, h5" in text


def test_a_study_of_which_nothing_has_run_still_has_a_page(tmp_path):
    places = Places(tmp_path, tmp_path)
    tracker = MemoryTracker()
    text = built(places, tracker=tracker)
    for said in ("The baselines have not been scored yet.", "The features have not been built.", "have not been cut"):
        assert said in text
    assert rows_of(places) == []
    assert list(places.report.glob("*.png")) == []
    assert tracker.runs() == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"entry_lag": 2}, "target.entry_lag is 2"),
        ({"cost_bps": 9.0}, "evaluation.cost_bps is 9.0"),
    ],
)
def test_scores_of_another_question_are_refused(places, change, said):
    made_up.write_scores(places, {Region.TEST: made_up.level_of(Region.TEST, **change)})
    with pytest.raises(WorkFailed, match=re.escape(said)):
        text_of(places)


def test_splits_of_other_features_are_refused(places):
    write_panel_features(places.features_manifest, made_up.features(fingerprint="b" * 64))
    with pytest.raises(WorkFailed, match="fingerprint"):
        text_of(places)


def test_daily_figures_that_are_not_those_of_the_scores_are_refused(places):
    path = places.baseline_predictions(1)
    table = made_up.daily_table({region: made_up.level_of(region) for region in made_up.FIRST})
    faults = {
        "mean RankIC": table.assign(rank_ic=table["rank_ic"] + 0.001),
        "no days of ridge": table[table["model"] != "ridge"],
        "does not have each": table.drop(index=table.index[table["model"] == "ridge"][-1]),
        "is no number": table.assign(traded=float("nan")),
        "lacks the columns traded": table.drop(columns="traded"),
        "no day of the region test": table[table["region"] != "test"],
    }
    for said, faulty in faults.items():
        faulty.to_parquet(path, index=False)
        with pytest.raises(WorkFailed, match=said):
            text_of(places)


def test_names_from_records_are_shown_as_text(tmp_path):
    hostile = "</script><b>x</b> | <!--"
    places = made_up.write_study(tmp_path)
    write_panel_features(places.features_manifest, made_up.features(source=hostile, bias=(hostile,)))
    params = made_up.panel_params()
    params = dataclasses.replace(params, study=dataclasses.replace(params.study, name=hostile))
    html = to_html(hostile, panel_document(facts_of(places, params), ()), {})
    assert Page(html).open == []
    assert hostile not in body_of(html)
