"""Where a training under way is kept on disk. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CHECKPOINTS = "checkpoints"
"""Folder of a live record that holds the trainings under way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointPlan:
    """Where and how often a training under way is written to disk, so that it can be continued.

    `folder` belongs to this training alone. `identity`: of everything that decides the training's numbers; a file with
    another identity is never continued. `every_seconds`: at most so much of the training is lost. `predicted_longer`:
    it is expected to take longer than that, so it is written when it is asked to stop as well; otherwise only from the
    moment on at which it has taken so long.
    """

    folder: str
    identity: str
    every_seconds: float
    predicted_longer: bool


def remove_checkpoints(plan: CheckpointPlan | None) -> None:
    """Remove what a training that has ended left there. What was set aside stays."""
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
    """Remove what trainings of the live record `live` that came to no result have left; nothing goes on from them."""
    for folder in sorted((live / CHECKPOINTS).glob("*")):
        _remove(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
