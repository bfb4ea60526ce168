"""The report of a panel study with models: verdict first, rungs beside baselines, every figure that of the records."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from tests.report.panel import finished, made_up
from tests.report.reading import Page, tables_of

from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.ranking_scores import icir_name
from tsladder.artifacts.scores import read_scores
from tsladder.errors import WorkFailed
from tsladder.law.rank_ic import slope_in_words
from tsladder.places import Places
from tsladder.ranking.level import in_order
from tsladder.report.comparison import to_trials_csv
from tsladder.report.markdown import to_markdown
from tsladder.report.panel import build, words
from tsladder.report.panel.build import build_panel_report
from tsladder.report.panel.document import panel_document
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.panel.sections.rungs import gap_to
from tsladder.results.file_cache import FileCache
from tsladder.results.live import table_of_files
from tsladder.results.table import RANKINGS, WITH_INTERVAL, WITHOUT_INTERVAL, columns_of, to_csv
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell, ProbeOutcome, Region

OF_BASELINES = {"rank_ic.png", "cumulative_return.png", "rank_ic_over_time.png"}
PICTURES = OF_BASELINES | {
    "scaling.png", "residuals.png", "shapes.png", "parallel.png", "rank_ic_by_month.png", "return_by_fifth.png",
    "best_so_far.png",
}  # fmt: skip
CELLS = tuple(f"{budget}-h5" for budget in finished.SIZES)


@pytest.fixture
def places(finished_study, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(finished_study.root, tmp_path / "study")
    return Places(tmp_path / "study", tmp_path / "study")


@pytest.fixture(scope="module")
def facts(finished_study):
    return facts_of(finished_study)


@pytest.fixture(scope="module")
def text(facts):
    return to_markdown(panel_document(facts, ()))


def facts_of(places, params=None):
    return read_panel_facts(places, params or finished.params(), made_up.HERE)


def text_of(places, params=None):
    return to_markdown(panel_document(facts_of(places, params), ()))


def table(text, caption):
    return next(found for found in tables_of(text) if found.caption.startswith(caption))


def section(text, title):
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def scores_of(places, cell):
    return read_scores(places.scores_record(Cell.parse(cell))).regions["test"]


def number(entry):
    return float(entry.split(" ")[0].replace(",", ""))


def change_scores(places, cell, how):
    path = places.scores_record(Cell.parse(cell))
    record = json.loads(path.read_text())
    how(record["regions"]["test"])
    path.write_text(json.dumps(record))


def test_a_reader_meets_verdict_models_rungs_and_test_days_in_this_order(text):
    titles = [line[3:] for line in text.split("\n") if line.startswith("## ")]
    assert titles[:4] == ["Verdicts", "Models and baselines", "Rungs", "Test days"]
    assert titles[-5:] == ["Validation days", "Data and splits", "Leak audit", "Method", "Reproducibility"]
    assert len(set(titles)) == len(titles)


def test_the_first_words_of_a_verdict_are_the_rank_ic_that_ten_times_the_size_gains(facts, text):
    law = facts.law_of(5)
    slope = slope_in_words(law.rank_ic_per_tenfold)
    first = next(line for line in section(text, "Verdicts").split("\n") if line.startswith("- "))
    assert first.startswith(f"- **5 sessions: {law.verdict}**: {slope}. ")
    assert first.index(slope) < first.index("Alpha")


def test_the_question_names_family_rungs_panel_and_entry_lag(text):
    question = text.split("\n")[2]
    for fact in ("panel_transformer", "3 rungs (12k, 25k, 50k parameters)", "13 stocks of nyse36", "entry lag of 1"):
        assert fact in question
    assert "100k" not in question


def test_every_figure_of_a_rung_is_that_of_its_scores(finished_study, text):
    rows = {row[0]: row for row in table(text, "Every planned rung").rows}
    assert tuple(rows) == CELLS
    for name, row in rows.items():
        test = scores_of(finished_study, name)
        shown = dict(zip(table(text, "Every planned rung").titles, row, strict=True))
        assert shown["N"] == f"{finished.SIZES[name.partition('-')[0]]:,}"
        interval = test.intervals["rank_ic"]
        assert shown["RankIC on test"].startswith(
            f"{test.mean['rank_ic']:.4f} ({interval.low:.4f} to {interval.high:.4f})"
        )
        assert shown["of each seed"] == ", ".join(f"{seed['rank_ic']:.4f}" for seed in test.seeds.values())
        assert number(shown["skill"]) == pytest.approx(100.0 * test.skill, abs=0.05)
        assert shown["beaten by"] == (words.names(test.beaten_by) or "none")
        assert float(shown["RankIC on validation"]) == pytest.approx(1.0 - 0.962, abs=5e-5)


def test_the_configuration_of_a_winner_and_its_seeds_stand_beside_it(text):
    found = table(text, "The configuration of each rung")
    for row in found.rows:
        shown = dict(zip(found.titles, row, strict=True))
        assert (shown["learning rate"], shown["dropout"], shown["epochs"]) == ("0.0011", "0.2", "6")
        assert (shown["seeds"], shown["architecture"]) == ("2", "d_model 16, layers 3, heads 2, d_ff 64")


def test_a_rung_less_a_baseline_is_the_difference_of_their_mean_daily_rank_ics(finished_study, facts, text):
    for name in CELLS:
        daily = pd.read_parquet(finished_study.predictions(Cell.parse(name)))
        mean = daily[daily["region"] == "test"].groupby("model")["rank_ic"].mean()
        rung = np.mean([value for model, value in mean.items() if str(model).startswith("seed-")])
        test = scores_of(finished_study, name)
        for baseline in test.skill_against:
            gap = gap_to(test, baseline)
            assert gap.value == pytest.approx(rung - mean[baseline], abs=1e-12)
            assert (gap.high < 0.0) == (baseline in test.beaten_by)
    found = table(text, "RankIC of each rung less")
    order = [name for name in in_order(facts.region(5)) if name != "own_static_order"]
    assert found.titles == ["cell", *(words.name(baseline) for baseline in order)]
    for row in found.rows:
        gaps = [gap_to(scores_of(finished_study, row[0]), baseline).value for baseline in order]
        assert [number(entry) for entry in row[1:]] == pytest.approx(gaps, abs=5e-5)


@pytest.mark.parametrize("region", [Region.TEST, Region.VALIDATION])
def test_rungs_stand_by_size_above_the_baselines(facts, text, region):
    caption = "Ranking skill on the test days" if region is Region.TEST else "The validation days"
    rows = [row[0].partition(" (")[0] for row in table(text, caption).rows]
    baselines = [words.name(name) for name in in_order(facts.region(5, region))]
    assert rows == [*(f"rung {budget}" for budget in finished.SIZES), *baselines]


def test_a_rung_has_every_figure_that_a_baseline_has(finished_study, text):
    shown = {
        "ICIR, h5": (icir_name(5), 1), "hit rate, % (chance 50)": ("hit_rate", 100), "IC": ("ic", 1),
        "quantile spread, bps a day": ("quantile_spread", 1), "turnover, % a day": ("turnover", 100),
        "Sharpe gross": ("sharpe_gross", 1), "Sharpe net": ("sharpe_net", 1),
        "return gross, % a year": ("annual_return_gross", 100), "max drawdown net, %": ("max_drawdown_net", 100),
    }  # fmt: skip
    compared = 0
    for caption in ("Ranking skill on the test days", "Long-short portfolio on the test days"):
        found = table(text, caption)
        for cell, row in zip(CELLS, found.rows, strict=False):
            mean = scores_of(finished_study, cell).mean
            for title, entry in zip(found.titles, row, strict=True):
                if title in shown:
                    metric, scale = shown[title]
                    assert number(entry) == pytest.approx(scale * mean[metric], abs=0.051)
                    compared += 1
    assert compared == len(CELLS) * len(shown)


def test_quantiles_have_columns_only_where_a_model_forecasts_them(places, text):
    titles = ["pinball loss", "labels in the 90 % band, %"]
    assert not set(titles) & set(table(text, "Ranking skill on the test days").titles)
    change_scores(places, "25k-h5", lambda test: test["mean"].update(pinball=0.2494, coverage_90=0.9))
    found = table(text_of(places), "Ranking skill on the test days")
    shown = {row[0]: [row[found.titles.index(title)] for title in titles] for row in found.rows}
    assert shown["rung 25k"] == ["0.2494", "90.0"]
    assert shown["ridge regression"] == ["—", "—"]


def test_the_best_rung_is_named_with_what_beats_it_and_what_costs_leave(facts, text):
    best = facts.best_rung(5)
    assert str(best.cell) == "25k-h5"
    assert best.regions[Region.TEST].mean.rank_ic == max(
        rung.regions[Region.TEST].mean.rank_ic for rung in facts.rungs.values()
    )
    said = section(text, "Models and baselines")
    assert f"**Best of 3 rungs, 25k**: RankIC {best.regions[Region.TEST].mean.rank_ic:.4f}" in said
    assert "picked on the test days" in said
    assert "**Long-short portfolio of rung 25k**" in said


def test_baselines_that_beat_rungs_are_named_with_the_rungs(places):
    change_scores(places, "12k-h5", lambda test: test.update(beaten_by=["reversal_5", "ridge"]))
    change_scores(places, "25k-h5", lambda test: test.update(beaten_by=["ridge"]))
    change_scores(places, "50k-h5", lambda test: test.update(beaten_by=["ridge"]))
    said = section(text_of(places), "Models and baselines")
    assert "**Rungs that a baseline beats**: every rung by ridge regression; 12k by 5-day reversal." in said


def test_the_table_of_cells_holds_every_figure_of_a_ranking(finished_study, facts):
    rows = {row["budget"]: row for row in csv.DictReader(io.StringIO(to_csv(facts.params, "k", facts.cells)))}
    assert set(rows) == set(finished.SIZES)
    for budget, row in rows.items():
        test = scores_of(finished_study, f"{budget}-h5")
        for figure in (*WITH_INTERVAL, *WITHOUT_INTERVAL):
            stored = icir_name(5) if figure == "icir" else figure
            wanted = test.mean[stored]
            assert row[f"test_{figure}"] == ("" if wanted is None else str(wanted))
            if figure in WITH_INTERVAL:
                ends = float(row[f"test_{figure}_low"]), float(row[f"test_{figure}_high"])
                assert ends == test.intervals[stored].ci
        assert float(row["test_loss"]) == pytest.approx(1.0 - float(row["test_rank_ic"]))
        assert float(row["best_val_rank_ic"]) == pytest.approx(1.0 - float(row["val_loss"]))
        assert (row["script_path"], row["panel"], row["tier"]) == ("stages/panel/hpo.py", "nyse36", "s9")
        assert (row["entry_lag"], row["cost_bps"], row["stricter"]) == ("1", "5.0", test.stricter)
        assert row["best_baseline"] == "ridge"
    assert tuple(rows["12k"]) == columns_of(facts.params)
    assert set(RANKINGS) <= set(rows["12k"])


def test_the_live_table_of_a_panel_study_is_that_of_its_report(finished_study, facts):
    live = table_of_files(finished_study, finished.params(), FileCache())
    assert live == to_csv(facts.params, facts.study_key, facts.cells)
    assert live.count("success") == len(CELLS)


def test_the_live_table_takes_nothing_from_a_search_of_another_question(places):
    cell = Cell.parse("12k-h5")
    plans = finished.plans_of(cell)
    write_plan(places.search_plan(cell), dataclasses.replace(plans.search, code={"stages.panel.hpo": "edited"}))
    rows = {
        row["budget"]: row
        for row in csv.DictReader(io.StringIO(table_of_files(places, finished.params(), FileCache())))
    }
    assert (rows["12k"]["status"], rows["12k"]["test_rank_ic"]) == ("", "")
    assert rows["25k"]["status"] == "success"


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures that are not drawn: what they show is tested in test_models_pictures.py, and drawing takes long."""
    names = dict.fromkeys(PICTURES, finished.PNG)

    def pictures_of(facts):
        return names if facts.planned else {name: names[name] if name in OF_BASELINES else None for name in names}

    monkeypatch.setattr(build, "pictures_of", pictures_of)


