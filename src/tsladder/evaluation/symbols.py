"""What one cell scores on each symbol of a study, in a few figures: the same ones for the study's own and for the rest.

Every symbol has its own days, labels and base rate, so losses of two symbols are never compared; skill may be.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from tsladder.evaluation.bootstrap import Interval
from tsladder.evaluation.scores import RegionScores


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolScores:
    """One cell on one region of one symbol.

    `log_loss` (nats) and `auc` are means over the seeds, `auc` None where one class occurs alone. `skill`: 1 - loss /
    loss of the `stricter` constant, which is the pooled training rate's or that of the symbol's own rate in hindsight;
    None where that never errs. `advantage`: paired interval of (constant's loss - model's loss) a day.
    """

    windows: int
    positives: int
    base_rate: float
    first_day: str
    last_day: str
    log_loss: float
    auc: float | None
    stricter: str
    skill: float | None
    advantage: Interval

    @classmethod
    def of(cls, scores: RegionScores) -> SymbolScores:
        return cls(
            windows=scores.windows,
            positives=scores.positives,
            base_rate=scores.base_rate,
            first_day=scores.first_day,
            last_day=scores.last_day,
            log_loss=scores.mean.log_loss,
            auc=scores.mean.auc,
            stricter=scores.stricter,
            skill=scores.skill,
            advantage=scores.advantage,
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
