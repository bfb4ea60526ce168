"""Noise of an exponent that all rungs share because they are scored on the same days.

The scatter of rungs around a law says how well these rungs determine the exponent on these days. On other days losses
could fall faster or slower with size for every rung at once: such a tilt bends no residual. Letters: R rungs, N days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.bootstrap import block_length, dependent_variance, mean_interval
from tsladder.evaluation.least_block import block_of_at_least
from tsladder.law.points import RungPoint

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class DayNoise:
    """The noise that the choice of scored days adds to the exponent of a ladder.

    variance     variance of the exponent over other days: that of the mean of each day's slope (block bootstrap)
    dof          degrees of freedom of that estimate; infinite where the slope is the same every day
    unseen       part of `variance` that the scatter of rungs does not hold: `variance` less the part of the days that
                 move each rung on its own; at least 0
    scatter      relative variance of one rung mean, times its weight, by days that move each rung on its own
    n_days       number of days
    """

    variance: float
    dof: float
    unseen: float
    scatter: float
    n_days: int


def day_noise(
    points: Sequence[RungPoint],
    *,
    draws: int,
    confidence: float,
    seed: int,
    weight_R: Sequence[float] | None = None,
    least_block: int = 1,
) -> DayNoise | None:
    """Estimate the noise of the exponent that comes from the days on which `points` were scored.

    To first order a change of the daily losses moves the exponent, which is minus the slope of log mean loss in log
    size, by the mean over days of s_t = -sum_r w_r x_r l_rt / (S mean loss of r), with x the log sizes less their
    weighted mean and S = sum_r w_r x_r^2. `weight_R`: weight of each rung in the fit of the law; None: equal weights.
    `least_block`: least mean block of the bootstrap, in days.

    None where the daily losses of a rung are not known, where the rungs were scored on different days, and with fewer
    than three rungs or one size. Raises ValueError where weights and points do not pair up.
    """
    w_R: Floats = np.ones(len(points)) if weight_R is None else np.asarray(weight_R, dtype=np.float64)
    if w_R.shape != (len(points),) or not (np.isfinite(w_R).all() and (w_R > 0.0).all()):
        raise ValueError(f"day_noise needs one positive weight for each of {len(points)} points, got {weight_R}")
    if len(points) < 3 or not same_days(points):
        return None
    x_R = np.log([point.n_params for point in points])
    x_R = x_R - float(w_R @ x_R) / float(w_R.sum())
    spread = float(w_R @ x_R**2)
    if spread <= 1e-12:
        return None
    relative_RN = np.stack([point.loss_N / point.loss_N.mean() for point in points if point.loss_N is not None])
    slope_N = -(w_R * x_R) @ relative_RN / spread
    block = block_of_at_least(least_block, slope_N)
    interval = mean_interval(slope_N, draws=draws, confidence=confidence, seed=seed, block=block)
    variance = interval.se**2
    scatter = _scatter(relative_RN, w_R, x_R, slope_N, draws, seed, block)
    return DayNoise(
        variance=variance,
        dof=math.inf if interval.dof is None else interval.dof,
        unseen=max(variance - scatter / spread, 0.0),
        scatter=scatter,
        n_days=slope_N.size,
    )


def same_days(points: Sequence[RungPoint]) -> bool:
    """Check that the daily losses of all `points` are known and of the same days.

    Dates are compared where both points have them, else only the number of days.
    """
    first = points[0] if points else None
    if first is None or first.loss_N is None:
        return False
    return all(
        point.loss_N is not None
        and point.loss_N.shape == first.loss_N.shape
        and (point.dates_N is None or first.dates_N is None or np.array_equal(point.dates_N, first.dates_N))
        for point in points
    )


def _scatter(
    relative_RN: Floats, w_R: Floats, x_R: Floats, slope_N: Floats, draws: int, seed: int, block: int | None
) -> float:
    """Sum the variances of the rungs' mean distances from the line of each day, over the R - 2 degrees of freedom."""
    level_N = w_R @ relative_RN / w_R.sum()
    apart_RN = relative_RN - level_N + x_R[:, None] * slope_N
    variance_R, _ = dependent_variance(
        lambda weights_DN: _means(weights_DN, apart_RN),
        days=slope_N.size,
        block=block_length(slope_N) if block is None else block,
        draws=draws,
        seed=seed,
    )
    return float(np.sum(w_R * variance_R)) / (len(relative_RN) - 2)


def _means(weights_DN: Floats, values_RN: Floats) -> Floats:
    return np.asarray(weights_DN @ values_RN.T / values_RN.shape[1], dtype=np.float64)
