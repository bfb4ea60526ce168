"""The form in which loss falls and then rises: found where it is, claimed only where it is certain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsladder.law.curve.overfit import fit_overfit

SIZES = np.geomspace(1e5, 1e9, 9)


def curve(turn: float = 1e7, c: float = 0.004, level: float = -1.0) -> np.ndarray:
    return np.exp(level + c * np.log(SIZES / turn) ** 2)


def test_a_planted_turn_is_recovered_with_its_coefficients() -> None:
    fit = fit_overfit(SIZES, curve())
    assert fit.turns
    assert fit.turns_at_n == pytest.approx(1e7, rel=1e-6)
    assert fit.loss_at_turn == pytest.approx(np.exp(-1.0), rel=1e-9)
    x = np.log(SIZES)
    np.testing.assert_allclose([fit.c, fit.b, fit.a], np.polyfit(x, np.log(curve()), 2), rtol=1e-6)


def test_the_slopes_at_both_ends_are_tested_as_a_regression_would_test_them() -> None:
    """Recentred at an end, the coefficient of x is the slope there: its t-test is the oracle."""
    rng = np.random.default_rng(3)
    for scale in (0.002, 0.01, 0.02, 0.04):
        loss = curve(3e7, 0.0025) * np.exp(scale * rng.normal(size=9))
        x, y = np.log(SIZES), np.log(loss)

        def slope(end: float, x: np.ndarray = x, y: np.ndarray = y) -> float:
            design = np.column_stack([np.ones(9), x - end, (x - end) ** 2])
            root = np.linalg.solve(design.T @ design, design.T @ y)
            noise = np.sum((y - design @ root) ** 2) / 6
            return float(root[1] / np.sqrt(noise * np.linalg.inv(design.T @ design)[1, 1]))

        critical = stats.t.ppf(0.975, 6)
        assert fit_overfit(SIZES, loss).turns == (slope(x[0]) < -critical and slope(x[-1]) > critical)


def test_the_interval_of_the_turn_covers_it() -> None:
    rng = np.random.default_rng(0)
    covered = known = 0
    for _ in range(400):
        ends = fit_overfit(SIZES, curve() * np.exp(0.01 * rng.normal(size=9))).turns_at_ci
        if ends is not None:
            known += 1
            covered += ends[0] <= 1e7 <= ends[1]
    assert known > 390
    assert covered / known == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("alpha", [0.0, 0.03, -0.03])
def test_a_ladder_that_does_not_turn_seldom_claims_to(alpha: float) -> None:
    rng = np.random.default_rng(1)
    claims = [fit_overfit(SIZES, SIZES**-alpha * np.exp(0.02 * rng.normal(size=9))).turns for _ in range(400)]
    assert np.mean(claims) <= 0.025


def test_a_curve_that_bends_without_turning_is_not_over_fitting() -> None:
    """A law above a floor is convex in logs; its least loss lies beyond the ladder."""
    fit = fit_overfit(SIZES, 0.3 + 2 * SIZES**-0.2)
    assert fit.c > 0.0
    assert not fit.turns
    assert fit.turns_at_n is None or "may be noise" in fit.reason


def test_four_sizes_identify_no_curve() -> None:
    fit = fit_overfit(SIZES[:4], curve()[:4])
    assert fit.reason.startswith("not identifiable")
    assert not fit.turns
    assert fit.sse is None


def test_order_and_unit_of_n_move_the_turn_along_and_change_nothing_else() -> None:
    loss = curve() * np.exp(0.01 * np.random.default_rng(2).normal(size=9))
    fit, other = fit_overfit(SIZES, loss), fit_overfit(SIZES[::-1] / 1e6, loss[::-1])
    assert other.turns_at_n * 1e6 == pytest.approx(fit.turns_at_n, rel=1e-9)
    assert other.turns_at_ci[1] * 1e6 == pytest.approx(fit.turns_at_ci[1], rel=1e-9)
    assert (other.turns, other.loss_at_turn) == (fit.turns, pytest.approx(fit.loss_at_turn))
