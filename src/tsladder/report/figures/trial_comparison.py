"""Figure by which a picture compares trials: the objective of their search, which also chose its winner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tsladder.artifacts.trials import TrialRecord
from tsladder.report.facts import Facts
from tsladder.search.objective import VAL_AUC, Objective

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

_SHARE = 0.1
"""Share of the worst figures that get the last colour, so that one outlier does not grey out the rest."""


@dataclass(frozen=True, slots=True)
class TrialComparison:
    """Comparison of trials by the objective of their search; `unit` is that of the loss."""

    objective: Objective
    unit: str

    @property
    def by_auc(self) -> bool:
        return self.objective.name == VAL_AUC

    @property
    def words(self) -> str:
        return "AUC on validation" if self.by_auc else "validation loss"

    @property
    def label(self) -> str:
        return self.words if self.by_auc else f"{self.words} ({self.unit})"

    @property
    def colours(self) -> str:
        """Colour map in which the best figure is bright."""
        return "viridis" if self.by_auc else "viridis_r"

    @property
    def extends(self) -> str:
        """End of the colour bar beyond which worse figures lie."""
        return "min" if self.by_auc else "max"

    def figure(self, trial: TrialRecord) -> float | None:
        """Return the AUC or the loss of `trial`; None where it has no figure to be compared by."""
        score = self.objective.score(trial)
        return None if score is None else self._of_score(score)

    def best(self, trials: Sequence[TrialRecord]) -> float | None:
        """Return the figure of the leading trial; None where there is none."""
        leader = self.objective.best(trials)
        return None if leader is None else self.figure(leader)

    def scale(self, figures: Sequence[float]) -> Normalize:
        """Return the colour scale, from the best figure to the quantile beyond which the worst tenth lies."""
        from matplotlib.colors import Normalize

        low, high = min(figures), max(figures)
        if self.by_auc:
            low = min(float(np.quantile(figures, _SHARE)), high - 1e-6)
        else:
            high = max(float(np.quantile(figures, 1.0 - _SHARE)), low + 1e-6)
        return Normalize(low, high, clip=True)

    def _of_score(self, score: float) -> float:
        return score if self.by_auc else -score


def trial_comparison(facts: Facts) -> TrialComparison:
    return TrialComparison(Objective(facts.params.search.objective), facts.task_words.unit)
