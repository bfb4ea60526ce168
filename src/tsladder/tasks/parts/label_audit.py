"""The port `LabelAudit`: permute, invert, encode, rank and score the labels and forecasts of a task for the leak
audit."""

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
    """Rank test of one forecaster over all permutations.

    `statistic`: auc or ic; `value`: its mean over the permutations; `z`: its pooled z; `advantage`: mean advantage in
    loss over a constant.
    """

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
    """Operations on the labels and forecasts of a task that the probes of the audit need."""

    @property
    def linear(self) -> str:
        """Baseline that is linear in the last day's features."""
        ...

    @property
    def linear_name(self) -> str:
        """Name of that baseline in the audit's numbers and words."""
        ...

    def leaking_feature(self, prices: Prices, price: str, horizon: int) -> Floats:
        """Return a feature that leaks the label: for every day but the last `horizon`, a number of size about 1 that
        says how far the prices ahead lie beyond the target of the label.

        For classes it is above 0 if the label is 1.
        """
        ...

    def permuted(self, y_N: Floats, rng: np.random.Generator) -> Floats:
        """Return random labels for the same windows, which carry no information."""
        ...

    def flipped(self, y_N: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return every label turned into its opposite."""
        ...

    def encoded(self, y_T: Floats) -> Floats:
        """Return each label as a number of size about 1 whose sign carries most of the information; 0 if the label is
        unknown."""
        ...

    def rank(self, y_DN: Sequence[Floats], forecast_DN: Sequence[Floats]) -> Ranking:
        """Compute the rank test of D independent permutations, as derived in `audit.shuffled`."""
        ...

    def windows_to_rank(self, value: float, limit: float, permutations: int) -> int:
        """Return the number of windows with which a mean statistic of `value` over so many permutations has a z above
        `limit`."""
        ...

    def skill(self, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating], forecast_N: Floats) -> float:
        """Compute 1 - loss / loss of the better constant, that of the training labels or that of these windows
        themselves."""
        ...
