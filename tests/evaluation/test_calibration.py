"""Do probabilities mean what they say?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve

from tsladder.evaluation.calibration import (
    at_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
    scored_at,
)
from tsladder.evaluation.metrics import per_day_log_loss

RNG = np.random.default_rng(5)
TRUTH = 1.0 / (1.0 + np.exp(-RNG.normal(-1.0, 1.2, 4000)))
Y = (RNG.random(4000) < TRUTH).astype(float)


def sharpened(p: np.ndarray, factor: float) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-factor * np.log(p / (1.0 - p))))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 40)), min_size=12, max_size=80))
def test_the_bins_equal_scikit_learn_s_quantile_bins_with_ties(pairs: list[tuple[float, int]]) -> None:
    y, p = np.array(pairs).T
    observed, predicted = calibration_curve(y, p / 40, n_bins=10, strategy="quantile")
    found = reliability(y, {0: p / 40})
    np.testing.assert_allclose([b.observed for b in found], observed)
    np.testing.assert_allclose([b.predicted for b in found], predicted)
    assert sum(b.windows for b in found) == len(pairs)


def test_the_bins_hold_equal_counts_and_do_not_overlap() -> None:
    found = reliability(Y, {0: TRUTH})
    assert [b.windows for b in found] == [400] * 10
    assert all(a.high < b.low for a, b in itertools.pairwise(found))
    assert all(b.low <= b.predicted <= b.high for b in found)


def test_seeds_are_pooled_so_that_a_window_counts_once_a_seed() -> None:
    assert reliability(Y, {0: TRUTH, 1: TRUTH}) == tuple(
        type(b)(low=b.low, high=b.high, windows=2 * b.windows, predicted=b.predicted, observed=b.observed)
        for b in reliability(Y, {0: TRUTH})
    )


def test_a_constant_forecast_errs_by_its_distance_to_the_rate() -> None:
    assert expected_calibration_error(Y, np.full(Y.size, 0.5)) == pytest.approx(0.5 - Y.mean())
    assert expected_calibration_error(Y, np.full(Y.size, Y.mean())) == pytest.approx(0.0, abs=1e-12)


def test_the_error_of_a_known_bias_is_that_bias() -> None:
    even = np.repeat(np.arange(10) / 10 + 0.02, 1000)
    y = np.concatenate([np.r_[np.ones(100 * k), np.zeros(1000 - 100 * k)] for k in range(10)])
    assert expected_calibration_error(y, even) == pytest.approx(0.02)


def test_the_true_probabilities_are_better_calibrated_than_sharpened_ones() -> None:
    assert expected_calibration_error(Y, TRUTH) < 0.02 < expected_calibration_error(Y, sharpened(TRUTH, 2.5))


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_a_planted_temperature_is_found_and_is_the_best_there_is(factor: float) -> None:
    p = sharpened(TRUTH, factor)
    found = fit_temperature(Y, {0: p})
    assert found == pytest.approx(factor, rel=0.1)
    oracle = minimize_scalar(
        lambda s: per_day_log_loss(Y, at_temperature(p, 1.0 / s)).mean(), bounds=(0.05, 20.0), options={"xatol": 1e-9}
    )
    assert 1.0 / found == pytest.approx(oracle.x, rel=1e-4)


def test_one_temperature_serves_all_seeds_by_their_mean_loss() -> None:
    seeds = {0: sharpened(TRUTH, 3.0), 1: TRUTH}
    found = fit_temperature(Y, seeds)
    assert fit_temperature(Y, {0: seeds[1]}) < found < fit_temperature(Y, {0: seeds[0]})
    after = scored_at(Y, seeds, found)
    assert after.log_loss < scored_at(Y, seeds, 1.0).log_loss
    assert after.log_loss == pytest.approx(
        np.mean([per_day_log_loss(Y, at_temperature(p, found)).mean() for p in seeds.values()])
    )
    assert scored_at(Y, seeds, 1.0).ece == pytest.approx(
        np.mean([expected_calibration_error(Y, p) for p in seeds.values()])
    )


def test_where_no_temperature_is_best_the_end_of_the_range_is_taken() -> None:
    assert fit_temperature(Y, {0: np.full(Y.size, 0.5)}) == 1.0
    assert fit_temperature(Y, {0: 1.0 - TRUTH}) == 100.0
    assert fit_temperature(Y, {0: np.where(Y == 1.0, 0.6, 0.4)}) == 0.01


def test_certain_forecasts_have_a_temperature_too() -> None:
    p = np.where(RNG.random(Y.size) < 0.9, Y, 1.0 - Y)
    assert np.isfinite(scored_at(Y, {0: p}, fit_temperature(Y, {0: p})).log_loss)
