"""Leak audit of tasks whose labels and forecasts are returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.regression_baselines import LAST_DAY_RATIO_RIDGE
from tsladder.evaluation.regression_metrics import TrainingReturns, correlation, midranks, per_day_huber, scale_of
from tsladder.tasks.parts.label_audit import Floats, Ranking
from tsladder.tasks.parts.task import Prices

FULL_SCALE = 0.1
"""Return at which the planted feature is clipped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnAudit:
    """Audit of labels and forecasts that are returns."""

    linear: str = LAST_DAY_RATIO_RIDGE
    linear_name: str = "ridge"

    def leaking_feature(self, prices: Prices, price: str, horizon: int) -> Floats:
        """Return the simple return over the horizon, scaled and clipped, whatever `price` is."""
        margin_T = prices.close_T[horizon:] / prices.close_T[:-horizon] - 1.0
        return np.clip(margin_T / FULL_SCALE, -1.0, 1.0)

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """Return the windows' own returns in random order."""
        return rng.permutation(y_N)

    def flipped(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        return -y_N

    def encoded(self, y_T: Floats) -> Floats:
        return np.nan_to_num(y_T / scale_of(y_T[~np.isnan(y_T)]))

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """Rank by the IC of each permutation.

        Over all orders of n returns, Spearman's correlation with any fixed forecast has mean 0 and variance 1 / (n -
        1), ties or not. A forecast that does not vary has an IC of 0. The constant forecast is the mean of the permuted
        returns, and the unit of the loss is their own standard deviation.
        """
        ics = [correlation(midranks(y_N), midranks(f_N)) or 0.0 for y_N, f_N in zip(y_DN, forecast_DN, strict=True)]
        gains = []
        for y_N, forecast_N in zip(y_DN, forecast_DN, strict=True):
            own = TrainingReturns.of(y_N)
            constant_N = per_day_huber(y_N, np.full(len(y_N), own.mean), own.scale)
            gains.append(float((constant_N - per_day_huber(y_N, forecast_N, own.scale)).mean()))
        return Ranking(
            statistic="ic",
            value=float(np.mean(ics)),
            z=sum(ics) / math.sqrt(sum(1.0 / (len(y_N) - 1.0) for y_N in y_DN)),
            advantage=float(np.mean(gains)),
        )

    def windows_to_rank(self, value: float, limit: float, permutations: int) -> int:
        """Solve z = value sqrt(permutations (n - 1)) for the number of windows n."""
        return math.floor(limit**2 / (permutations * value**2)) + 2

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        training = TrainingReturns.of(train_y_N)
        means = (training.mean, float(y_N.mean()))
        constant = min(float(per_day_huber(y_N, np.full(len(y_N), mean), training.scale).mean()) for mean in means)
        return 1.0 - float(per_day_huber(y_N, forecast_N, training.scale).mean()) / constant if constant > 0.0 else 0.0
