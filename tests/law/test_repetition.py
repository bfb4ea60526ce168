from __future__ import annotations

import numpy as np
import pytest

from tsladder.law.fit import fit_power
from tsladder.law.points import RungPoint
from tsladder.law.repetition import repeated_verdicts
from tsladder.law.verdict import judge

SIZES = np.array([12e3, 50e3, 200e3, 750e3, 2e6])


@pytest.mark.parametrize(("alpha", "noise"), [(0.0, 0.01), (0.01, 0.02), (0.02, 0.02), (-0.03, 0.01)])
def test_the_shares_are_those_of_ladders_drawn_and_judged_one_by_one(alpha: float, noise: float) -> None:
    fit = fit_power(SIZES, 0.4 * SIZES**-alpha)
    shares = repeated_verdicts(fit, noise, 0.015)
    assert sum(shares.values()) == pytest.approx(1.0)
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(500):
        losses = 0.4 * SIZES**-alpha * np.exp(noise * rng.normal(size=5))
        points = [RungPoint(cell=str(n), n_params=n, loss=loss) for n, loss in zip(SIZES, losses, strict=True)]
        drawn.append(judge(points, fit_power(SIZES, losses), alpha_of_interest=0.015).name.value)
    for name, share in shares.items():
        assert share == pytest.approx(np.mean([said == name for said in drawn]), abs=0.06)


def test_the_same_fit_has_the_same_shares() -> None:
    fit = fit_power(SIZES, 0.4 * SIZES**-0.01 * np.exp([0.01, -0.01, 0.0, 0.01, -0.01]))
    assert repeated_verdicts(fit, 0.01, 0.015) == repeated_verdicts(fit, 0.01, 0.015)
