"""E + A N^-alpha + B D^-beta: planted surfaces come back, and what cannot be told is said."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from tsladder.law.surface import huber
from tsladder.law.surface.additive_surface import fit_surface
from tsladder.law.surface.surface_fit import SurfaceFit
from tsladder.law.surface.threshold import PUBLISHED_DELTA, delta_for

LANGUAGE = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
"""The published re-fit of the language models of Hoffmann et al. (Besiroglu et al., 2024)."""


def ladder(points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens of runs of many budgets, as that study had them: more data for smaller models."""
    rng = np.random.default_rng(seed)
    n = np.exp(rng.uniform(np.log(4e7), np.log(1.6e10), points))
    return n, np.exp(rng.uniform(np.log(6e18), np.log(3e21), points)) / 6 / n


def planted(n: np.ndarray, d: np.ndarray, *, E: float, A: float, B: float, alpha: float, beta: float) -> np.ndarray:
    return E + A * n**-alpha + B * d**-beta


def noisy(
    noise: float, outliers: int = 5, points: int = 240, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, d = ladder(points, seed)
    rng = np.random.default_rng(seed + 1)
    loss = planted(n, d, **LANGUAGE) * np.exp(noise * rng.normal(size=points))
    loss[:outliers] *= 1.1
    return n, d, loss


def values(fit: SurfaceFit) -> tuple[float | None, ...]:
    return fit.E, fit.A, fit.B, fit.alpha, fit.beta


def test_a_surface_without_noise_comes_back_exactly() -> None:
    n, d = ladder(60, 0)
    fit = fit_surface(n, d, planted(n, d, **LANGUAGE), draws=0)
    assert values(fit) == pytest.approx(tuple(LANGUAGE.values()), rel=1e-5)
    assert fit.converged
    assert fit.starts_agreeing > 0.8 * fit.starts


@pytest.mark.parametrize("noise", [0.003, *(pytest.param(noise, marks=pytest.mark.slow) for noise in (0.0003, 0.01))])
def test_noise_and_outliers_leave_the_parameters_where_they_were_planted(noise: float) -> None:
    fit = fit_surface(*noisy(noise), draws=40, seed=3)
    truth = LANGUAGE
    assert fit.converged
    assert fit.identified
    assert pytest.approx(truth["E"], abs=6 * noise + 1e-3) == fit.E
    assert fit.alpha == pytest.approx(truth["alpha"], abs=3 * noise + 1e-3)
    assert fit.beta == pytest.approx(truth["beta"], abs=3 * noise + 1e-3)
    for ci, value in ((fit.E_ci, fit.E), (fit.A_ci, fit.A), (fit.B_ci, fit.B), (fit.alpha_ci, fit.alpha)):
        assert ci[0] < value < ci[1]
    assert fit.noise == pytest.approx(noise, rel=0.2)


def test_outliers_move_a_squared_loss_and_not_this_one() -> None:
    """Losses of the 12 points of least data, ten per cent too high: least squares puts them into beta."""
    n, d, loss = noisy(0.003, outliers=0)
    loss = np.where(d <= np.sort(d)[11], 1.1 * loss, loss)
    robust, squared = fit_surface(n, d, loss, draws=0), fit_surface(n, d, loss, draws=0, delta=10.0)
    assert abs(robust.beta - LANGUAGE["beta"]) < 0.5 * abs(squared.beta - LANGUAGE["beta"])


@pytest.mark.parametrize("delta", [1e-3, 1e-2])
def test_the_optimum_is_one_that_another_optimiser_cannot_better(delta: float) -> None:
    n, d, loss = noisy(0.004)
    fit = fit_surface(n, d, loss, draws=0, delta=delta)

    def summed(theta: np.ndarray) -> float:
        a, b, e, alpha, beta = theta
        fitted = np.logaddexp(np.logaddexp(a - alpha * np.log(n), b - beta * np.log(d)), e)
        residual = np.abs(fitted - np.log(loss))
        return float(np.sum(np.where(residual <= delta, 0.5 * residual**2, delta * (residual - 0.5 * delta))))

    here = np.array([np.log(fit.A), np.log(fit.B), np.log(fit.E), fit.alpha, fit.beta])
    assert summed(here) == pytest.approx(fit.objective, rel=1e-9)
    for shift in (0.0, 0.02, -0.02):
        options = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-12, "fatol": 1e-16}
        found = optimize.minimize(summed, here * (1 + shift), method="Nelder-Mead", options=options)
        assert found.fun >= fit.objective * (1 - 1e-9)


def test_gradient_and_hessian_are_those_of_the_objective() -> None:
    rng = np.random.default_rng(0)
    points = huber.Points(
        x_n=rng.normal(size=30), z_n=rng.normal(size=30), y_n=rng.normal(size=30), weight_Mn=rng.random((4, 30))
    )
    theta, delta, step = rng.normal(size=(4, 5)), 0.4, 1e-6
    gradient, hessian = huber._derivatives(theta, points, delta)
    for k in range(5):
        up, down = theta.copy(), theta.copy()
        up[:, k] += step
        down[:, k] -= step
        slope = (huber.objective(up, points, delta) - huber.objective(down, points, delta)) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], slope, rtol=1e-5, atol=1e-7)
        bend = (huber._derivatives(up, points, delta)[0] - huber._derivatives(down, points, delta)[0]) / (2 * step)
        np.testing.assert_allclose(hessian[:, k], bend, rtol=1e-4, atol=1e-5)


