"""What is said of size where the amount of data varies: from which form, and what it implies."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tsladder.law.surface.size_effect import judge_sizes
from tsladder.law.surface.size_law import SizeLaw, Source

E, A, B, ALPHA, BETA = 1.7, 400.0, 2000.0, 0.34, 0.37


def surface(n: np.ndarray, d: np.ndarray) -> np.ndarray:
    return E + A * n**-ALPHA + B * d**-BETA


def isoflop(budgets: int = 4, sizes: int = 5, ratio: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Sizes around the best of each compute budget C = 6 N D, the data what is left of it."""
    n = np.concatenate([3e8 * 7.3**i * ratio ** (np.arange(sizes) - (sizes - 1) / 2) for i in range(budgets)])
    flops = np.repeat([6 * 3e8 * 7.3**i * 2e9 * 9.1**i for i in range(budgets)], sizes)
    return n.round(), (flops / 6 / n).round()


def grid(sizes: int, amounts: int) -> tuple[np.ndarray, np.ndarray]:
    n, d = np.meshgrid(np.geomspace(1e7, 1e10, sizes), np.geomspace(1e9, 1e11, amounts), indexing="ij")
    return n.ravel(), d.ravel()


@pytest.mark.parametrize("ratio", [1.6, 3.0])
def test_isoflop_points_fall_with_size_at_equal_data(ratio: float) -> None:
    """At one budget the larger model sees less data: its loss rises beyond the best size, and size is not to blame."""
    n, d = isoflop(ratio=ratio)
    law = judge_sizes(n, d, surface(n, d).round(6), draws=60)
    assert law.source is Source.SURFACE
    assert (law.surface.E, law.surface.alpha, law.surface.beta) == pytest.approx((E, ALPHA, BETA), rel=1e-4)
    assert 0.0 < law.alpha_ci[0] < law.alpha < law.alpha_ci[1]
    sizes = np.array([each.n_params for each in law.size_means])
    x = np.log(sizes) - np.log(sizes).mean()
    at_equal_data = np.log(surface(sizes, law.reference_data))
    assert law.alpha == pytest.approx(-float(x @ at_equal_data / (x @ x)), rel=1e-3)
    assert law.extrapolation.n_params == pytest.approx(n.max())
    assert abs(law.extrapolation.error) < 1e-4


def test_ten_times_larger_is_what_the_surface_says_at_the_same_data_and_along_its_optimum() -> None:
    n, d = isoflop()
    law = judge_sizes(n, d, surface(n, d), draws=20)
    same, best = law.tenfold_at_same_data, law.tenfold_along_optimum
    assert same.to_n == pytest.approx(10 * same.from_n)
    expected = surface(np.array(same.to_n), np.array(same.n_data)) / surface(
        np.array(same.from_n), np.array(same.n_data)
    )
    assert same.change == pytest.approx(float(expected) - 1, rel=1e-4)

    def least(size: float) -> tuple[float, float]:
        """Amount of data and loss of the compute budget whose best size this is."""

        def best_size(log_flops: float) -> float:
            found = minimize_scalar(
                lambda x: float(surface(np.exp(x), np.exp(log_flops - x) / 6)),
                bounds=(10, 35),
                method="bounded",
                options={"xatol": 1e-10},
            )
            return float(found.x)

        flops = minimize_scalar(
            lambda c: (best_size(c) - np.log(size)) ** 2, bounds=(30, 70), method="bounded", options={"xatol": 1e-9}
        ).x
        data = np.exp(flops) / 6 / size
        return data, float(surface(np.array(size), np.array(data)))

    (before, loss_before), (after, loss_after) = least(best.from_n), least(best.to_n)
    assert best.data_growth == pytest.approx(after / before, rel=1e-3)
    assert best.change == pytest.approx(loss_after / loss_before - 1, rel=1e-4)
    assert best.change < same.change < 0.0


@pytest.mark.slow
def test_sizes_are_drawn_and_counted_not_points() -> None:
    """Eight amounts of data of four sizes: 32 points with the luck of four configurations."""
    n, d = grid(4, 8)
    size = np.repeat(np.arange(4), 8)
    rng = np.random.default_rng(1)
    signed = 0
    for seed in range(4):
        luck = 0.02 * rng.normal(size=4)[size] + 0.005 * rng.normal(size=32)
        law = judge_sizes(n, d, (0.3 + 2e3 * d**-0.4) * np.exp(luck), draws=20, seed=seed)
        assert law.n_sizes == 4
        assert law.dof <= 2.0 + 1e-9
        assert len(law.size_means) == 4
        signed += not law.alpha_ci[0] <= 0.0 <= law.alpha_ci[1]
    assert signed <= 1


