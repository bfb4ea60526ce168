"""trials.jsonl: one line per attempt at a trial, in the live record of a search and in the search's outputs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.artifacts.store import append_line, canonical, cut_torn_tail, read_lines, set_aside, write_text
from tsladder.errors import WorkFailed

TRIALS = "trials.jsonl"

HERE = "here"
"""Name of the place that is this machine."""

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""Exceptions raised by a line that is damaged or was written by another version."""


class TrialState(StrEnum):
    """State of a trial.

    COMPLETE: it has a loss. PRUNED: it was given up. FAILED: it will never have a loss. INTERRUPTED: it was stopped by
    the user or for heat, and the next start repeats it.
    """

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TakenFrom:
    """Trial of another search whose training is reused for this one: the name of that search's live record, and the
    trial's number there."""

    folder: str
    number: int

    def __str__(self) -> str:
        return f"trial {self.number + 1} of {self.folder}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRecord:
    """One attempt at one trial. `draws` is what the sampler drew, `params` what was trained, `outcome` how training
    ended.

    `identity` identifies the training across searches; records of older versions have none. If the trial was not
    trained here but `taken_from` another search, all measurements are those of that training, seconds included;
    `workers` and `lag`, with which the trial was drawn, are this search's.

    `place` and `kind`: name and kind of the place where it was trained (`tsladder.execution.crew.Slot`); the line of a
    trial that this machine trained has neither.
    """

    number: int
    attempt: int
    state: TrialState
    forced: str | None
    draws: Mapping[str, float | int]
    params: Mapping[str, Any]
    outcome: TrainingOutcome
    base_rate_loss: float
    predicted_memory_gib: float
    device: str
    workers: int
    lag: int
    threads: int
    started_ms: int
    ended_at: str
    identity: str = ""
    taken_from: TakenFrom | None = None
    place: str = HERE
    kind: str = ""

    @property
    def final(self) -> bool:
        return self.state is not TrialState.INTERRUPTED

    @property
    def best_val_loss(self) -> float | None:
        return self.outcome.best_val_loss

    @property
    def val_loss(self) -> float | None:
        """Validation loss of a trial that was trained to its end; None for any other trial, whose loss must not be
        compared."""
        return self.outcome.best_val_loss if self.state is TrialState.COMPLETE else None

    @property
    def val_auc(self) -> float | None:
        return self.outcome.val_auc

    @property
    def shape(self) -> tuple[int, int] | None:
        """Shape (d_model, n_layers), None if the params do not hold both."""
        d_model, n_layers = self.params.get("d_model"), self.params.get("n_layers")
        return None if d_model is None or n_layers is None else (d_model, n_layers)

    def to_json(self) -> dict[str, Any]:
        """Return the line of trials.jsonl, with the outcome's keys among its own."""
        values = {name: getattr(self, name) for name in _SAME_IN_JSON}
        if self.lag == self.workers:
            # As written before `lag` was a field of its own.
            del values["lag"]
        values = {name: value for name, value in values.items() if name not in _LEFT_OUT or _LEFT_OUT[name] != value}
        taken_from = None if self.taken_from is None else dataclasses.asdict(self.taken_from)
        return {**values, **self.outcome.to_json(), "taken_from": taken_from}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TrialRecord:
        """Build a record from its JSON; the inverse of `to_json`.

        Raises KeyError, ValueError, TypeError or AttributeError if `record` is not a trial.
        """
        values = {name: record[name] for name in _SAME_IN_JSON if name in record}
        values["state"] = TrialState(record["state"])
        values.setdefault("lag", record["workers"])
        values["outcome"] = TrainingOutcome.from_json(record, BatchPlan.from_json(record["params"]))
        taken_from = record.get("taken_from")
        return cls(**values, taken_from=None if taken_from is None else TakenFrom(**taken_from))


_LEFT_OUT = {"place": HERE, "kind": ""}
"""Keys with the values at which a line does not have them."""

_SAME_IN_JSON = tuple(
    field.name for field in dataclasses.fields(TrialRecord) if field.name not in ("outcome", "taken_from")
)


def latest(records: Iterable[TrialRecord]) -> dict[int, TrialRecord]:
    """Map each trial number to its last attempt."""
    return {record.number: record for record in records}


def append_trial(path: Path, record: TrialRecord) -> None:
    """Append the line of an attempt and wait until it is on disk."""
    append_line(path, record.to_json())


def write_trials(path: Path, records: Sequence[TrialRecord]) -> None:
    """Replace the file `path` with these attempts."""
    write_text(path, "".join(canonical(record.to_json()) + "\n" for record in records))


def read_trials(path: Path) -> list[TrialRecord]:
    """Read the attempts in `path`; return [] if the file does not exist. A torn last line is left out.

    Raises WorkFailed if another line is damaged or of another version.
    """
    records = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            records.append(TrialRecord.from_json(line))
        except _UNREADABLE as error:
            raise WorkFailed(
                f"{path}, line {number} is damaged, or was written by another version "
                f"({type(error).__name__}: {error}); `tsladder run` trains that trial again"
            ) from None
    return records


def readable_trials(path: Path) -> list[TrialRecord]:
    """Read the attempts in `path`, which another process may be writing, and skip lines that cannot be read."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return []
    records = []
    for line in lines:
        try:
            records.append(TrialRecord.from_json(json.loads(line)))
        except _UNREADABLE:
            continue
    return records


def repair_trials(path: Path, say: Callable[[str], None]) -> list[TrialRecord]:
    """Read the attempts in `path`, of which the caller is the only writer.

    If a line cannot be read, the file is kept under a new name and written again without that line, which `say`
    reports.
    """
    if not path.exists():
        return []
    cut_torn_tail(path)
    text = path.read_bytes()
    records, whole, faults = [], [], []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            records.append(TrialRecord.from_json(json.loads(line)))
            whole.append(line.decode() + "\n")
        except _UNREADABLE as error:
            faults.append(f"line {number} ({error})")
    if faults:
        kept = set_aside(path)
        write_text(path, "".join(whole))
        say(
            f"{path} is damaged, or was written by another version, in {'; '.join(faults)}: it is kept as {kept.name}, "
            f"{len(records)} trials are kept and the others are trained again"
        )
    return records
