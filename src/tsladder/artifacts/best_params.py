"""best_params.json: the configuration that leads a cell's search, in the format that users of the earlier scripts read.

The file exists in the live record from the first scored trial on, and beside the choice once the search has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class BestParams:
    """Leading configuration of a search.

    `training`: training settings and batch size. `number` is the trial that leads by the `objective`; `best_score` is
    its score (higher is better), `best_val_loss` its loss, `best_val_auc` its AUC if that is the objective, and
    `timestamp` the time at which it ended. `search_key`: identity of the search.
    """

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
    """Read the leading configuration from `path`. Raises FileNotFoundError and WorkFailed."""
    return read_record(BestParams, path)


def write_best_params(path: Path, best: BestParams | None) -> None:
    """Replace the leading configuration at `path`; remove the file if `best` is None, since no trial has a score."""
    if best is None:
        path.unlink(missing_ok=True)
        return
    write_record(path, best)