def test_a_grid_without_an_identified_surface_is_judged_by_fixed_effects() -> None:
    n, d = grid(5, 2)
    law = judge_sizes(n, d, n**-0.05 * d**-0.1 * np.exp(0.001 * np.random.default_rng(0).normal(size=10)), draws=20)
    assert law.source is Source.GRID
    assert law.alpha == pytest.approx(0.05, abs=0.003)
    assert law.dof == pytest.approx(3)
    assert law.tenfold_at_same_data.change == pytest.approx(10**-law.alpha - 1)
    assert law.tenfold_along_optimum is None
    assert law.extrapolation.n_points == 2
    assert abs(law.extrapolation.error) < 0.01


@pytest.mark.slow
def test_size_without_effect_beside_data_that_bend_is_no_law() -> None:
    n, d = isoflop()
    rng = np.random.default_rng(2)
    sources = set()
    for seed in range(3):
        law = judge_sizes(n, d, (0.3 + 2e3 * d**-0.4) * np.exp(0.01 * rng.normal(size=n.size)), draws=20, seed=seed)
        sources.add(law.source)
        assert law.alpha_ci[0] < 0.004
        assert law.alpha_ci[1] > -0.004
    assert Source.PLANE not in sources


def test_where_no_form_fits_none_is_given() -> None:
    n, d = isoflop()
    x, z = np.log(n / 3e9), np.log(d / 1e10)
    law = judge_sizes(n, d, np.exp(0.05 * x**2 + 0.08 * x * z - 0.04 * z**2), draws=20)
    assert law.source is None
    assert law.alpha is None
    assert law.reason.startswith("no form fits")
    assert law.lack_of_fit_p < 0.05


def test_too_few_sizes_have_no_error_to_judge_by() -> None:
    n = np.repeat([1e6, 1.05e6, 2e6], 4)
    law = judge_sizes(n, np.tile([1e6, 2e6, 4e6, 8e6], 3), n**-0.1, draws=0)
    assert law.source is None
    assert law.n_sizes == 2
    assert "closer than 10 %" in law.reason


def test_a_whole_size_leaves_and_is_predicted_at_its_own_amounts() -> None:
    n, d = grid(6, 4)
    loss = surface(n, d)
    loss[-4:] *= 1.05
    law = judge_sizes(n, d, loss, draws=20)
    assert law.extrapolation.n_points == 4
    assert law.extrapolation.error == pytest.approx(1 / 1.05 - 1, abs=1e-3)


def test_outliers_are_named_and_do_not_widen_the_interval() -> None:
    n, d = grid(9, 6)
    rng = np.random.default_rng(6)
    loss = surface(n, d) * np.exp(0.001 * rng.normal(size=n.size))
    clean = judge_sizes(n, d, loss, draws=20)
    loss[20] *= 1.2
    law = judge_sizes(n, d, loss, draws=20)
    assert any("133M" in doubt and "1 of 54 points" in doubt for doubt in law.doubts)
    assert law.alpha_se < 2 * clean.alpha_se


def test_the_order_of_the_points_changes_nothing_and_the_record_is_json() -> None:
    n, d = isoflop()
    loss = surface(n, d) * np.exp(0.003 * np.random.default_rng(0).normal(size=n.size))
    order = np.random.default_rng(1).permutation(n.size)
    law: SizeLaw = judge_sizes(n, d, loss, draws=10, seed=3)
    assert law == judge_sizes(n[order], d[order], loss[order], draws=10, seed=3)
    json.dumps(dataclasses.asdict(law))


@pytest.mark.parametrize(
    ("loss", "source"),
    [
        (lambda n, d: n**-0.1 * d**-0.2, Source.PLANE),
        pytest.param(lambda n, d: (0.3 + 50 * n**-0.5) * d**-0.02, Source.FLOOR_IN_SIZE, marks=pytest.mark.slow),
        (surface, Source.SURFACE),
    ],
    ids=["plane", "floor in size", "surface"],
)
def test_the_form_that_misses_no_pattern_is_judged_by(loss: Callable[..., np.ndarray], source: Source) -> None:
    rng = np.random.default_rng(0)
    n, d = np.geomspace(1e5, 1e9, 14), np.exp(2 * rng.normal(size=14)) * 1e8
    law = judge_sizes(n, d, loss(n, d) * np.exp(0.001 * rng.normal(size=14)), draws=20)
    assert law.source is source
    x = np.log(n) - np.log(n).mean()
    truth = -float(x @ np.log(loss(n, law.reference_data)) / (x @ x))
    assert law.alpha_ci[0] < truth < law.alpha_ci[1]