def test_the_threshold_is_the_published_one_at_published_noise_and_follows_the_noise_above() -> None:
    assert delta_for(0.004) == PUBLISHED_DELTA
    assert delta_for(0.0002) == pytest.approx(1.3 * 0.0002)
    assert delta_for(0.03) == pytest.approx(0.039)
    assert delta_for(0.0) > 0.0
    assert fit_surface(*noisy(0.03), draws=0).huber_delta == pytest.approx(0.039, rel=0.2)


def test_the_same_points_in_another_order_give_the_same_surface_bit_for_bit() -> None:
    n, d, loss = noisy(0.005, points=40)
    order = np.random.default_rng(1).permutation(40)
    fit = fit_surface(n, d, loss, draws=10, seed=5)
    assert fit == fit_surface(n[order], d[order], loss[order], draws=10, seed=5)
    assert fit != fit_surface(n, d, loss, draws=10, seed=6)


def test_another_unit_of_size_and_data_changes_no_exponent() -> None:
    n, d, loss = noisy(0.005, points=60)
    fit, other = fit_surface(n, d, loss, draws=0), fit_surface(n / 1e9, d / 1e9, loss, draws=0)
    assert (other.alpha, other.beta, other.E) == pytest.approx((fit.alpha, fit.beta, fit.E), rel=1e-6)


def test_a_search_that_ends_on_a_bound_did_not_converge() -> None:
    """A loss that falls by e^8 a tenfold of N is steeper than any exponent allowed."""
    n, d = ladder(40, 2)
    fit = fit_surface(n, d, (n / 1e8) ** -8.0 * (d / 1e10) ** -0.3, draws=0)
    assert not fit.converged
    assert "did not converge" in fit_surface(n, d, (n / 1e8) ** -8.0 * (d / 1e10) ** -0.3, draws=5).reason


def test_a_size_without_effect_is_not_told_from_a_constant() -> None:
    n, d = ladder(60, 4)
    loss = (1.8 + 2000 * d**-0.37) * np.exp(0.003 * np.random.default_rng(0).normal(size=60))
    fit = fit_surface(n, d, loss, draws=40)
    assert not fit.identified
    assert "alpha is not told from 0" in fit.reason or "E is not told from 0" in fit.reason


def test_one_common_size_tells_the_curve_in_data_alone() -> None:
    d = np.geomspace(1e9, 1e11, 8)
    fit = fit_surface(np.full(8, 1e8), d, planted(np.full(8, 1e8), d, **LANGUAGE))
    assert (fit.E, fit.A, fit.alpha) == (None, None, None)
    assert (fit.B, fit.beta) == pytest.approx((LANGUAGE["B"], LANGUAGE["beta"]), rel=1e-3)
    assert "one size" in fit.reason
    assert not fit.identified


@pytest.mark.parametrize(
    ("n", "d", "word"),
    [
        (np.geomspace(1e7, 1e10, 12), 20 * np.geomspace(1e7, 1e10, 12), "in step"),
        (np.geomspace(1e7, 1e10, 7), np.geomspace(1e9, 1e11, 7)[::-1], "at least 8 points"),
        (np.tile([1e8, 1e9], 6), np.repeat(np.geomspace(1e9, 1e11, 6), 2), "2 sizes"),
        (np.tile(np.geomspace(1e8, 1e9, 6), 2), np.repeat([1e9, 1e10], 6), "2 amounts"),
    ],
    ids=["data follow size", "seven points", "two sizes", "two amounts"],
)
def test_points_that_cannot_tell_five_parameters_give_none(n: np.ndarray, d: np.ndarray, word: str) -> None:
    fit = fit_surface(n, d, planted(n, d, **LANGUAGE))
    assert values(fit) == (None,) * 5
    assert fit.reason.startswith("not identifiable")
    assert word in fit.reason
    assert not fit.converged


def test_draws_that_found_no_minimum_and_ends_at_a_bound_are_said_beside_the_intervals() -> None:
    """Twelve points whose size does nothing: most draws have no least loss inside the bounds."""
    n, d = ladder(12, 4)
    loss = (1.8 + 2000 * d**-0.37) * np.exp(0.02 * np.random.default_rng(0).normal(size=12))
    fit = fit_surface(n, d, loss, draws=40)
    assert fit.draws_converged < 0.9
    assert any(f"only {fit.draws_converged:.0%} of the bootstrap draws" in doubt for doubt in fit.doubts)
    assert any("is the bound of the search" in doubt for doubt in fit.doubts)
    assert fit_surface(*noisy(0.003, points=60), draws=20).doubts == ()


def test_the_bootstrap_draws_sizes_with_all_their_points() -> None:
    """Points of a size that share its luck are no replicates: repeated, they narrow nothing."""
    n, d = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e8, 1e10, 8), np.geomspace(1e9, 1e11, 4), indexing="ij"))
    loss = planted(n, d, **LANGUAGE) * np.exp(0.01 * np.random.default_rng(1).normal(size=8)).repeat(4)
    once = fit_surface(n, d, loss, draws=100)
    twice = fit_surface(n.repeat(2), d.repeat(2), loss.repeat(2), draws=100)
    assert once.n_sizes == twice.n_sizes == 8
    width = [fit.alpha_ci[1] - fit.alpha_ci[0] for fit in (once, twice)]
    assert width[1] == pytest.approx(width[0], rel=0.1)


@pytest.mark.slow
def test_bootstrap_intervals_cover_the_truth() -> None:
    covered = []
    for seed in range(100):
        fit = fit_surface(*noisy(0.02, outliers=0, points=120, seed=seed), draws=120, seed=seed)
        ends = (fit.E_ci, fit.alpha_ci, fit.beta_ci)
        covered.append(
            [low <= LANGUAGE[key] <= high for (low, high), key in zip(ends, ("E", "alpha", "beta"), strict=True)]
        )
    assert np.all(np.mean(covered, axis=0) >= 0.87)
