"""predictions.parquet of a cell of a panel study: what the law, paired comparisons and the report read of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ranking.test_scores import BASELINES, REGION, judged, rankings

from tsladder.errors import WorkFailed
from tsladder.evaluation.predictions import loss_column, read_predictions
from tsladder.ranking.baselines import NO_ORDER
from tsladder.ranking.daily_figures import read_daily_figures
from tsladder.ranking.frames import ranking_cell_frame
from tsladder.ranking.region import judge_baselines
from tsladder.vocabulary import RANK_ERROR


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cell") / "predictions.parquet"
    beside = judge_baselines(REGION, BASELINES)
    frames = [ranking_cell_frame(name, REGION, judged(rankings(0.3)), beside) for name in ("validation", "test")]
    pd.concat(frames).sample(frac=1.0, random_state=0).to_parquet(path, index=False)
    return path


def test_the_seeds_of_a_cell_come_back_with_their_daily_rank_errors(table: Path) -> None:
    found = read_predictions(table, "test").trained("12k-h1")
    assert found.metric == RANK_ERROR
    assert list(found.losses) == [0, 1, 2]
    for seed, one in judged(rankings(0.3)).items():
        np.testing.assert_array_equal(found.losses[seed], one.daily.rank_error_N)
    assert found.dates_N.dtype == np.dtype("datetime64[D]")
    assert not found.fixed


def test_a_baseline_comes_back_as_a_ranking_without_a_seed(table: Path) -> None:
    predictions = read_predictions(table, "test")
    assert set(predictions.losses) == {"seed-0", "seed-1", "seed-2", *BASELINES, "own_static_order"}
    nothing = predictions.baseline(NO_ORDER)
    assert nothing.fixed
    assert set(nothing.loss_N.tolist()) == {1.0}


def test_the_loss_of_the_table_is_the_rank_error_though_other_metrics_stand_beside_it(table: Path) -> None:
    frame = pd.read_parquet(table)
    assert loss_column(frame) == RANK_ERROR
    np.testing.assert_allclose(frame["rank_error"], 1.0 - frame["rank_ic"])


def test_the_same_table_holds_what_the_report_follows_over_time(table: Path) -> None:
    daily = read_daily_figures(table, "validation")
    losses = read_predictions(table, "validation").losses
    assert set(daily) == set(losses)
    for model, figures in daily.items():
        np.testing.assert_allclose(1.0 - figures.rank_ic_N, losses[model])


def test_a_day_that_a_seed_misses_is_named(table: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(table)
    first = frame["date"].min()
    damaged = tmp_path / "predictions.parquet"
    frame[~((frame["model"] == "seed-1") & (frame["date"] == first))].to_parquet(damaged)
    with pytest.raises(WorkFailed, match=f"seed-1 has .* the first missing one is {first.date()}"):
        read_predictions(damaged, "test")


def test_a_cell_without_a_seed_and_a_baseline_named_like_one_are_refused() -> None:
    beside = judge_baselines(REGION, BASELINES)
    with pytest.raises(ValueError, match="no trained seed on test"):
        ranking_cell_frame("test", REGION, {}, beside)
    with pytest.raises(ValueError, match="must not have the name of a seed, got seed-9"):
        ranking_cell_frame("test", REGION, judged(rankings(0.3)), {"seed-9": beside[NO_ORDER]})
