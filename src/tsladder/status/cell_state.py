"""Read the state of one cell: from its outputs, its live records, and the time that it still takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsladder.artifacts.progress import RunningTrial
from tsladder.errors import WorkFailed
from tsladder.places import Places
from tsladder.planning.plans import CellPlans
from tsladder.planning.time_left import NOTHING, STAGES, Estimate
from tsladder.results.file_cache import FileCache
from tsladder.results.gathering import CurrentOutputs
from tsladder.status.cell_results import (
    NO_RESULTS,
    BestConfiguration,
    CellResults,
    has_outdated_outputs,
    read_results,
)
from tsladder.status.freshness import Freshness
from tsladder.status.live_records import LiveWork, live_work
from tsladder.status.time_to_go import PHASES, Forecasts, cell_stages, cell_time_left
from tsladder.vocabulary import Cell

NOT_PLANNED, PENDING, RUNNING, FRESH, STALE, FAILED = (
    "not_planned",
    "pending",
    "running",
    "fresh",
    "stale",
    "failed",
)
INPUT_STAGES = ("features", "splits")


@dataclass(frozen=True, kw_only=True, slots=True)
class CellState:
    """State of one cell: `state` is not_planned, pending, running, fresh, stale or failed. Unknown figures are None.

    Every figure belongs to the current question: for a stale cell only the trials of that question are counted.
    `best_...`: the trial that leads the search by its `objective`; a higher score is better. `phase`: the work in
    progress (search, supplementary, train, transfer, pretrain or evaluate), followed by how much of it is done;
    None where no work is known. `reason`: why the cell has failed, or which of its files cannot be read.
    """

    state: str
    trials_done: int = 0
    trials_total: int = 0
    objective: str | None = None
    best_score: float | None = None
    best_val_loss: float | None = None
    best_val_auc: float | None = None
    best_configuration: BestConfiguration | None = None
    test_loss: float | None = None
    skill: float | None = None
    seconds_spent: float | None = None
    seconds_to_go: float | None = None
    seconds_to_go_low: float | None = None
    seconds_to_go_high: float | None = None
    reason: str | None = None
    stop_reasons: Mapping[str, int] = field(default_factory=dict)
    seeds_done: int = 0
    seeds_total: int = 0
    phase: str | None = None
    phase_done: int | None = None
    phase_total: int | None = None
    running: tuple[RunningTrial, ...] = ()
    paused: str | None = None
    celsius: float | None = None
    resident_gib: float | None = None
    stalled_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellReading:
    """State of a cell, with the results and the work from which it was read."""

    state: CellState
    results: CellResults
    work: LiveWork | None


def read_cell_state(
    places: Places,
    plans: CellPlans,
    freshness: Freshness,
    forecasts: Forecasts,
    live: Sequence[tuple[str, Path]],
    now: float,
    stages_running: Sequence[str],
    files: FileCache,
) -> CellReading:
    """Read one cell at `now`, with its live records `live` (phase, folder); `stages_running`: stages that DVC runs now.

    A damaged file of the cell becomes its `reason`, and hides no other cell.
    """
    if not plans.planned:
        return CellReading(state=CellState(state=NOT_PLANNED), results=NO_RESULTS, work=None)
    cell = plans.cell
    current = current_outputs_of(cell, freshness)
    work = _current_work(cell, live_work(live, now), stages_running)
    results, unreadable = _results(places, plans, current, files)
    if work is not None:
        state = RUNNING
    elif current.scores:
        state = FRESH if results.failure is None else FAILED
    else:
        state = STALE if has_outdated_outputs(places, cell, current) else PENDING
    to_go = cell_time_left(plans, freshness, forecasts, results, work, now)
    if to_go is None and state == FAILED:
        # The next run retries the cell; a cell that cannot be trained here must not hide the time of all others.
        to_go = NOTHING
    found = CellState(
        state=state,
        trials_done=len(results.trial_numbers),
        trials_total=plans.search.search.trials,
        objective=plans.search.search.objective,
        best_score=results.best_score,
        best_val_loss=results.best_val_loss,
        best_val_auc=results.best_val_auc,
        best_configuration=results.best_configuration,
        test_loss=results.test_loss,
        skill=results.skill,
        seconds_spent=results.seconds_spent,
        **seconds_fields(to_go),
        reason=unreadable or (results.failure if state == FAILED else None),
        stop_reasons=results.stop_reasons,
        seeds_done=len(results.seed_seconds),
        seeds_total=plans.train.seeds,
        **({} if work is None else _progress_fields(work)),
    )
    return CellReading(state=found, results=results, work=work)


def _results(
    places: Places, plans: CellPlans, current: CurrentOutputs, files: FileCache
) -> tuple[CellResults, str | None]:
    """Return the results of the cell; or empty ones, and why they cannot be read."""
    try:
        return read_results(places, plans, current, files), None
    except (WorkFailed, OSError) as error:
        return NO_RESULTS, str(error)
    except (KeyError, TypeError, ValueError) as error:
        return NO_RESULTS, f"its files are damaged, or were written by another version ({error!r})"


def current_outputs_of(cell: Cell, freshness: Freshness) -> CurrentOutputs:
    inputs = all(freshness.is_current(stage) for stage in INPUT_STAGES)
    search, train, scores = (freshness.is_current(stage) for stage in cell_stages(cell))
    return CurrentOutputs(
        inputs=inputs,
        search=inputs and search,
        train=inputs and search and train,
        scores=inputs and search and train and scores,
    )


def _current_work(cell: Cell, live: LiveWork | None, stages_running: Sequence[str]) -> LiveWork | None:
    """Return the work on the cell by its live record, otherwise by the stage that DVC runs."""
    if live is not None:
        return live
    running = [stage for stage, name in zip(STAGES, cell_stages(cell), strict=True) if name in stages_running]
    return LiveWork(phase=PHASES[running[-1]]) if running else None


def _progress_fields(work: LiveWork) -> dict[str, Any]:
    return {
        "phase": work.phase,
        "phase_done": work.done,
        "phase_total": work.total,
        "running": work.running,
        "paused": work.paused,
        "celsius": work.celsius,
        "resident_gib": work.resident_gib,
        "stalled_seconds": work.stalled_seconds,
    }


def seconds_fields(estimate: Estimate | None) -> dict[str, Any]:
    return {
        "seconds_to_go": None if estimate is None else round(estimate.expected, 1),
        "seconds_to_go_low": None if estimate is None else round(estimate.low, 1),
        "seconds_to_go_high": None if estimate is None else round(estimate.high, 1),
    }


def estimate_of(cell: CellState) -> Estimate | None:
    ends = cell.seconds_to_go, cell.seconds_to_go_low, cell.seconds_to_go_high
    if None in ends:
        return None
    return Estimate(expected=ends[0] or 0.0, low=ends[1] or 0.0, high=ends[2] or 0.0)
