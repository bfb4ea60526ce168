"""Leak audit of tasks with two classes, whose forecasts are probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import LAST_DAY_RATIO_LOGISTIC
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.tasks.parts.label_audit import Floats, Ranking
from tsladder.tasks.parts.task import Prices

FULL_SCALE = 0.01
"""Distance of a price beyond the target, as a share of the Close, at which the planted feature is clipped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassAudit:
    """Audit of labels 1 and 0 and of forecasts that are probabilities.

    `margin`: function of prices, target.price and horizon that returns how far the prices ahead lie beyond the target,
    as a share of the Close.
    """

    margin: Callable[[Prices, str, int], Floats]
    linear: str = LAST_DAY_RATIO_LOGISTIC
    linear_name: str = "logistic"

    def leaking_feature(self, prices: Prices, price: str, horizon: int) -> Floats:
        return np.clip(self.margin(prices, price, horizon) / FULL_SCALE, -1.0, 1.0)

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """Return labels in random order, half of them 1."""
        return rng.permutation((np.arange(len(y_N)) % 2).astype(np.float64))

    def flipped(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        return 1.0 - y_N

    def encoded(self, y_T: Floats) -> Floats:
        return np.nan_to_num(2.0 * y_T - 1.0)

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """Rank by the AUC of each permutation. The constant forecast is one half, since half of the training labels are
        1 in every permutation."""
        scores = [score_classifier(y_N, p_N) for y_N, p_N in zip(y_DN, forecast_DN, strict=True)]
        aucs = [0.5 if one.auc is None else one.auc for one in scores]
        constant = float(np.mean([per_day_log_loss(y_N, np.full(len(y_N), 0.5)).mean() for y_N in y_DN]))
        return Ranking(
            statistic="auc",
            value=float(np.mean(aucs)),
            z=sum(auc - 0.5 for auc in aucs) / math.sqrt(sum(_null_variance(y_N) for y_N in y_DN)),
            advantage=constant - float(np.mean([one.log_loss for one in scores])),
        )

    def windows_to_rank(self, value: float, limit: float, permutations: int) -> int:
        """Solve z = (value - 1/2) sqrt(permutations) / sqrt((n + 1) / (3 n^2)) for the number of windows n, half of
        them positive, with n^2 / (n + 1) above n - 1."""
        return math.floor(limit**2 / (3.0 * permutations * (value - 0.5) ** 2)) + 2

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        rates = (float(train_y_N.mean()), float(y_N.mean()))
        constant = min(float(per_day_log_loss(y_N, np.full(len(y_N), rate)).mean()) for rate in rates)
        return 1.0 - float(per_day_log_loss(y_N, forecast_N).mean()) / constant if constant > 0.0 else 0.0


def _null_variance(y_N: Floats) -> float:
    """Return the variance of the AUC under the null hypothesis; infinite if there is only one class, which has no
    ranking."""
    positives = float(y_N.sum())
    negatives = len(y_N) - positives
    if positives == 0.0 or negatives == 0.0:
        return math.inf
    return (len(y_N) + 1.0) / (12.0 * positives * negatives)
