"""best_params.json: the configuration that leads a cell's search, in the form that users of the earlier scripts read.

It lies in the live record from the first trial with a score on, and beside the choice when the search has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class BestParams:
    """`training`: settings and batch size. `best_...` are those of trial `number`, which leads by the `objective`: its
    score (higher is better), its loss, its AUC where that is the objective. `timestamp`: when that trial ended.
    `search_key`: identity of the search."""

    experiment: str
    architecture: Mapping[str, int]
    training: Mapping[str, float]
    param_count: int | None
    objective: str | None = None
    best_score: float | None = None
    best_val_loss: float | None
    best_val_auc: float | None = None
    number: int | None = None
    n_trials: int
    timestamp: str
    search_key: str | None = None


def read_best_params(path: Path) -> BestParams:
    """Raises FileNotFoundError and WorkFailed."""
    return read_record(BestParams, path)


def write_best_params(path: Path, best: BestParams | None) -> None:
    """Replace `path`; None: no trial has a score, and no file stays."""
    if best is None:
        path.unlink(missing_ok=True)
        return
    write_record(path, best)
