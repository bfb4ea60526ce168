import numpy as np
import pytest

from tsladder.law.floor import fit_floor

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
