"""Experiments of panel studies side by side: paired by day on the rank error, told in RankIC."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.law.made_up_rankings import PARAMS, rungs, write_study
from tests.panel_studies import make_panel_study
from tests.report.panel import made_up

from tsladder.artifacts.law import write_law
from tsladder.artifacts.panel_splits import write_panel_splits
from tsladder.console.side_by_side import side_by_side_lines
from tsladder.evaluation.bootstrap import block_length, mean_interval
from tsladder.experiments.comparison import side_by_side
from tsladder.experiments.fairness import reasons_not_comparable, training_days_note
from tsladder.experiments.results import Experiment, read_experiment
from tsladder.law.scaling import fit_horizons
from tsladder.params import LawParams
from tsladder.seeds import derive_seed
from tsladder.vocabulary import RANK_ERROR, Cell

LADDER = ("12k", "30k", "80k")


def experiment(folder: Path, name: str, rank_ics: tuple[float, ...], horizon: int = 1, **leaves: Any) -> Experiment:
    asked = {"budget": "80k", "ladder": list(LADDER), "horizons": [horizon], **leaves}
    places = make_panel_study(folder, **asked)
    scores = places.artifacts / "scores"
    # Validation is the same days again: what is compared here is the test region.
    cells = write_study(scores, rank_ics, budgets=LADDER, days=200, horizon=horizon, regions=("validation", "test"))
    law = LawParams(region="test", alpha_of_interest=0.0025)
    points = {horizon: rungs(scores, cells)}
    write_law(places.scaling, fit_horizons(points, (), law, PARAMS, "k", 42, metric=RANK_ERROR))
    write_panel_splits(places.horizon_splits(horizon), made_up.splits(horizon))
    return read_experiment(places, name)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return experiment(tmp_path_factory.mktemp("plain"), "plain", (0.02, 0.03, 0.04))


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    return experiment(tmp_path_factory.mktemp("better"), "better", (0.08, 0.10, 0.12), data__tier="c21")


def test_the_better_experiment_is_better_on_every_rung_in_rank_ic(plain: Experiment, better: Experiment) -> None:
    found = side_by_side([plain, better])
    assert found.metric == RANK_ERROR
    assert [pair.budget for pair in found.pairs] == list(LADDER)
    assert all(pair.found.high < 0.0 for pair in found.pairs)
    lines = side_by_side_lines(found)
    pair = found.pairs[0].found
    (row,) = [line for line in lines if line.startswith("h1") and " 12k " in line and "better" in line.split()[-1]]
    assert f"{1.0 - pair.first_loss:.4f}" in row
    assert f"{1.0 - pair.second_loss:.4f}" in row
    assert f"{pair.difference:+.4f}" in row
    assert any("RankIC per tenfold" in line for line in lines)
    assert any("RankIC difference" in line for line in lines)
    assert not any("loss" in line for line in lines)


def test_the_law_of_each_is_told_by_its_rank_ic_per_tenfold(plain: Experiment, better: Experiment) -> None:
    found = side_by_side([plain, better])
    for summary, one in zip(found.summaries, (plain, better), strict=True):
        gain = one.laws[1].rank_ic_per_tenfold
        assert gain is not None
        assert summary.horizons[0].rank_ic_per_tenfold == gain
        assert summary.symbols == "made_up"
        assert any(f"+{gain.value:.4f} (" in line and one.name in line for line in side_by_side_lines(found))
    plainly = found.to_json()["summaries"][0]["horizons"][0]
    assert plainly["rank_ic_per_tenfold"]["value"] == pytest.approx(plain.laws[1].rank_ic_per_tenfold.value)


def test_another_tier_is_compared_and_told_among_the_parameters(plain: Experiment, better: Experiment) -> None:
    found = side_by_side([plain, better])
    assert ("data.tier", "s9", "c21") in {(item.path, item.first, item.second) for item in found.differing}
    assert "data.volume" not in plain.params


def test_blocks_are_at_least_the_horizon(tmp_path: Path) -> None:
    one, other = (
        experiment(tmp_path / name, name, rank_ics, horizon=30)
        for name, rank_ics in (("one", (0.02, 0.03, 0.04)), ("other", (0.03, 0.04, 0.05)))
    )
    pair = side_by_side([one, other]).pairs[0].found
    cell = Cell("12k", 30)
    gap_N = other.cells[cell].losses("b").loss_N - one.cells[cell].losses("a").loss_N
    block = max(30, block_length(gap_N))
    seed = derive_seed(one.seed, "compare", "test")
    days = mean_interval(
        gap_N, draws=one.evaluation.bootstrap_draws, confidence=one.evaluation.confidence, seed=seed, block=block
    )
    assert pair.effective_n == pytest.approx(days.effective_n)


def test_what_differs_in_universe_or_panel_is_named_where_days_differ(plain: Experiment, better: Experiment) -> None:
    moved = dataclasses.replace(
        better,
        params={**better.params, "universe.min_history": 500, "data.panel": "other"},
        cells={
            cell: dataclasses.replace(
                scored, scored=dataclasses.replace(scored.scored, dates_N=scored.scored.dates_N + 1)
            )
            for cell, scored in better.cells.items()
        },
    )
    reasons = " ".join(reasons_not_comparable(plain, moved, 1))
    assert "other universe.min_history: 60 against 500" in reasons
    assert "other data.panel: made_up against other" in reasons
    assert "data.first_day" not in reasons


def test_other_training_days_are_noted_in_days(plain: Experiment, better: Experiment) -> None:
    assert training_days_note(plain, better, 1) is None
    longer = {1: dataclasses.replace(better.trained_on[1], windows=9_999)}
    note = training_days_note(plain, dataclasses.replace(better, trained_on=longer), 1)
    assert note is not None
    assert "was trained on 40 days from" in note
    assert "better on 9999 from" in note
    assert "first_day" not in note
