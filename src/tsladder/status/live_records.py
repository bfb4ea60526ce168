"""Read the training in progress on a cell: the live record that a process holds, and its progress.json.

The file is replaced once a second while its writer lives. Files of earlier versions hold less:
what they lack is None, and no worker is reported as stalled because of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tsladder.artifacts.progress import PROGRESS, LiveProgress, RunningTrial, read_progress
from tsladder.locks import is_locked, locked_since
from tsladder.places import Places

STALLED_SECONDS = 120.0
"""Seconds of silence from which a worker or its supervisor is reported as stalled: a worker reports every few seconds,
its supervisor every one."""

PHASES = ("search", "supplementary", "train", "transfer", "pretrain")

_FOLDER = re.compile(r"(?P<cell>.+-h\d+)-(?:(?P<phase>train|supplementary|transfer|pretrain)-)?[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveWork:
    """Work of the process that holds a live record. `done` of `total` of its phase are finished; None where not known.
    `folder`: the live record; None where the work is known from DVC alone.

    `stalled_seconds`: the longest silence of a worker or of their supervisor, where it exceeds STALLED_SECONDS.
    """

    phase: str
    running: tuple[RunningTrial, ...] = ()
    done: int | None = None
    total: int | None = None
    paused: str | None = None
    celsius: float | None = None
    stalled_seconds: float | None = None
    folder: Path | None = None

    @property
    def resident_gib(self) -> float | None:
        """Memory of all workers together; None where none reports it."""
        known = [trial.resident_gib for trial in self.running if trial.resident_gib is not None]
        return sum(known) if known else None


def live_folders(places: Places) -> Mapping[str, Sequence[tuple[str, Path]]]:
    """Return cell name -> (phase, folder) of every live record; records that were set aside are not included."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for folder in _inside(places.studies):
        match = _FOLDER.fullmatch(folder.name)
        if match is not None:
            found.setdefault(match["cell"], []).append((match["phase"] or "search", folder))
    return found


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def live_work(folders: Sequence[tuple[str, Path]], now: float) -> LiveWork | None:
    """Return the work in that live record of a cell which a process holds at `now`; None where none is held."""
    for phase, folder in folders:
        if is_locked(folder):
            work = work_of(read_progress(folder / PROGRESS), phase, now, held_since=locked_since(folder))
            return replace(work, folder=folder)
    return None


def held_gib(places: Places, now: float) -> float:
    """Return the memory in GiB that running trainings of all studies of the project hold at `now`, as far as their
    records report it. Pages shared by several processes are counted for each."""
    records = [record for folder in _inside(places.every_study) for record in (folder, *_inside(folder))]
    works = [live_work([("search", record)], now) for record in records if _FOLDER.fullmatch(record.name)]
    return sum(work.resident_gib or 0.0 for work in works if work is not None)


def work_of(progress: LiveProgress, phase: str, now: float, held_since: float = 0.0) -> LiveWork:
    """Return the work that `progress` describes for a held live record of `phase`. A file left by an earlier holder
    that was killed gives the phase alone. All times are seconds since 1970."""
    if progress.at is not None and progress.at < held_since:
        return LiveWork(phase=phase)
    seconds_since_update = 0.0 if progress.at is None else max(0.0, now - progress.at)
    phase_written = progress.phase if progress.phase in PHASES else None
    return LiveWork(
        phase=phase_written or phase,
        running=progress.running,
        done=progress.done,
        total=progress.total,
        paused=progress.paused,
        celsius=progress.celsius,
        # Only files with a phase are updated between epochs; older versions wrote none.
        stalled_seconds=None if phase_written is None else _stalled(progress.running, seconds_since_update),
    )


def _stalled(running: Sequence[RunningTrial], seconds_since_update: float) -> float | None:
    silences = [trial.silent_seconds for trial in running if trial.silent_seconds is not None]
    longest = max(silences, default=0.0) + seconds_since_update
    return longest if longest > STALLED_SECONDS else None
