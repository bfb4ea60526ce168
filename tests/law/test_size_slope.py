"""The slope over sizes at equal data: closed forms, and shares over simulated tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsladder.law.design import SAME_AMOUNT, SAME_SIZE, groups_of
from tsladder.law.surface.plane import fit_floor_in_data, fit_floor_in_size, fit_plane
from tsladder.law.surface.size_slope import SizeSlope, two_way

Floats = np.ndarray


def grid(sizes: int, amounts: int) -> tuple[Floats, Floats, Floats]:
    """Log sizes, log amounts and the number of the size, of a complete table."""
    x, z = np.meshgrid(np.log(4) * np.arange(sizes), np.log(3) * np.arange(amounts), indexing="ij")
    return x.ravel(), z.ravel(), np.repeat(np.arange(sizes), amounts)


def fixed_effects(y: Floats, x: Floats, z: Floats) -> SizeSlope | None:
    return two_way(y, x, z, groups_of(np.exp(x), SAME_SIZE), groups_of(np.exp(z), SAME_AMOUNT))


def test_a_complete_table_is_a_line_through_its_sizes_means() -> None:
    x, z, _ = grid(5, 3)
    y = 0.1 * np.random.default_rng(0).normal(size=x.size) - 0.2 * np.sqrt(z + 1)
    found = fixed_effects(y, x, z)
    line = stats.linregress(x[::3], y.reshape(5, 3).mean(axis=1))
    assert found.slope == pytest.approx(line.slope)
    assert found.se == pytest.approx(line.stderr)
    assert found.dof == pytest.approx(3)
    assert found.weight_P @ y == pytest.approx(found.slope)


@pytest.mark.parametrize(("sizes", "amounts"), [(4, 4), (5, 3), (5, 6)])
@pytest.mark.parametrize("luck", [0.01, 0.02])
@pytest.mark.parametrize(("studies", "most"), [(150, 0.05), pytest.param(600, 0.04, marks=pytest.mark.slow)])
def test_the_luck_of_a_size_that_its_amounts_share_is_no_law(
    sizes: int, amounts: int, luck: float, studies: int, most: float
) -> None:
    x, z, size = grid(sizes, amounts)
    rng = np.random.default_rng(5)
    signs = []
    for _ in range(studies):
        y = (
            np.log(0.3 + 0.25 * np.exp(-0.4 * z))
            + luck * rng.normal(size=sizes)[size]
            + 0.005 * rng.normal(size=x.size)
        )
        low, high = fixed_effects(y, x, z).interval(0.95)
        signs.append((low > 0) - (high < 0))
    assert np.mean(np.array(signs) == 1) <= most
    assert np.mean(np.array(signs) == -1) <= most


@pytest.mark.parametrize("luck", [0.0, 0.02])
def test_the_variance_of_an_incomplete_table_is_the_one_that_is_seen(luck: float) -> None:
    """A band: larger models on more data, linked by the amounts that neighbours share."""
    x, z, size = grid(6, 6)
    band = np.abs(x / np.log(4) - z / np.log(3)) < 1.5
    x, z, size = x[band], z[band], size[band]
    rng = np.random.default_rng(2)
    slopes, variances = [], []
    for _ in range(300):
        y = -0.3 * z + luck * rng.normal(size=6)[size] + 0.01 * rng.normal(size=x.size)
        found = fixed_effects(y, x, z)
        slopes.append(found.slope)
        variances.append(found.variance)
    assert np.mean(variances) == pytest.approx(np.var(slopes), rel=0.25)


def test_a_table_that_is_not_linked_has_no_fixed_effects() -> None:
    x, z, _ = grid(4, 3)
    assert fixed_effects(-0.1 * x - 0.2 * z, x, z + x) is None


def test_a_plane_through_single_points_is_least_squares() -> None:
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 15)) * 2
    x, z = x - x.mean(), z - z.mean()
    y = -0.1 * x - 0.2 * z + 0.05 * rng.normal(size=15)
    plane = fit_plane(y, x, z, np.argsort(np.argsort(x)))
    columns = np.column_stack([np.ones(15), x, z])
    found, sse, *_ = np.linalg.lstsq(columns, y, rcond=None)
    assert plane.slope.slope == pytest.approx(found[1])
    assert plane.slope.variance == pytest.approx(float(sse[0]) / 12 * np.linalg.inv(columns.T @ columns)[1, 1])
    assert plane.slope.dof == pytest.approx(12)
    assert plane.beta == pytest.approx(-found[2])


def test_a_plane_is_rejected_where_it_does_not_hold_and_rarely_where_it_does() -> None:
    rng = np.random.default_rng(4)
    x, z = rng.normal(size=(2, 20)) * 2
    x, z = x - x.mean(), z - z.mean()
    size = np.argsort(np.argsort(x))
    flat = [fit_plane(-0.1 * x + 0.01 * rng.normal(size=20), x, z, size).lack_of_fit_p for _ in range(100)]
    assert np.mean(np.array(flat) < 0.05) <= 0.1
    bent = np.log(1.0 + 0.5 * np.exp(-0.4 * z)) - 0.02 * x + 0.005 * rng.normal(size=20)
    assert fit_plane(bent, x, z, size).lack_of_fit_p < 0.01
    floored = fit_floor_in_data(bent, x, z, size)
    assert floored.lack_of_fit_p > 0.05
    assert -floored.slope.slope == pytest.approx(0.02, abs=0.005)
    turned = fit_floor_in_size(bent, z, x, np.argsort(np.argsort(z)))
    assert (turned.alpha, turned.beta) == pytest.approx((floored.beta, floored.alpha), rel=1e-6)
    assert turned.lack_of_fit_p == pytest.approx(floored.lack_of_fit_p, rel=1e-4)
    assert floored.floor_in_data == pytest.approx(2 / 3, abs=0.1)
