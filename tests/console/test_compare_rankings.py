"""`tsladder compare` of two cells of a panel study: paired by day on the rank error, told in RankIC."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tests.law.made_up_rankings import write_study
from tests.panel_studies import make_panel_study

from tsladder.console.compare import compare_here, comparison_lines
from tsladder.errors import BadInput
from tsladder.evaluation.bootstrap import block_length, mean_interval
from tsladder.evaluation.predictions import read_predictions
from tsladder.places import Places
from tsladder.seeds import derive_seed
from tsladder.vocabulary import RANK_ERROR, Cell

GAIN = r"[+-]0\.\d{4} \(-?0\.\d{4} to -?0\.\d{4}\)"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Two rungs at two horizons, the larger one far better at the first and alike at the second."""
    places = make_panel_study(tmp_path_factory.mktemp("project"), budget="30k", ladder=["12k", "30k"], horizons=[1, 10])
    budgets = ("12k", "30k")
    write_study(places.artifacts / "scores", (0.02, 0.10), budgets=budgets, days=300)
    write_study(places.artifacts / "scores", (0.05, 0.05), budgets=budgets, days=300, horizon=10)
    return places


def test_the_better_ranking_is_named_with_what_it_gains_in_rank_ic(study: Places) -> None:
    for first, second in (("12k-h1", "30k-h1"), ("30k-h1", "12k-h1")):
        found = compare_here(study, first, second)
        lines = comparison_lines(found)
        assert found.metric == RANK_ERROR
        assert re.fullmatch(rf"30k-h1 is better than 12k-h1 \(p < 0.001\): RankIC {GAIN}", lines[0]), lines[0]
        assert f"RankIC +{abs(found.difference):.4f} (" in lines[0]
        assert "RankIC" in lines[1]
        own = read_predictions(study.predictions(Cell("30k", 1)), "test").trained("30k-h1").loss_N.mean()
        assert any(line.split()[:2] == ["30k-h1", f"{1.0 - own:.4f}"] for line in lines)
        assert not any("loss" in line for line in lines)


def test_two_rankings_that_cannot_be_told_apart_are_told_with_their_interval(study: Places) -> None:
    found = compare_here(study, "12k-h10", "30k-h10")
    assert found.low < 0.0 < found.high
    expected = (
        rf"no significant difference between 12k-h10 and 30k-h10 \(p = .*\): RankIC of 12k-h10 against 30k-h10 {GAIN}"
    )
    assert re.fullmatch(expected, comparison_lines(found)[0])


def test_the_days_are_resampled_in_blocks_of_at_least_the_horizon(study: Places) -> None:
    """Oracle: the bootstrap of the paired difference with that block; of the seeds the comparison adds the noise."""
    found = compare_here(study, "12k-h10", "30k-h10")
    one, other = (
        read_predictions(study.predictions(Cell(budget, 10)), "test").trained(budget) for budget in ("12k", "30k")
    )
    gap_N = other.loss_N - one.loss_N
    days = mean_interval(
        gap_N, draws=100, confidence=0.95, seed=derive_seed(42, "compare", "test"), block=max(10, block_length(gap_N))
    )
    of_seeds = sum(np.var([loss_N.mean() for loss_N in model.losses.values()], ddof=1) / 3.0 for model in (one, other))
    assert found.se == pytest.approx(np.sqrt(days.se**2 + of_seeds))


def test_a_cell_is_compared_with_its_baselines(study: Places) -> None:
    found = compare_here(study, "30k-h1", "30k-h1:no_order")
    assert found.second_loss == 1.0
    assert found.second_seeds == ()
    assert comparison_lines(found)[0].startswith("30k-h1 is better than no_order")
    with pytest.raises(BadInput, match="did you mean ridge"):
        compare_here(study, "30k-h1", "30k-h1:rigde")


def test_cells_of_other_horizons_are_not_paired(study: Places) -> None:
    with pytest.raises(BadInput, match="cannot be paired"):
        compare_here(study, "12k-h1", "12k-h10")


def test_a_cell_of_no_rung_is_refused(study: Places, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no cell of this study"):
        compare_here(study, "13k-h1", "30k-h1")
