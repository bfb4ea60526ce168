"""The table of daily predictions is read whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.errors import WorkFailed
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.metrics import per_day_log_loss
from tsladder.evaluation.predictions import predictions_frame, read_predictions

RNG = np.random.default_rng(3)
DATES = np.datetime64("2015-03-02") + np.arange(50)
Y = (RNG.random(50) < 0.4).astype(np.float32)
SEEDS = {4: RNG.random(50), 11: RNG.random(50)}
BASE_RATE = Forecast(name="base_rate", p_N=np.full(50, 0.3))


def table() -> pd.DataFrame:
    frames = [predictions_frame(region, Y, DATES, SEEDS, [BASE_RATE]) for region in ("validation", "test")]
    return pd.concat(frames, ignore_index=True)


def stored(folder: Path, frame: pd.DataFrame) -> Path:
    path = folder / "predictions.parquet"
    frame.sample(frac=1, random_state=0).to_parquet(path, index=False)
    return path


def test_what_was_written_is_read_in_time_order_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    found = read_predictions(stored(tmp_path, table()), "test", days=50)
    np.testing.assert_array_equal(found.dates_N, DATES)
    np.testing.assert_array_equal(found.y_N, Y)
    cell = found.trained("2M-h1")
    assert list(cell.losses) == [4, 11]
    for seed, p_N in SEEDS.items():
        np.testing.assert_array_equal(cell.losses[seed], per_day_log_loss(Y, p_N))
    np.testing.assert_allclose(cell.loss_N, np.mean(list(cell.losses.values()), axis=0))
    baseline = found.baseline("base_rate")
    assert baseline.fixed
    np.testing.assert_array_equal(baseline.loss_N, per_day_log_loss(Y, BASE_RATE.p_N))


def rows(frame: pd.DataFrame, model: str, day: int) -> pd.Series:
    return (frame["model"] == model) & (frame["date"] == DATES[day]) & (frame["region"] == "test")


Damage = Callable[[pd.DataFrame], pd.DataFrame]


def without_days(model: str, first: int) -> Damage:
    return lambda frame: frame[~(rows(frame, model, first) | rows(frame, model, first + 1))]


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame[rows(frame, "seed-4", 7)]])


def other_label(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(label=np.where(rows(frame, "seed-11", 9), 1 - frame["label"], frame["label"]))


def no_number(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(log_loss=frame["log_loss"].mask(rows(frame, "base_rate", 3)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_days("seed-4", 20), "seed-4 has 48 of 50 days, the first missing one is 2015-03-22"),
        (without_days("base_rate", 0), "base_rate has 48 of 50 days, the first missing one is 2015-03-02"),
        (twice, "seed-4 has 2015-03-09 twice"),
        (other_label, "on 2015-03-11"),
        (no_number, "base_rate has a loss that is no number on 2015-03-05"),
        (lambda frame: frame[frame["date"] != DATES[5]], "every model has 49 of 50 days"),
        (lambda frame: frame[~frame["model"].str.startswith("seed-")], "no seed on test"),
        (lambda frame: frame[frame["region"] == "validation"], "no seed on test"),
    ],
)
def test_a_damaged_table_is_refused_with_the_file_the_model_and_the_day(
    tmp_path: Path, damage: Damage, said: str
) -> None:
    path = stored(tmp_path, damage(table()))
    with pytest.raises(WorkFailed) as error:
        read_predictions(path, "test", days=50)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_all_damaged_models_are_named_at_once(tmp_path: Path) -> None:
    path = stored(tmp_path, without_days("seed-11", 30)(without_days("seed-4", 20)(table())))
    with pytest.raises(WorkFailed, match=r"(?s)seed-11 has 48.*seed-4 has 48"):
        read_predictions(path, "test")


def test_a_missing_table_is_a_failure_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"predictions\.parquet is missing"):
        read_predictions(tmp_path / "predictions.parquet", "test")
