"""Permute, turn, show, rank and weigh labels and forecasts for the probes, for each kind of task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.finding import Number
from tsladder.evaluation.baselines import LAST_DAY_RATIO_LOGISTIC
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.evaluation.regression_baselines import LAST_DAY_RATIO_RIDGE
from tsladder.evaluation.regression_metrics import TrainingReturns, correlation, midranks, per_day_huber, scale_of
from tsladder.params import TargetParams

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Of one forecaster over all permutations: the mean of its rank statistic, the pooled z of it, and the mean
    advantage in loss over a constant. `statistic`: auc or ic."""

    statistic: str
    value: float
    z: float
    advantage: float

    def numbers(self, name: str) -> dict[str, Number]:
        return {
            f"{name}_{self.statistic}": round(self.value, 3),
            f"{name}_z": round(self.z, 1),
            f"{name}_advantage": round(self.advantage, 3),
        }

    def words(self) -> str:
        return f"{self.statistic.upper()} {self.value:.2f}"


class Answers(Protocol):
    """The labels of a kind of task."""

    @property
    def linear(self) -> str:
        """The baseline that is linear in the last day's features."""
        ...

    @property
    def linear_name(self) -> str:
        """What numbers and words call it."""
        ...

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """Labels for the same windows that mean nothing."""
        ...

    def turned(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        """Every label turned into its opposite."""
        ...

    def shown(self, y_T: Floats) -> Floats:
        """Each label as a number of size about 1, of which the sign tells most; 0 where it is unknown."""
        ...

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """The rank test of D independent permutations, by the derivation of `audit.shuffled`."""
        ...

    def windows_to_rank(self, value: float, limit: float, permutations: int) -> int:
        """Windows with which a mean statistic of `value` over so many permutations has a z above `limit`."""
        ...

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        """1 - loss / loss of the better constant, that of training or that of these windows themselves."""
        ...


def answers_of(target: TargetParams) -> Answers:
    return ReturnAnswers() if target.regression else ClassAnswers()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassAnswers:
    """Labels 1 and 0, forecasts by their probability."""

    linear: str = LAST_DAY_RATIO_LOGISTIC
    linear_name: str = "logistic"

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """Half of them 1."""
        return rng.permutation((np.arange(len(y_N)) % 2).astype(np.float64))

    def turned(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        return 1.0 - y_N

    def shown(self, y_T: Floats) -> Floats:
        return np.nan_to_num(2.0 * y_T - 1.0)

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """By the AUC of each permutation. The constant is one half: half of training is 1 in every one."""
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
        """From z = (value - 1/2) sqrt(permutations) / sqrt((n + 1) / (3 n^2)), half of the n windows positive, where
        n^2 / (n + 1) is above n - 1."""
        return math.floor(limit**2 / (3.0 * permutations * (value - 0.5) ** 2)) + 2

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        rates = (float(train_y_N.mean()), float(y_N.mean()))
        constant = min(float(per_day_log_loss(y_N, np.full(len(y_N), rate)).mean()) for rate in rates)
        return 1.0 - float(per_day_log_loss(y_N, forecast_N).mean()) / constant if constant > 0.0 else 0.0


def _null_variance(y_N: Floats) -> float:
    """Of the AUC. One class alone has no ranking."""
    positives = float(y_N.sum())
    negatives = len(y_N) - positives
    if positives == 0.0 or negatives == 0.0:
        return math.inf
    return (len(y_N) + 1.0) / (12.0 * positives * negatives)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnAnswers:
    """Labels and forecasts are returns."""

    linear: str = LAST_DAY_RATIO_RIDGE
    linear_name: str = "ridge"

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """The windows' own returns in another order."""
        return rng.permutation(y_N)

    def turned(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        return -y_N

    def shown(self, y_T: Floats) -> Floats:
        return np.nan_to_num(y_T / scale_of(y_T[~np.isnan(y_T)]))

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """By the IC of each permutation: over all orders of n returns Spearman's correlation with any fixed forecast
        has mean 0 and variance 1 / (n - 1), ties or none. A forecast that does not vary has an IC of 0. The constant is
        the mean of the permuted returns, the unit of the loss their own standard deviation."""
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
        """From z = value sqrt(permutations (n - 1))."""
        return math.floor(limit**2 / (permutations * value**2)) + 2

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        training = TrainingReturns.of(train_y_N)
        means = (training.mean, float(y_N.mean()))
        constant = min(float(per_day_huber(y_N, np.full(len(y_N), mean), training.scale).mean()) for mean in means)
        return 1.0 - float(per_day_huber(y_N, forecast_N, training.scale).mean()) / constant if constant > 0.0 else 0.0
