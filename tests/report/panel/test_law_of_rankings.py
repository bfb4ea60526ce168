"""The law of rankings in tables and sentences: RankIC first, then alpha, and the counts in the family's words."""

from __future__ import annotations

import dataclasses
import math

import pytest
from tests.report.panel.finished import params, write_finished

from tsladder.families import load, panel_names
from tsladder.law.verdict import VerdictName
from tsladder.report import law_tables, law_words, words
from tsladder.report.markdown import to_markdown
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.sections.law import law, support
from tsladder.report.sections.verdicts import verdicts
from tsladder.report.summary import verdict_lines


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> PanelFacts:
    return read_panel_facts(write_finished(tmp_path_factory.mktemp("panel"), horizon=1), params(1))


def columns(table) -> dict[str, str]:  # type: ignore[no-untyped-def]
    (row,) = table.rows
    return dict(zip([column.title for column in table.columns], row, strict=True))


def test_the_law_table_has_the_rank_ic_per_tenfold_before_alpha(facts: PanelFacts) -> None:
    found = facts.law_of(1)
    assert found is not None
    gain = found.rank_ic_per_tenfold
    assert gain is not None
    shown = columns(law_tables.law_table(facts))
    titles = list(shown)
    assert titles.index("RankIC per tenfold") < titles.index("alpha")
    assert shown["RankIC per tenfold"].startswith(f"{gain.value:+.4f} (")
    assert shown["horizon"] == "1 session"
    assert shown["alpha"] == words.exponent(found.alpha)


def test_the_quality_of_the_fit_is_told_in_rank_ic(facts: PanelFacts) -> None:
    found = facts.law_of(1)
    assert found is not None
    assert found.fits.power is not None
    shown = columns(law_tables.fits_table(facts))
    assert shown["RankIC there"] == f"{1.0 - found.fits.power.loss_at_reference:.4f}"
    top = found.extrapolation
    assert top is not None
    assert shown["error of the top rung left out"] == f"{top.measured - top.predicted:+.4f}"
    low, high = (float(end) for end in shown["its interval, of the rungs"].split(" to "))
    assert low < 1.0 - found.fits.power.loss_at_reference < high


def test_a_larger_rung_with_a_lower_loss_is_above_in_rank_ic(facts: PanelFacts) -> None:
    found = facts.law_of(1)
    assert found is not None
    table = law_tables.neighbours_table(facts)
    assert [column.title for column in table.columns][3] == "RankIC difference"
    for row, pair in zip(table.rows, found.neighbours, strict=True):
        assert float(row[3]) == pytest.approx(-pair.difference, abs=5e-5)
    clear = dataclasses.replace(
        found, neighbours=tuple(dataclasses.replace(pair, p_holm=0.001) for pair in found.neighbours)
    )
    assert facts.law is not None
    told = to_markdown(
        tuple(support(dataclasses.replace(facts, law=dataclasses.replace(facts.law, horizons={1: clear})), ()))
    )
    first = clear.neighbours[0]
    assert f"{first.larger} {'above' if first.difference < 0.0 else 'below'} {first.smaller}" in told.replace("\\", "")


def test_verdicts_sections_and_the_last_lines_of_a_run_begin_with_the_slope(facts: PanelFacts) -> None:
    found = facts.law_of(1)
    assert found is not None
    slope = law_words.slope(found)
    assert slope is not None
    told = to_markdown(tuple(verdicts(facts, ["scaling.png"]))).replace("\\", "")
    assert told.index(slope) < told.index("Alpha ")
    assert told.index("RankIC per tenfold size:") < told.index("Exponent alpha")
    assert law_words.VERDICTS_OF_RANKINGS[found.verdict] in told
    assert "RankIC against parameter count" in told
    assert "RankIC per tenfold: what a model of ten times the parameters gains" in to_markdown(tuple(law(facts)))


def test_the_headline_of_a_run_has_the_slope_before_alpha(tmp_path) -> None:  # type: ignore[no-untyped-def]
    places = write_finished(tmp_path, horizon=1)
    headline = next(line for line in verdict_lines(places) if line.startswith("h1"))
    assert headline.index("RankIC per tenfold size: ") < headline.index("alpha ")


def test_every_verdict_has_its_meaning_for_rankings() -> None:
    assert set(law_words.VERDICTS_OF_RANKINGS) == set(words.VERDICTS) == {name.value for name in VerdictName}
    assert all("loss" not in text and "forecast" not in text for text in law_words.VERDICTS_OF_RANKINGS.values())


def test_the_distance_to_the_best_baseline_is_told_in_rank_ic(facts: PanelFacts) -> None:
    found = facts.law_of(1)
    assert found is not None
    assert found.excess is not None
    told = law_words.distance_to_best(found.excess)
    assert f"(RankIC {1.0 - found.excess.baseline_loss:.4f})" in told
    assert " loss" not in told
    assert math.isfinite(found.excess.baseline_loss)


@pytest.mark.parametrize("family", panel_names())
def test_the_counts_are_named_in_the_words_of_the_family(facts: PanelFacts, family: str) -> None:
    asked = dataclasses.replace(facts.params, model=dataclasses.replace(facts.params.model, family=family))
    titles = law_tables.count_titles(dataclasses.replace(facts, params=asked))
    assert set(titles) == {"n_params_blocks", "n_params_body"}
    own = {"n_params_blocks": "N of temporal and graph layers", "n_params_body": "N without variable selection"}
    encoder = {"n_params_blocks": "N blocks", "n_params_body": "N body"}
    assert titles == (own if hasattr(load(family), "count_words") else encoder)
    assert hasattr(load(family), "count_words") == (family == "atft_gat_fan")
