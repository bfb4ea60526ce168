"""The rule by which time to come is told, against scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsladder.artifacts.progress import RunningTrial
from tsladder.planning.time_left import (
    COVERAGE,
    Estimate,
    Remaining,
    TrainingForecast,
    _t_quantile,
    total,
    training_time_left,
)

NOW = 1000.0


def left(count: int, *seconds: float, workers: int = 1, running: tuple[RunningTrial, ...] = ()) -> Remaining:
    return Remaining(count=count, running=running, side_by_side=workers, seconds=seconds)


def under_way(epoch: int, epochs: int, started: float | None) -> RunningTrial:
    return RunningTrial(
        number=0, epoch=epoch, epochs=epochs, val_loss=None, silent_seconds=None, resident_gib=None, started=started
    )


@pytest.mark.parametrize("freedom", [2, 3, 7, 49])
def test_the_quantile_is_students(freedom: int) -> None:
    assert _t_quantile(freedom) == pytest.approx(stats.t.ppf(0.5 + COVERAGE / 2, freedom), rel=0.003)


def test_the_interval_covers_what_it_says() -> None:
    """Six trials have ended and ten come, all normal: nine in ten sums lie inside."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        drawn = rng.normal(100.0, 15.0, 16)
        found = training_time_left(left(10, *drawn[:6]), None, NOW)
        assert found is not None
        inside += found.low <= drawn[6:].sum() <= found.high
    # Four standard errors of a share of 0.9 in 2000.
    assert inside / 2000 == pytest.approx(0.9, abs=4 * (0.9 * 0.1 / 2000) ** 0.5)


def test_nothing_left_takes_no_time_and_nothing_known_is_no_time() -> None:
    assert training_time_left(left(0, 3.0), None, NOW) == Estimate(expected=0.0, low=0.0, high=0.0)
    assert training_time_left(left(1), None, NOW) is None


def test_a_forecast_reaches_up_to_what_it_takes_without_early_stopping() -> None:
    found = training_time_left(left(4, workers=2), TrainingForecast(expected=10.0, at_most=35.0, workers=2), NOW)
    assert found == Estimate(expected=20.0, low=10.0, high=70.0)


def test_a_trial_of_several_folds_is_forecast_as_so_many_trainings() -> None:
    one = TrainingForecast(expected=10.0, at_most=35.0, workers=2, trial_factor=3.0)
    found = training_time_left(left(4, workers=2), one.for_a_trial, NOW)
    assert found == Estimate(expected=60.0, low=30.0, high=210.0)
    assert one.for_a_trial.for_a_trial == one.for_a_trial


def test_own_trials_replace_the_forecast() -> None:
    found = training_time_left(left(4, 100.0), TrainingForecast(expected=10.0, at_most=35.0, workers=2), NOW)
    assert found == Estimate(expected=400.0, low=200.0, high=800.0)


def test_an_older_record_without_a_start_counts_by_its_epochs() -> None:
    found = training_time_left(left(0, 40.0, running=(under_way(5, 20, None),)), None, NOW)
    assert found is not None
    assert found.expected == 30.0


def test_a_trial_that_has_not_ended_an_epoch_yet_is_no_faster_for_that() -> None:
    found = training_time_left(left(0, 40.0, running=(under_way(0, 20, NOW - 10.0),)), None, NOW)
    assert found is not None
    assert found.expected == 30.0


def test_the_sum_is_unknown_where_a_part_is() -> None:
    one = Estimate(expected=2.0, low=1.0, high=4.0)
    assert total([one, one]) == Estimate(expected=4.0, low=2.0, high=8.0)
    assert total([one, None]) is None
    assert total([]) == Estimate(expected=0.0, low=0.0, high=0.0)
