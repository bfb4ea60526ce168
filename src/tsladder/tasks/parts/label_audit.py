"""The port `LabelAudit`: permute, turn, show, rank and weigh the labels and forecasts of a task for the leak audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.tasks.parts.task import Prices

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Of one forecaster over all permutations: the mean of its rank statistic, the pooled z of it, and the mean
    advantage in loss over a constant. `statistic`: auc or ic."""

    statistic: str
    value: float
    z: float
    advantage: float

    def numbers(self, name: str) -> dict[str, float]:
        return {
            f"{name}_{self.statistic}": round(self.value, 3),
            f"{name}_z": round(self.z, 1),
            f"{name}_advantage": round(self.advantage, 3),
        }

    def words(self) -> str:
        return f"{self.statistic.upper()} {self.value:.2f}"


class LabelAudit(Protocol):
    """The labels and forecasts of a task, as the probes of the audit handle them."""

    @property
    def linear(self) -> str:
        """The baseline that is linear in the last day's features."""
        ...

    @property
    def linear_name(self) -> str:
        """What numbers and words call it."""
        ...

    def given_away(self, prices: Prices, price: str, horizon: int) -> Floats:
        """A number of size about 1 a day but the last `horizon` that gives the label away: how far prices of the days
        ahead lie beyond what the label asks. Above 0 where a class is 1."""
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
