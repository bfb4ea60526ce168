"""Variance of each rung's loss over repetitions of its search and training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.evaluation.confidence_set import MeanNoise
from tsladder.law.points import RungPoint


def rung_variance(points: Sequence[RungPoint], fit: PowerLaw | None, *, day_scatter: float = 0.0) -> MeanNoise | None:
    """Estimate the noise of each rung mean apart from its days, by cell name; None without a law.

    A rung's variance has two parts: the choice of its configuration, with the same relative variance for all rungs, and
    its own mean over seeds. The scatter of the rungs around the law holds both and the days that move each rung on its
    own (`day_scatter`, relative, from `days.day_noise`). So the variance of the choice is the residual variance less
    the other two, and at least 0. A rung without a standard error gets the mean one. The degrees of freedom of the
    common scale are those of the residuals; where the seeds alone explain the scatter, those of the seeds if they are
    more.
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
