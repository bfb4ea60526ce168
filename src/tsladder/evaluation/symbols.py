"""What one cell scores on each symbol of a study, in a few figures: the same ones for the study's own and for the rest.

Every symbol has its own days, labels and base rate, so losses of two symbols are never compared; skill may be.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from tsladder.evaluation.bootstrap import Interval
from tsladder.evaluation.region import Scores


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolScores:
    """One cell on one region of one symbol.

    `loss` is that of the task, `auc` or for returns `ic` its ranking, means over the seeds; the ranking that does not
    apply or is undefined is None. `skill`: 1 - loss / loss of the `stricter` constant, which is the pooled training
    region's or that of the symbol's own region in hindsight;
    None where that never errs. `advantage`: paired interval of (constant's loss - model's loss) a day.
    """

    windows: int
    positives: int
    base_rate: float
    first_day: str
    last_day: str
    loss: float
    auc: float | None
    ic: float | None
    stricter: str
    skill: float | None
    advantage: Interval

    @classmethod
    def of(cls, scores: Scores, metric: str) -> SymbolScores:
        """`metric`: name of the task's loss."""
        return cls(
            windows=scores.windows,
            positives=scores.positives,
            base_rate=scores.base_rate,
            first_day=scores.first_day,
            last_day=scores.last_day,
            loss=getattr(scores.mean, metric),
            auc=getattr(scores.mean, "auc", None),
            ic=getattr(scores.mean, "ic", None),
            stricter=scores.stricter,
            skill=scores.skill,
            advantage=scores.advantage,
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