def test_the_whole_page_is_written_with_its_tables_and_copied(places, undrawn):
    tracker = MemoryTracker()
    build_panel_report(places, finished.params(), environment=made_up.HERE, tracker=tracker)
    files = {path.name: path.read_bytes() for path in places.report.iterdir()}
    tables = {"report.md", "report.html", "baselines.csv", "experiment_results.csv", "trials.csv"}
    assert set(files) == tables | PICTURES
    page, text = Page(files["report.html"].decode("utf-8")), files["report.md"].decode("utf-8")
    assert page.open == []
    assert [found.facts for found in tables_of(text)] == [found.facts for found in page.tables]
    assert len({found.file for found in page.tables}) == len(page.tables)
    assert set(re.findall(r"\]\((\w+\.png)\)", text)) == PICTURES
    (run,) = tracker.runs()
    assert (run.tags["model"], run.tags["budget"]) == ("panel_transformer", "50k")
    assert run.tags["study_key"] == facts_of(places).study_key
    assert {*tables, "rank_ic_by_month.png"} == set(tracker.artifacts[run.run_id]) & {*tables, "rank_ic_by_month.png"}
    build_panel_report(places, finished.params(), environment=made_up.HERE)
    assert {path.name: path.read_bytes() for path in places.report.iterdir()} == files


