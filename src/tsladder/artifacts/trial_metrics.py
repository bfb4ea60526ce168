"""trial_<number>/metrics.json and all_trials.json: the trials of a panel study's search, as its users read them.

Both exist in the live record of a search from the first trial that ends, and beside its choice once the search has
ended. trials.jsonl remains what later stages read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.artifacts.outcome import PhaseOutcome
from tsladder.artifacts.record import json_of, read_record, text_of, write_record
from tsladder.artifacts.store import write_text
from tsladder.artifacts.validation_figures import ValidationFigures
from tsladder.vocabulary import StopReason

METRICS = "metrics.json"
ALL_TRIALS = "all_trials.json"


class EndedState(StrEnum):
    """State of a trial that has ended, in the words of Optuna. FAIL: it has no finite metric and is never the best."""

    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialMetrics:
    """Metrics of one trial. `trial`: its number in trials.jsonl. `study_key`: identity of the search.

    optimizer, optimizer_settings   class and settings, read back from the object that trained
    validation                      figures of the best weights; None where the trial failed, and for a trial of several
                                    folds, which has no model of its own
    rank_error                      mean rank error on validation by which trials are compared, over all folds
    base_rate_loss                  rank error of no order at all
    phases                          what each phase of the training came to; None for a training without phases, and for
                                    a trial of several folds
    best_phase                      phase of the best weights
    """

    schema: int = 1
    study_key: str
    cell: str
    trial: int
    state: EndedState
    stop_reason: StopReason
    architecture: Mapping[str, int]
    n_params: int | None
    settings: Mapping[str, float]
    optimizer: str | None
    optimizer_settings: Mapping[str, Any] | None
    validation: ValidationFigures | None
    rank_error: float | None
    base_rate_loss: float
    seconds: float
    peak_memory_gib: float | None
    retries: int
    phases: tuple[PhaseOutcome, ...] | None = None
    best_phase: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedTrial:
    """One trial in all_trials.json. `value`: its RankIC on validation; None where it failed or was pruned."""

    number: int
    state: EndedState
    value: float | None
    params: Mapping[str, Any]


def metrics_path(folder: Path, trial: int) -> Path:
    """Return the path of the metrics of one trial below `folder`, a live record or the outputs of a search."""
    return folder / f"trial_{trial}" / METRICS


def read_trial_metrics(path: Path) -> TrialMetrics:
    """Read the metrics at `path`. Raises FileNotFoundError and WorkFailed."""
    return read_record(TrialMetrics, path)


def write_trial_metrics(folder: Path, metrics: Iterable[TrialMetrics]) -> None:
    """Write the metrics of these trials below `folder`; a file that holds them already is not touched."""
    for one in metrics:
        path = metrics_path(folder, one.trial)
        if not path.exists() or path.read_text(encoding="utf-8") != text_of(one):
            write_record(path, one)


def write_all_trials(folder: Path, trials: Sequence[ListedTrial]) -> None:
    """Replace the list of trials in `folder`."""
    write_text(folder / ALL_TRIALS, json.dumps([json_of(trial) for trial in trials], sort_keys=True, indent=1) + "\n")
