"""Plan of the checkpoints of a running training. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = "checkpoints"
"""Folder of a live record that holds the checkpoints of running trainings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointPlan:
    """Plan of where and how often a running training is written to disk, so that it can be continued.

    `folder` belongs to this training alone. `identity`: of everything that decides the training's numbers; a file with
    another identity is never continued. `every_seconds`: at most this much of the training is lost. `predicted_longer`:
    the training is expected to take longer than that, so it is also written when asked to stop; otherwise it is written
    only once it has taken that long.
    """

    folder: str
    identity: str
    every_seconds: float
    predicted_longer: bool


def remove_checkpoints(plan: CheckpointPlan | None) -> None:
    """Remove the checkpoints of a training that has ended. Files that were set aside stay."""
    if plan is not None:
        _remove(Path(plan.folder))


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            _remove_if_empty(path)
        elif ".aside-" not in path.name:
            path.unlink()
    _remove_if_empty(folder)
    _remove_if_empty(folder.parent)


def clear_checkpoints(live: Path) -> None:
    """Remove the checkpoints of trainings in the live record `live` that came to no result; nothing goes on from
    them."""
    for folder in sorted((live / CHECKPOINTS).glob("*")):
        _remove(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