def test_the_table_of_trials_has_the_rank_ic_of_complete_ones(facts):
    trials = list(csv.DictReader(io.StringIO(to_trials_csv(facts))))
    assert len(trials) == 4 * len(CELLS)
    assert [float(row["val_rank_ic"]) for row in trials[:3]] == pytest.approx([0.025, 0.019, 0.038])
    assert (trials[3]["state"], trials[3]["val_rank_ic"]) == ("pruned", "")


def test_a_study_of_baselines_alone_says_nothing_of_models(places, undrawn):
    build_panel_report(places, finished.params(), environment=made_up.HERE)
    shutil.rmtree(places.plans)
    alone = finished.params(budget=None)
    build_panel_report(places, alone, environment=made_up.HERE)
    text = (places.report / "report.md").read_text("utf-8")
    assert "## Result" in text
    for said in ("Verdicts", "Rungs", "rung ", "panel_transformer", "best_so_far", "training."):
        assert said not in text
    assert {path.name for path in places.report.glob("*.png")} == OF_BASELINES
    assert list(csv.DictReader(io.StringIO(to_csv(alone, None, facts_of(places, alone).cells)))) == []


def test_a_planned_study_of_which_nothing_has_run_has_a_page(tmp_path):
    text = text_of(Places(tmp_path, tmp_path))
    assert "5 sessions: no verdict" in text
    assert "No trial has ended with a RankIC on validation." in text
    assert [row[0] for row in table(text, "Every planned rung").rows] == list(CELLS)
    assert all(row[-1] == "open" for row in table(text, "Every planned rung").rows)


