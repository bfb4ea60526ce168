"""What a search makes best: the validation loss, or the area under the ROC curve on validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.search.trials import TrialRecord, TrialState


@dataclass(frozen=True, slots=True)
class Objective:
    """`name` is `val_loss` or `val_auc`, as in params.yaml."""

    name: str

    def score(self, record: TrialRecord) -> float | None:
        """Higher is better; None for a trial that has none: it did not complete, or its AUC is undefined."""
        if record.state is not TrialState.COMPLETE:
            return None
        if self.name == "val_auc":
            return record.val_auc
        return None if record.best_val_loss is None else -record.best_val_loss

    def best(self, records: Sequence[TrialRecord]) -> TrialRecord | None:
        """The trial of the highest score, the earliest of equals; None when none has a score."""
        scored = [(score, record) for record in records if (score := self.score(record)) is not None]
        return max(scored, key=lambda item: (item[0], -item[1].number), default=(0.0, None))[1]

    def standard_error(self, record: TrialRecord, n_positive: int, n_negative: int) -> float | None:
        """Of the score of a scored trial, as if the validation windows were independent; None where it has none.

        Overlapping windows have more. For the AUC by Hanley and McNeil (1982), equation 1.
        """
        if self.name == "val_loss":
            return record.val_loss_se
        if record.val_auc is None:
            return None
        auc = record.val_auc
        q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        spread = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
        return math.sqrt(max(spread, 0.0) / (n_positive * n_negative))
