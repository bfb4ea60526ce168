import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import f

from tsladder.law.curve.floor import fit_floor

SIZES = np.geomspace(1e4, 1e9, 8)


@pytest.mark.parametrize(
    ("E", "A", "alpha"), [(0.3, 2.0, 0.2), (0.5, 400.0, 0.34), (0.05, 1.0, 0.1), (1.69, 406.4, 0.34), (0.2, 0.3, 0.05)]
)
def test_n2_a_planted_law_above_a_floor_is_recovered(E, A, alpha):
    fit = fit_floor(SIZES, E + A * SIZES**-alpha)
    assert (fit.E, fit.A, fit.alpha) == pytest.approx((E, A, alpha), rel=1e-3)
    assert fit.identified


def test_order_and_unit_change_no_floor():
    loss = 0.3 + 2 * SIZES**-0.2
    fit, other = fit_floor(SIZES, loss), fit_floor(SIZES[::-1] / 1e6, loss[::-1])
    assert (other.E, other.alpha) == pytest.approx((fit.E, fit.alpha), rel=1e-6)


def test_five_rungs_do_not_identify_a_floor():
    fit = fit_floor(SIZES[:5], 0.3 + 2 * SIZES[:5] ** -0.2)
    assert not fit.identified
    assert fit.reason.startswith("not identifiable")
    assert (fit.E, fit.A, fit.alpha) == (None, None, None)


def test_a_pure_power_law_has_no_floor_to_identify():
    rng = np.random.default_rng(0)
    fit = fit_floor(SIZES, 3 * SIZES**-0.05 * np.exp(0.01 * rng.normal(size=8)))
    assert not fit.identified
    assert "without any floor" in fit.reason


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_flat_ladder_has_no_floor_to_identify(noise):
    rng = np.random.default_rng(1)
    fit = fit_floor(SIZES, 0.4 * np.exp(noise * rng.normal(size=8)))
    assert not fit.identified
    assert "constant" in fit.reason


def test_a_rising_ladder_has_no_floor_to_identify():
    assert not fit_floor(SIZES, 0.3 * SIZES**0.03).identified


def test_the_ends_of_the_floor_s_interval_fit_just_not_significantly_worse():
    """Oracle: least squares by scipy's curve_fit with the floor held at each end, and the F quantile."""
    sizes = np.geomspace(1e4, 1e9, 10)
    loss = (0.3 + 5 * sizes**-0.25) * np.exp(0.01 * np.random.default_rng(3).normal(size=10))
    fit = fit_floor(sizes, loss)
    for end in fit.E_ci:
        (a, alpha), _ = curve_fit(
            lambda n, a, alpha, end=end: np.log(end + np.exp(a - alpha * np.log(n))), sizes, np.log(loss), (1.0, 0.2)
        )
        sse = np.sum((np.log(end + np.exp(a - alpha * np.log(sizes))) - np.log(loss)) ** 2)
        assert (sse / fit.sse - 1.0) * 7 == pytest.approx(f.ppf(0.95, 1, 7), rel=1e-3)


@pytest.mark.slow
def test_the_interval_of_the_floor_covers_it_as_often_as_it_says():
    """Oracle: the planted floor itself. 120 ladders leave a standard error of 2 % on a coverage of 95 %."""
    rng, sizes, E = np.random.default_rng(3), np.geomspace(1e4, 1e9, 10), 0.3
    inside, seen = 0, 0
    for _ in range(120):
        fit = fit_floor(sizes, (E + 5 * sizes**-0.25) * np.exp(0.01 * rng.normal(size=10)))
        if fit.identified:
            seen += 1
            assert fit.E_ci[0] <= fit.E <= fit.E_ci[1]
            inside += fit.E_ci[0] <= E <= fit.E_ci[1]
    assert seen > 100
    assert 0.89 <= inside / seen <= 1.0


def test_a_floor_that_is_not_identified_has_no_interval_and_a_perfect_one_no_width():
    assert fit_floor(SIZES, 0.4 * np.ones(8)).E_ci is None
    low, high = fit_floor(SIZES, 0.3 + 2 * SIZES**-0.2).E_ci
    assert (low, high) == pytest.approx((0.3, 0.3), rel=1e-3)