def test_a_failed_cell_is_named_and_the_others_are_shown(places):
    finished.write_failed(places, Cell.parse("12k-h5"), "no trial has a loss <&>")
    text = text_of(places)
    rows = {row[0]: row for row in table(text, "Every planned rung").rows}
    assert rows["12k-h5"][-1] == "failed"
    assert number(rows["25k-h5"][4]) > 0.0
    assert ["12k-h5", "failed in the search", "no trial has a loss <&>"] in table(text, "Cells that give").rows


def test_a_failed_audit_takes_every_verdict_back(places):
    made_up.write_audited(places, ProbeOutcome.PASSED, ProbeOutcome.FAILED)
    text = text_of(places)
    assert "no figure below counts" in text.split("\n## ")[1]
    assert "does not count, because the leak audit failed" in section(text, "Verdicts")
    assert section(text, "Models and baselines").strip().startswith("- **Invalid**")


def test_a_law_of_another_question_is_named(places):
    record = json.loads(places.scaling.read_text())
    places.scaling.write_text(json.dumps(record | {"study_key": "another"}))
    assert "fitted to another question" in section(text_of(places), "Verdicts")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (lambda test: test.update(windows_fingerprint="others"), "other test days than the baselines"),
        (lambda test: test["seeds"]["1"].update(rank_ic=0.5), "seed-1 has a mean RankIC"),
        (lambda test: test.pop("baseline_advantage"), "has no scores of a ranking"),
    ],
)
def test_scores_that_do_not_belong_to_the_study_are_refused(places, fault, said):
    change_scores(places, "25k-h5", fault)
    with pytest.raises(WorkFailed, match=said):
        text_of(places)


