"""Estimate how long one cell still takes, stage by stage.

The estimate follows from the trainings that have ended, otherwise from the forecast of `tsladder plan`. A stage that
runs only if an earlier stage leaves something else counts in the estimate and its upper end, but not in the lower one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsladder.artifacts.progress import RunningTrial
from tsladder.errors import BadInput, WorkFailed
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.machine import needs_torch, survey
from tsladder.planning.plans import CellPlans
from tsladder.planning.run_length import run_length_on_disk
from tsladder.planning.rung_layout import lay_out_cells, training_time
from tsladder.planning.time_left import (
    NOTHING,
    STAGES,
    Estimate,
    Remaining,
    TrainingForecast,
    stage_seconds,
    total,
    training_time_left,
)
from tsladder.search.forced_trials import forced_by_cell
from tsladder.status.cell_results import CellResults
from tsladder.status.freshness import Freshness, StageState
from tsladder.status.live_records import LiveWork, held_gib
from tsladder.status.pretraining_to_go import is_pretrained, pretraining_time_left
from tsladder.vocabulary import Cell

PHASES = {"hpo": "search", "train": "train", "evaluate": "evaluate", "pretrain": "pretrain"}

PRETRAIN = "pretrain"
"""Stage of each cell of a panel study, which compares its winner with one that was pretrained, where that is asked
for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecasts:
    """Forecast of one training by cell name, where known. `factor`: how many times slower this machine is than the
    default rates. `note`: why there are no forecasts, where the user has to do something about it."""

    cells: Mapping[str, TrainingForecast]
    factor: float = 1.0
    note: str | None = None


def read_forecasts(places: Places, params: AnyParams) -> Forecasts:
    """Forecast a training of each cell from the splits on disk, without loading a device library. Where a run would be
    refused there are no forecasts, and a note says why."""
    if needs_torch(params.hardware):
        return Forecasts(cells={})
    try:
        machine = survey(params.hardware, places.calibration, ours_gib=held_gib(places, time.time()))
        forced = {cell: admitted.forced for cell, admitted in forced_by_cell(places, params).items()}
        runs = {horizon: run_length_on_disk(places, params, horizon) for horizon in params.horizons}
        layouts = lay_out_cells(places, params, machine, forced)
    except (BadInput, WorkFailed) as refusal:
        return Forecasts(cells={}, note=f"times to come are not known: {refusal}")
    found = {}
    for cell, layout in layouts.items():
        one = training_time(layout, machine, runs[cell.horizon])
        if one is not None:
            found[str(cell)] = TrainingForecast(
                expected=one.expected,
                at_most=one.at_most,
                workers=layout.workers,
                trial_factor=one.trial_expected / one.expected,
            )
    return Forecasts(cells=found, factor=1.0 if machine.rates is None else machine.rates.factor)


def cell_stages(cell: Cell) -> tuple[str, ...]:
    """Return the names of the stages of one cell, in order, as DVC names them."""
    return tuple(f"{stage}@{cell.budget}-{cell.horizon}" for stage in STAGES)


def timed_stages(plans: CellPlans) -> dict[str, str]:
    """Return the stages of one cell whose time is estimated -> their names as DVC has them: the stage pretrain where
    the question asks for it."""
    kinds = (*STAGES, PRETRAIN) if is_pretrained(plans) else STAGES
    return {kind: f"{kind}@{plans.cell.budget}-{plans.cell.horizon}" for kind in kinds}


def cell_time_left(
    plans: CellPlans,
    freshness: Freshness,
    forecasts: Forecasts,
    results: CellResults,
    work: LiveWork | None,
    now: float,
) -> Estimate | None:
    """Estimate the time until the cell is fresh; None where it is not known."""
    return total(
        stage_time_left(stage, freshness.stage_state(name), plans, forecasts, results, work, now)
        for stage, name in timed_stages(plans).items()
    )


def stage_time_left(
    stage: str,
    stage_state: StageState,
    plans: CellPlans,
    forecasts: Forecasts,
    results: CellResults,
    work: LiveWork | None,
    now: float,
) -> Estimate | None:
    """Estimate the time of `stage` (hpo, train, evaluate or pretrain) of one cell; None where it is not known."""
    if stage_state in (StageState.FRESH, StageState.RESTORED):
        return NOTHING
    forecast = forecasts.cells.get(str(plans.cell))
    running = work.running if work is not None and work.phase == PHASES[stage] else ()
    found: Estimate | None = NOTHING
    if stage == "hpo":
        for_a_trial = None if forecast is None else forecast.for_a_trial
        found = training_time_left(_search_left(plans, results, running, forecast), for_a_trial, now)
    elif stage == "train":
        found = training_time_left(_seeds_left(plans, results, running, forecast), forecast, now)
    elif stage == PRETRAIN:
        at_once = _side_by_side(results, running, forecast)
        found = pretraining_time_left(plans, results, work, forecast, now, at_once)
    found = stage_seconds(found, forecasts.factor)
    return found.possibly_nothing() if found is not None and stage_state is StageState.BEHIND else found


def _search_left(
    plans: CellPlans, results: CellResults, running: tuple[RunningTrial, ...], forecast: TrainingForecast | None
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
    plans: CellPlans, results: CellResults, running: tuple[RunningTrial, ...], forecast: TrainingForecast | None
) -> Remaining:
    open_seeds = plans.train.seeds - len(results.seed_seconds) - len(running)
    return Remaining(
        count=max(0, open_seeds),
        running=running,
        side_by_side=_side_by_side(results, running, forecast),
        seconds=tuple(results.seed_seconds.values()) or results.last_model_seconds,
    )


def _side_by_side(results: CellResults, running: Sequence[RunningTrial], forecast: TrainingForecast | None) -> int:
    return results.workers or len(running) or (1 if forecast is None else forecast.workers)
