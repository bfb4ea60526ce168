"""How far a rung's loss would move if it were searched and trained again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.rung_variance import rung_variance
from tsladder.law.points import RungPoint

SIZES = (12e3, 30e3, 80e3, 200e3, 750e3, 2e6)


def rungs(rng: np.random.Generator, *, choice: float, seed: float, seeds: int = 3) -> list[RungPoint]:
    found = []
    for n in SIZES:
        losses = 0.36 * (1.0 + choice * rng.normal()) * (1.0 + seed * rng.normal(size=seeds))
        se = float(losses.std(ddof=1)) / math.sqrt(seeds) if seeds > 1 else None
        pairs = tuple((k, float(loss)) for k, loss in enumerate(losses))
        found.append(RungPoint(cell=f"{n:g}", n_params=n, loss=float(losses.mean()), se=se, seeds=pairs))
    return found


def fit(points: list[RungPoint]):
    return fit_power([point.n_params for point in points], [point.loss for point in points])


@pytest.mark.parametrize(("choice", "seed", "seeds"), [(0.02, 0.0, 3), (0.02, 0.02, 3), (0.02, 0.01, 1)])
def test_choice_and_seeds_add_up_to_the_variance_of_a_mean(choice: float, seed: float, seeds: int) -> None:
    rng, sums = np.random.default_rng(1), []
    for _ in range(400):
        points = rungs(rng, choice=choice, seed=seed, seeds=seeds)
        found = rung_variance(points, fit(points))
        assert found is not None
        sums.append(np.mean(list(found.variances.values())) / 0.36**2)
    assert np.mean(sums) == pytest.approx(choice**2 + seed**2 / seeds, rel=0.1)


def test_days_that_the_scatter_holds_are_taken_off_and_never_more_than_there_is() -> None:
    points = rungs(np.random.default_rng(2), choice=0.02, seed=0.0, seeds=1)
    law = fit(points)
    whole, less, nothing = (
        rung_variance(points, law, day_scatter=share * law.residual_sd**2) for share in (0, 0.25, 2)
    )
    for point in points:
        assert less.variances[point.cell] == pytest.approx(0.75 * whole.variances[point.cell])
        assert nothing.variances[point.cell] == 0.0
    assert whole.dof == law.dof == 4


def test_where_seeds_explain_the_scatter_the_scale_is_known_as_well_as_they_are() -> None:
    points = rungs(np.random.default_rng(3), choice=0.0, seed=0.05)
    found = rung_variance(points, fit(points), day_scatter=1.0)
    assert found.dof == 12
    assert found.variances == {point.cell: pytest.approx(point.se**2) for point in points}


def test_without_a_law_nothing_is_known() -> None:
    points = rungs(np.random.default_rng(4), choice=0.01, seed=0.01)[:2]
    assert rung_variance(points, fit(points)) is None
    assert rung_variance([], None) is None
