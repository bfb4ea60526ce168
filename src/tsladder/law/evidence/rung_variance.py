"""How far the loss of each rung would move if its search and its training were repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsladder.evaluation.confidence_set import MeanNoise
from tsladder.law.curve.power_law import PowerFit
from tsladder.law.points import RungPoint


def rung_variance(points: Sequence[RungPoint], fit: PowerFit | None, *, day_scatter: float = 0.0) -> MeanNoise | None:
    """The noise of each rung mean beside its days, by the names of the cells; None without a law.

    A rung's variance is that of its choice, the same relative one for all, and of its own mean over seeds. The rungs
    scatter around the law by both and by the days that move each rung on its own (`day_scatter`, relative; of
    `days.day_noise`), so the choice's is the residual variance less the others, and at least 0. A rung without a
    standard error has the mean one. The scale is known as well as the residuals are; where the seeds alone explain
    them, as well as those.
    """
    if fit is None or not points:
        return None
    known = [(point.se / point.loss) ** 2 for point in points if point.se is not None]
    of_seeds = float(np.mean(known)) if known else 0.0
    of_choice = max(fit.residual_sd**2 - of_seeds - day_scatter, 0.0)
    seeds_dof = sum(len(point.seeds) - 1 for point in points if point.replicated)
    return MeanNoise(
        variances={
            point.cell: of_choice * point.loss**2 + (of_seeds * point.loss**2 if point.se is None else point.se**2)
            for point in points
        },
        dof=float(fit.dof if of_choice > 0.0 or seeds_dof == 0 else max(seeds_dof, fit.dof)),
    )
