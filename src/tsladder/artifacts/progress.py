"""progress.json: what trains in a live record at this moment, for people. Nothing else is decided by it."""

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
    """A trial, or a seed, that a worker trains now; None where it is not known.

    `epoch` is the last one that ended, 0 for none; `started`: seconds since 1970; `silent_seconds`: since the worker
    last said anything, those of a pause not counted; `resident_gib`: what it holds in memory.
    """

    number: int
    epoch: int
    epochs: int
    val_loss: float | None = None
    silent_seconds: float | None = None
    resident_gib: float | None = None
    started: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """`done` of the `total` trainings of a `phase` have ended; `at`: when it was written, seconds since 1970; `paused`:
    what for. None where the file does not say: nothing trains any more, or an older version wrote it."""

    running: tuple[RunningTrial, ...] = ()
    at: float | None = None
    phase: str | None = None
    done: int | None = None
    total: int | None = None
    paused: str | None = None
    celsius: float | None = None


NOTHING_RUNS = Progress()


def write_progress(path: Path, progress: Progress) -> None:
    """Replace `path`. Nobody waits for the disk: what a loss of power takes is of no use any more."""
    running = [dataclasses.asdict(trial) for trial in progress.running]
    facts = {field.name: getattr(progress, field.name) for field in dataclasses.fields(progress)}
    known = {"running": []} if progress == NOTHING_RUNS else facts | {"running": running}
    write_json(path, known, durable=False)


def read_progress(path: Path) -> Progress:
    """What the file says; of one that is missing, torn or foreign, nothing."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return NOTHING_RUNS
    if not isinstance(record, dict):
        return NOTHING_RUNS
    listed = record.get("running")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return Progress(
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
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
