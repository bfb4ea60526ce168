"""trials.jsonl: a line an attempt at a trial, in the live record of a search and in what it leaves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.artifacts.outcome import BatchPlan, Outcome
from tsladder.artifacts.store import append_line, canonical, cut_torn_tail, read_lines, set_aside, write_text
from tsladder.errors import WorkFailed

TRIALS = "trials.jsonl"

_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a line raises that is damaged or was written by another version."""


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
    """One attempt at one trial. `draws` is what the sampler drew, `params` what was trained, `outcome` how it ended.

    `identity` says which training it is, in whatever search; older records have none. Where it was not trained here but
    `taken_from` another search, all that was measured is of that training, seconds included; `workers` and `lag`, with
    which it was drawn, are this search's.
    """

    number: int
    attempt: int
    state: TrialState
    forced: str | None
    draws: Mapping[str, float | int]
    params: Mapping[str, Any]
    outcome: Outcome
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

    @property
    def final(self) -> bool:
        return self.state is not TrialState.INTERRUPTED

    @property
    def best_val_loss(self) -> float | None:
        return self.outcome.best_val_loss

    @property
    def val_loss(self) -> float | None:
        """Of a trial that was trained to its end; one that ended otherwise has none that others are compared with."""
        return self.outcome.best_val_loss if self.state is TrialState.COMPLETE else None

    @property
    def val_auc(self) -> float | None:
        return self.outcome.val_auc

    @property
    def shape(self) -> tuple[int, int] | None:
        """(d_model, n_layers), where its params have them."""
        d_model, n_layers = self.params.get("d_model"), self.params.get("n_layers")
        return None if d_model is None or n_layers is None else (d_model, n_layers)

    def to_json(self) -> dict[str, Any]:
        """The line of trials.jsonl, with the outcome's keys among its own."""
        values = {name: getattr(self, name) for name in _SAME_IN_JSON}
        if self.lag == self.workers:
            # As it was written before the two were told apart.
            del values["lag"]
        taken_from = None if self.taken_from is None else dataclasses.asdict(self.taken_from)
        return {**values, **self.outcome.to_json(), "taken_from": taken_from}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TrialRecord:
        """The inverse of `to_json`. Raises KeyError, ValueError, TypeError or AttributeError for what is no trial."""
        values = {name: record[name] for name in _SAME_IN_JSON if name in record}
        values["state"] = TrialState(record["state"])
        values.setdefault("lag", record["workers"])
        values["outcome"] = Outcome.from_json(record, BatchPlan.from_json(record["params"]))
        taken_from = record.get("taken_from")
        return cls(**values, taken_from=None if taken_from is None else TakenFrom(**taken_from))


_SAME_IN_JSON = tuple(
    field.name for field in dataclasses.fields(TrialRecord) if field.name not in ("outcome", "taken_from")
)


def latest(records: Iterable[TrialRecord]) -> dict[int, TrialRecord]:
    """Trial number -> its last attempt."""
    return {record.number: record for record in records}


def append_trial(path: Path, record: TrialRecord) -> None:
    """Have the line of an attempt on disk before returning."""
    append_line(path, record.to_json())


def write_trials(path: Path, records: Sequence[TrialRecord]) -> None:
    """Replace the file `path` by these attempts."""
    write_text(path, "".join(canonical(record.to_json()) + "\n" for record in records))


def read_trials(path: Path) -> list[TrialRecord]:
    """The attempts in `path`, [] when it does not exist; a torn last line is left out.

    Raises WorkFailed where another line is damaged or of another version.
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
    """The attempts in `path`, which may be in use, without what cannot be read."""
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
    """The attempts in `path`, which the caller alone writes to.

    Where a line cannot be read the file is kept under a new name and written again without it, which is said.
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
            f"{len(records)} trials go on from it, the others are trained again"
        )
    return records