def test_scores_of_stocks_that_lack_a_test_day_are_refused(places):
    path = places.cell_scores_by_stock(Cell.parse("25k-h5"))
    stocks = pd.read_parquet(path)
    last = stocks["date"].max()
    stocks[(stocks["date"] != last) | (stocks["model"] != "seed-2")].to_parquet(path, index=False)
    with pytest.raises(WorkFailed, match="seed-2 does not have each of the 90 test days"):
        text_of(places)


def test_the_limits_name_power_universe_entry_lag_and_what_costs_leave_out(facts, text):
    said = section(text, "Limits")
    half = max(
        (found.high - found.low) / 2.0
        for rung in facts.rungs.values()
        for found in [rung.regions[Region.TEST].intervals["rank_ic"]]
    )
    assert f"90 test days, which all rungs share; the RankIC of a rung is known to within {half:.4f} at 95 %" in said
    for fact in ("**Universe**: survivors", "closing price of day t+1", "5 basis points", "no fee for borrowed stocks"):
        assert fact in said
    # The trials lie .019 apart, more than twice the standard error of one, .008.
    assert "is 0.0080 (median), and the best and worst trial of a search lie 0.0190 apart (median), so the" in said


def test_trials_closer_than_their_noise_are_called_a_draw(places):
    for name in CELLS:
        path = places.coverage(Cell.parse(name))
        path.write_text(json.dumps(json.loads(path.read_text()) | {"spread": 0.004}))
    assert "which of them leads is mostly luck" in section(text_of(places), "Limits")


def test_memory_is_shown_as_predicted_and_as_measured(text):
    found = table(text, "Memory predicted and measured")
    assert [row[0] for row in found.rows] == list(CELLS)
    # Peaks of .20 to .23 GiB where .30 was predicted; seeds .21 of .28.
    assert found.rows[0][1:] == ["0.30", "0.23", "0.67", "0.77", "0.28", "0.21"]


def test_the_amount_of_training_data_counts_labels_of_all_stocks(facts, text):
    extent = facts.training_extent(5)
    # 100 sessions of training, 60 + 6 of them in a window with its label; 12 labels on each of 40 sample days, over 5.
    assert (extent.days, extent.disjoint_windows, extent.independent_labels) == (100, 1, 96.0)
    assert "labels of all stocks over horizon" in section(text, "Days or parameters: what is lacking")


def test_every_leaf_that_models_read_is_in_the_page_and_how_they_were_run_is_not(text):
    leaves = dict(table(text, "The whole question").rows)
    assert (
        leaves["training.loss_weights"]
        == "{ic: 1.0, quantile: 0.0, soft_spearman: 0.0, ranknet: 0.0, listnet: 0.0, sharpe: 0.0, regime: 0.0}"
    )
    assert leaves["search.presets.panel_quick.trials"] == "6"
    assert leaves["budget"] == "50k"
    assert not any(path.startswith("hardware") for path in leaves)


def test_a_horizon_counts_sessions_everywhere(text):
    assert "5 sessions: " in section(text, "Verdicts")
    assert "5 days" not in text
