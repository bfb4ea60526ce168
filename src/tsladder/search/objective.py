"""Objective of a search: the validation loss, or the area under the ROC curve on validation.

This is the one definition of a cell's best: `Objective.best` is the leading trial, and whatever is called best of the
cell (its loss, score, AUC or configuration) is that trial's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tsladder.artifacts.trials import TrialRecord, TrialState

VAL_LOSS, VAL_AUC = "val_loss", "val_auc"


class Trial(Protocol):
    """Figures of a trial that an objective compares, from whichever record they were read."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def best_val_loss(self) -> float | None: ...
    @property
    def val_auc(self) -> float | None: ...


T = TypeVar("T", bound=Trial)


@dataclass(frozen=True, slots=True)
class Objective:
    """Objective of a search; `name` is `val_loss` or `val_auc`, as in params.yaml."""

    name: str

    def score(self, trial: Trial) -> float | None:
        """Return the AUC, or minus the loss: higher is better. None for a trial without a score: it did not complete,
        or its AUC is undefined."""
        if trial.state != TrialState.COMPLETE:
            return None
        if self.name == VAL_AUC:
            return trial.val_auc
        return None if trial.best_val_loss is None else -trial.best_val_loss

    def best(self, trials: Sequence[T]) -> T | None:
        """Return the trial with the highest score, the earliest among equals; None when none has a score."""
        scored = [(score, trial) for trial in trials if (score := self.score(trial)) is not None]
        return max(scored, key=lambda item: (item[0], -item[1].number))[1] if scored else None

    def figures(self, leader: Trial | None) -> dict[str, float | None]:
        """Return the figures of the leading trial that every file and page shows, by name; `best_val_auc` only where
        the search optimises the AUC. All are None where there is no leader."""
        if leader is None:
            return {"best_score": None, "best_val_loss": None, "best_val_auc": None}
        return {
            "best_score": self.score(leader),
            "best_val_loss": leader.best_val_loss,
            "best_val_auc": leader.val_auc if self.name == VAL_AUC else None,
        }

    def describe(self, trial: Trial) -> str:
        """Describe a trial's objective with its name, and beside an AUC the loss that belongs to it."""
        loss = None if trial.best_val_loss is None else f"val_loss {trial.best_val_loss:.4f}"
        if loss is None or self.name == VAL_LOSS:
            return loss or "no loss"
        return f"{'no val_auc' if trial.val_auc is None else f'val_auc {trial.val_auc:.4f}'} ({loss})"

    def describe_leader(self, leader: Trial | None) -> str:
        """Describe the best figure so far, and the trial that has it."""
        if leader is None:
            return f"none has a {self.name}"
        return f"best {self.describe(leader)} in trial {leader.number + 1}"

    def standard_error(self, record: TrialRecord, n_positive: int, n_negative: int) -> float | None:
        """Return the standard error of a scored trial's score, as if the validation windows were independent; None
        where it has none.

        With overlapping windows the true error is larger. For the AUC by Hanley and McNeil (1982), equation 1.
        """
        if self.name == VAL_LOSS:
            return record.outcome.val_loss_se
        if record.val_auc is None:
            return None
        auc = record.val_auc
        q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
        spread = auc * (1 - auc) + (n_positive - 1) * (q1 - auc**2) + (n_negative - 1) * (q2 - auc**2)
        return math.sqrt(max(spread, 0.0) / (n_positive * n_negative))
