"""How long one cell still takes: stage by stage, those that run again and those that only may."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.console.forecasts import Forecasts
from tsladder.console.freshness import Freshness, Standing
from tsladder.console.live_records import LiveWork, RunningTrial
from tsladder.console.results import CellResults
from tsladder.console.time_to_go import (
    NOTHING,
    STAGES,
    Estimate,
    Forecasted,
    Remaining,
    stage_seconds,
    total,
    trainings,
)
from tsladder.planning.cells import CellPlans
from tsladder.vocabulary import Cell

PHASES = {"hpo": "search", "train": "train", "evaluate": "evaluate"}


def cell_stages(cell: Cell) -> tuple[str, ...]:
    """The stages of one cell, in order, as DVC names them."""
    return tuple(f"{stage}@{cell.budget}-{cell.horizon}" for stage in STAGES)


def cell_to_go(
    plans: CellPlans,
    freshness: Freshness,
    forecasts: Forecasts,
    results: CellResults,
    work: LiveWork | None,
    now: float,
) -> Estimate | None:
    """Until the cell is fresh; None where it is not known."""
    return total(
        stage_to_go(stage, freshness.standing(name), plans, forecasts, results, work, now)
        for stage, name in zip(STAGES, cell_stages(plans.cell), strict=True)
    )


def stage_to_go(
    stage: str,
    standing: Standing,
    plans: CellPlans,
    forecasts: Forecasts,
    results: CellResults,
    work: LiveWork | None,
    now: float,
) -> Estimate | None:
    """Of `stage` (hpo, train or evaluate) of one cell."""
    if standing in (Standing.FRESH, Standing.RESTORED):
        return NOTHING
    forecast = forecasts.cells.get(str(plans.cell))
    running = work.running if work is not None and work.phase == PHASES[stage] else ()
    found: Estimate | None = NOTHING
    if stage == "hpo":
        of_a_trial = None if forecast is None else forecast.of_a_trial
        found = trainings(_search_left(plans, results, running, forecast), of_a_trial, now)
    elif stage == "train":
        found = trainings(_seeds_left(plans, results, running, forecast), forecast, now)
    found = stage_seconds(found, forecasts.factor)
    return found.at_best_nothing() if found is not None and standing is Standing.BEHIND else found


def _search_left(
    plans: CellPlans, results: CellResults, running: tuple[RunningTrial, ...], forecast: Forecasted | None
) -> Remaining:
    ended = len(results.trial_numbers) + results.trials_to_take_over
    open_trials = plans.search.search.trials - ended - len(running)
    return Remaining(
        count=max(0, open_trials),
        running=running,
        side_by_side=_side_by_side(results, running, forecast),
        seconds=results.trial_seconds,
    )


def _seeds_left(
    plans: CellPlans, results: CellResults, running: tuple[RunningTrial, ...], forecast: Forecasted | None
) -> Remaining:
    open_seeds = plans.train.seeds - len(results.seed_seconds) - len(running)
    return Remaining(
        count=max(0, open_seeds),
        running=running,
        side_by_side=_side_by_side(results, running, forecast),
        seconds=tuple(results.seed_seconds.values()) or results.last_model_seconds,
    )


def _side_by_side(results: CellResults, running: Sequence[RunningTrial], forecast: Forecasted | None) -> int:
    return results.workers or len(running) or (1 if forecast is None else forecast.workers)
