"""The record of one trial, as it stands in trials.jsonl. No optuna, no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tsladder.search.configuration import Value
from tsladder.training.heat import ThermalLevel
from tsladder.training.outcome import FoldOutcome
from tsladder.vocabulary import StopReason


class TrialState(StrEnum):
    """COMPLETE has a loss; PRUNED was given up; FAILED never will have one; INTERRUPTED, by a wish or by heat, is
    redone by the next start."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TakenFrom:
    """The trial of another search that was trained: the name of that search's live record, and its number there."""

    folder: str
    number: int

    def __str__(self) -> str:
        return f"trial {self.number + 1} of {self.folder}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRecord:
    """One attempt at one trial. `draws` is what the sampler drew, `params` what was trained.

    `identity` says which training it is, in whatever search; older records have none. Where it was not trained here but
    `taken_from` another search, all that was measured is of that training, seconds included; `workers` and `lag`, with
    which it was drawn, are this search's.

    `celsius` and `thermal` are the highest temperature and level read while it ran (None and UNKNOWN where no sensor
    answered); `seconds` and `train_seconds` are of the clock and include the `paused_seconds`.
    `curve` holds (optimizer steps so far, validation loss) after each epoch, `train_losses` the training losses there,
    `val_aucs` the AUCs there, empty where they were not monitored. Where the trial walked forward, losses are means
    over its `folds`, and these hold the epochs of all of them in turn. `resumed_at`: optimizer steps that came from the
    checkpoint of an interrupted attempt.
    """

    number: int
    attempt: int
    state: TrialState
    stop_reason: StopReason
    forced: str | None
    draws: Mapping[str, Value]
    params: Mapping[str, Any]
    n_params: int | None
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    base_rate_loss: float
    train_losses: tuple[float, ...]
    epochs_run: int
    curve: tuple[tuple[int, float], ...]
    retries: int
    peak_memory_gib: float | None
    predicted_memory_gib: float
    seconds: float
    train_seconds: float
    celsius: float | None
    thermal: ThermalLevel
    pauses: int
    paused_seconds: float
    device: str
    workers: int
    lag: int
    threads: int
    started_ms: int
    ended_at: str
    message: str
    val_aucs: tuple[float, ...] = ()
    folds: tuple[FoldOutcome, ...] = ()
    resumed_at: int = 0
    identity: str = ""
    taken_from: TakenFrom | None = None

    @property
    def train_loss(self) -> float | None:
        """Of the last epoch."""
        return self.train_losses[-1] if self.train_losses else None

    @property
    def final(self) -> bool:
        return self.state is not TrialState.INTERRUPTED

    def to_record(self) -> dict[str, Any]:
        record = dataclasses.asdict(self)
        if self.lag == self.workers:
            # As it was written before the two were told apart.
            del record["lag"]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> TrialRecord:
        values = dict(record)
        values.setdefault("lag", values["workers"])
        values["state"] = TrialState(values["state"])
        values["stop_reason"] = StopReason(values["stop_reason"])
        values["thermal"] = ThermalLevel(values["thermal"])
        values["train_losses"] = tuple(float(loss) for loss in values["train_losses"])
        values["val_aucs"] = tuple(float(auc) for auc in values.get("val_aucs", ()))
        values["curve"] = tuple((int(step), float(loss)) for step, loss in values["curve"])
        folds = [{**fold, "stop_reason": StopReason(fold["stop_reason"])} for fold in values.get("folds", [])]
        values["folds"] = tuple(FoldOutcome(**fold) for fold in folds)
        taken_from = values.get("taken_from")
        values["taken_from"] = None if taken_from is None else TakenFrom(**taken_from)
        return cls(**values)


def taken_up_again(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """`records` as the next start goes on from them.

    Where no trial has a loss yet, those that failed for the machine count as interrupted: a cell must not stay without
    a winner for what happened around its search. Beside trials that have a loss they stay as they ended, so that a
    finished search is never changed.
    """
    if any(record.state is TrialState.COMPLETE for record in records):
        return list(records)
    return [
        dataclasses.replace(record, state=TrialState.INTERRUPTED) if record.stop_reason.by_machine else record
        for record in records
    ]


def latest(records: Sequence[TrialRecord]) -> dict[int, TrialRecord]:
    """Trial number -> its last attempt."""
    return {record.number: record for record in records}
