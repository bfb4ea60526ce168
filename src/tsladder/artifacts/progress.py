"""progress.json: the trainings that run in a live record at this moment, for display only; no decision depends on
it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import write_json

PROGRESS = "progress.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningTrial:
    """Trial or seed that a worker is training now. Values that are not known are None.

    `epoch` is the last completed epoch, 0 for none; `started`: seconds since 1970; `silent_seconds`: time since the
    worker's last message, pauses not counted; `resident_gib`: resident memory of the worker. `phase`: that of the last
    completed epoch and its number in it, in words; None where the training has no phases.
    """

    number: int
    epoch: int
    epochs: int
    val_loss: float | None = None
    silent_seconds: float | None = None
    resident_gib: float | None = None
    started: float | None = None
    phase: str | None = None

    @property
    def place(self) -> str:
        """Words for the epoch that the training completed last."""
        return f"epoch {self.epoch}/{self.epochs}" if self.phase is None else self.phase


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveProgress:
    """Progress of a search or a retraining.

    `done` of the `total` trainings of a `phase` have ended; `at`: time of writing, seconds since 1970; `paused`: the
    reason of a pause. Values that the file does not hold are None: nothing trains any more, or an older version wrote
    it.
    """

    running: tuple[RunningTrial, ...] = ()
    at: float | None = None
    phase: str | None = None
    done: int | None = None
    total: int | None = None
    paused: str | None = None
    celsius: float | None = None


NOTHING_RUNS = LiveProgress()


def write_progress(path: Path, progress: LiveProgress) -> None:
    """Replace the progress file at `path`, without waiting for the disk: after a loss of power the file is of no use
    anyway."""
    running = [
        {name: value for name, value in dataclasses.asdict(trial).items() if name != "phase" or value is not None}
        for trial in progress.running
    ]
    facts = {field.name: getattr(progress, field.name) for field in dataclasses.fields(progress)}
    known = {"running": []} if progress == NOTHING_RUNS else facts | {"running": running}
    write_json(path, known, durable=False)


def read_progress(path: Path) -> LiveProgress:
    """Read the progress file at `path`; if it is missing, torn or foreign, report that nothing runs."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return NOTHING_RUNS
    if not isinstance(record, dict):
        return NOTHING_RUNS
    listed = record.get("running")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return LiveProgress(
        running=tuple(trial for entry in entries if (trial := _trial(entry)) is not None),
        at=_number(record.get("at")),
        phase=_text(record.get("phase")),
        done=_whole(record.get("done")),
        total=_whole(record.get("total")),
        paused=_text(record.get("paused")),
        celsius=_number(record.get("celsius")),
    )


def _trial(entry: Mapping[str, Any]) -> RunningTrial | None:
    number, epoch, epochs = (_whole(entry.get(name)) for name in ("number", "epoch", "epochs"))
    if number is None or epoch is None or epochs is None:
        return None
    return RunningTrial(
        number=number,
        epoch=epoch,
        epochs=epochs,
        val_loss=_number(entry.get("val_loss")),
        silent_seconds=_number(entry.get("silent_seconds")),
        resident_gib=_number(entry.get("resident_gib")),
        started=_number(entry.get("started")),
        phase=_text(entry.get("phase")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
