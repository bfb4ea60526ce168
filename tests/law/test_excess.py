from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.excess import fit_excess
from tsladder.law.points import RungPoint

SIZES = np.array([12e3, 50e3, 200e3, 750e3, 2e6])


def rungs(losses: np.ndarray, **baselines: float) -> list[RungPoint]:
    return [
        RungPoint(cell=str(n), n_params=n, loss=loss, baselines=baselines)
        for n, loss in zip(SIZES, losses, strict=True)
    ]


def test_the_slope_per_tenfold_is_that_of_a_regression_on_log10() -> None:
    losses = np.array([0.36, 0.35, 0.33, 0.34, 0.31])
    fit = fit_excess(rungs(losses, base_rate=0.5, volatility_logistic=0.34), 0.95)
    oracle = stats.linregress(np.log10(SIZES), losses - 0.34)
    assert (fit.baseline, fit.baseline_loss) == ("volatility_logistic", 0.34)
    assert fit.slope_per_tenfold == pytest.approx(oracle.slope)
    half = stats.t.ppf(0.975, 3) * oracle.stderr
    assert fit.slope_ci == pytest.approx((oracle.slope - half, oracle.slope + half))


def test_an_excess_that_is_not_positive_everywhere_has_no_power_law_and_says_so() -> None:
    fit = fit_excess(rungs(np.array([0.36, 0.35, 0.33, 0.34, 0.31]), base_rate=0.34), 0.95)
    assert fit.power is None
    assert "3 of 5 rungs" in fit.reason


def test_a_positive_excess_is_fitted_in_logs() -> None:
    losses = 0.3 + 0.5 * SIZES**-0.2
    fit = fit_excess(rungs(losses, base_rate=0.3), 0.95)
    assert fit.power.alpha == pytest.approx(0.2)
    assert fit_power(SIZES, losses).alpha < 0.1


def test_hindsight_is_no_baseline_and_without_one_there_is_no_excess() -> None:
    losses = np.full(5, 0.4)
    assert fit_excess(rungs(losses, own_rate=0.2, base_rate=0.3), 0.95).baseline == "base_rate"
    assert fit_excess(rungs(losses, own_rate=0.2), 0.95) is None
    assert fit_excess(rungs(losses), 0.95) is None
    assert fit_excess([], 0.95) is None


def test_two_sizes_have_no_slope() -> None:
    fit = fit_excess(rungs(np.array([0.36, 0.35, 0.33, 0.34, 0.31]), base_rate=0.34)[:2], 0.95)
    assert (fit.slope_per_tenfold, fit.slope_ci, fit.power) == (None, None, None)
