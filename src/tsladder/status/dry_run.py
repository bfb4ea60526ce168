"""Plan every cell without running anything, for `tsladder plan`. Needs params.yaml; times also need the bars."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tsladder.errors import BadInput
from tsladder.params import AnyParams, PanelParams, load_any_params
from tsladder.params.cells import refuse_without_cells
from tsladder.places import Places
from tsladder.planning.duration import RunLength
from tsladder.planning.grid import is_within
from tsladder.planning.machine import Machine, scarce_memory_note, slow_bf16_note, survey
from tsladder.planning.memory import predicted_memory_gib
from tsladder.planning.planned_features import PlannedFeatures, planned_features
from tsladder.planning.plans import CellPlans, study_key
from tsladder.planning.recipe import requested_loss
from tsladder.planning.run_length import have_same_samples, run_lengths
from tsladder.planning.rung_layout import RungLayout, lay_out_cells, training_time
from tsladder.planning.study_time import cell_time
from tsladder.planning.too_little_memory import check_memory, insufficient_memory
from tsladder.planning.uncalibrated import uncalibrated
from tsladder.search.decisions import Forced
from tsladder.search.forced_trials import forced_by_cell
from tsladder.status.live_records import held_gib
from tsladder.status.question import plans_of_study
from tsladder.status.taken_over import count_taken_over, inputs_match

if TYPE_CHECKING:
    from tsladder.status.slots import SlotForecast

ARCHITECTURE = ("d_model", "n_layers", "n_heads", "d_ff", "n_graph")
"""Sizes of a model, as far as its family has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CellForecast:
    """One cell of the dry run; the batch plan is that of the member of its grid that needs most memory."""

    planned: bool
    fits: bool | None = None
    grid_size: int | None = None
    shapes: int | None = None
    trials: int | None = None
    trials_taken_over: int | None = None
    """Lower bound of how many of the trials other searches have trained; None: not known."""
    trials_taken_over_exact: bool | None = None
    """True where `trials_taken_over` is exact."""
    seeds: int | None = None
    workers: int | None = None
    threads: int | None = None
    micro_batch: int | None = None
    accumulation_steps: int | None = None
    effective_batch: int | None = None
    precision: str | None = None
    optimizer: str | None = None
    activation_checkpointing: bool | None = None
    predicted_memory_gib: float | None = None
    predicted_seconds: float | None = None
    """Seconds of the whole cell, search and retraining; None where samples or the speed of the device are not known."""
    predicted_seconds_at_most: float | None = None
    """Seconds of the whole cell without early stopping."""
    predicted_step_seconds: float | None = None
    predicted_epoch_seconds: float | None = None
    """Seconds of an optimizer step (`predicted_step_seconds`) and of an epoch with validation: means over the members
    of the grid."""
    forced: tuple[Mapping[str, Any], ...] = ()
    """Forced configurations: name, sizes, exact parameter count, settings, and whether it lies off the budget."""
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyForecast:
    """Forecast of all cells by name, with the machine that they were planned for, and further notes. `samples`: what
    batches and epochs count, windows of a series or days of a panel. `slots`: forecast of a pool of slots; None: not
    asked for, or not known."""

    study_key: str
    cells: Mapping[str, CellForecast]
    machine: Machine
    features: PlannedFeatures
    notes: tuple[str, ...] = ()
    samples: str = "windows"
    slots: SlotForecast | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "study_key": self.study_key,
            "memory": _memory_record(self.machine),
            "features": self.features.to_json(),
            "cells": {name: dataclasses.asdict(cell) for name, cell in self.cells.items()},
            **({} if self.slots is None else {"slots": self.slots.to_json()}),
        }

    @property
    def refused(self) -> dict[str, str]:
        """Planned cells that cannot be trained on this machine, with the reason."""
        return {name: cell.reason or "" for name, cell in self.cells.items() if cell.planned and not cell.fits}


def study_forecast(
    places: Places, budget: str | None, assignments: Sequence[str] = (), *, slots: int | None = None
) -> StudyForecast:
    """Plan the study without running it, with `budget` as the top rung (None: that of params.yaml) and the values of
    `assignments` (leaf=value) in place of those of params.yaml. `slots`: also forecast all trainings in one pool of so
    many slots. Raises BadInput, also for a panel study without a top rung."""
    params = load_any_params(places.params, assignments)
    if budget is not None:
        if budget not in params.ladder:
            raise BadInput(f"--budget must be a rung of the ladder ({', '.join(params.ladder)}), got {budget!r}")
        params = _with_budget(params, budget)
    refuse_without_cells(params, "plan")
    ours = held_gib(places, time.time())
    machine = survey(params.hardware, places.calibration, ours_gib=ours)
    check_memory(places, params, machine)
    forced = forced_by_cell(places, params)
    plans = plans_of_study(places, params)
    # The splits on disk belong to params.yaml without the assignments.
    built = not assignments or have_same_samples(params, load_any_params(places.params))
    runs = run_lengths(places, params, built=built)
    items = {cell: admitted.forced for cell, admitted in forced.items()}
    layouts = lay_out_cells(places, params, machine, items)
    cells = {
        str(plan.cell): CellForecast(planned=False)
        if plan.cell not in layouts
        else _forecast(params, layouts[plan.cell], machine, items[plan.cell], runs.get(plan.cell.horizon))
        for plan in plans
    }
    built = inputs_match(places, params)
    features = planned_features(places, params, built=built)
    if built:
        for plan in plans:
            cells[str(plan.cell)] = _with_taken_over(places, params, plan, cells[str(plan.cell)])
    of_pool = None
    if slots is not None:
        # Here, since it imports Optuna, which takes longer than all the rest.
        from tsladder.status.slots import MEASURED, slot_forecast, spread_of_trials

        spread = spread_of_trials(places, plans) if built else MEASURED
        of_pool = slot_forecast(slots, params, machine, plans, layouts, runs, spread)
    precisions = {cell.precision for cell in cells.values() if cell.precision is not None}
    slow = (slow_bf16_note(machine, precision) for precision in sorted(precisions))
    loss = requested_loss(params.training, params.target.task)
    calibration_note = uncalibrated(loss, objective=params.search.objective, monitor=params.training.monitor)
    missing = dict.fromkeys(f"{cell.budget}: {found.note}" for cell, found in forced.items() if found.note is not None)
    running = _running_study_note(machine, ours)
    candidates = (
        scarce_memory_note(machine),
        running,
        *slow,
        calibration_note,
        _walk_note(params),
        *missing,
        *features.notes,
    )
    notes = tuple(filter(None, candidates))
    key = study_key({str(plan.cell): plan.search for plan in plans if plan.planned})
    return StudyForecast(
        study_key=key,
        cells=cells,
        machine=machine,
        features=features,
        notes=notes,
        samples="days" if isinstance(params, PanelParams) else "windows",
        slots=of_pool,
    )


def _with_budget(params: AnyParams, budget: str) -> AnyParams:
    if isinstance(params, PanelParams):
        return dataclasses.replace(params, budget=budget)
    return dataclasses.replace(params, budget=budget)


def _memory_record(machine: Machine) -> dict[str, float | None]:
    available = machine.available
    return {
        "planned_gib": round(machine.memory_gib, 3),
        "free_gib": None if available is None else round(available.free_gib, 3),
        "total_gib": None if available is None else round(available.total_gib, 3),
    }


def _running_study_note(machine: Machine, held: float) -> str | None:
    """Return a note on running trainings of this project, which hold `held` GiB of the machine's memory."""
    if not held:
        return None
    counts = "counts as free" if machine.device != "cuda" else "is not that of the GPU, where theirs counts as taken"
    return f"planned beside a running study: the {held:.1f} GiB that its trainings hold {counts}"


def _with_taken_over(places: Places, params: AnyParams, plan: CellPlans, cell: CellForecast) -> CellForecast:
    if not cell.fits:
        return cell
    lag = None if cell.workers is None else params.hardware.search_lag(cell.workers)
    found = count_taken_over(places, plan, lag)
    return dataclasses.replace(cell, trials_taken_over=found.trials, trials_taken_over_exact=found.exact)


def _walk_note(params: AnyParams) -> str | None:
    kind = params.splits.kind
    if kind not in ("walk_forward", "purged_kfold"):
        return None
    models = f"every trial trains {params.splits.folds} models, one per fold"
    return f"splits.kind is {kind}: {models}, and its loss is their mean; a winner's seeds train on the last fold"


def _forecast(
    params: AnyParams, layout: RungLayout, machine: Machine, forced: Sequence[Forced], run: RunLength | None
) -> CellForecast:
    grid, recipe, workers, unfit = layout.grid, layout.recipe, layout.workers, layout.unfit
    known = CellForecast(
        planned=True,
        fits=not unfit,
        grid_size=len(grid.members),
        shapes=len(grid.shapes),
        trials=params.search.trials_total,
        seeds=params.train.seeds,
        workers=workers,
        threads=layout.threads,
        effective_batch=recipe.effective_batch,
        precision=recipe.precision,
        optimizer=recipe.optimizer,
        forced=tuple(
            {
                "what": item.what,
                **{name: size for name, size in item.spec.architecture().items() if name in ARCHITECTURE},
                "n_params": item.spec.n_params,
                "off_budget": not is_within(item.spec, grid.n_budget),
                "settings": dict(item.settings),
            }
            for item in forced
        ),
    )
    if unfit:
        return dataclasses.replace(
            known,
            reason=insufficient_memory(
                unfit, len(layout.plans), machine=machine, workers=workers, recipe=recipe, panel=layout.panel
            ),
        )
    predicted = {
        (spec, p): predicted_memory_gib(spec, p, machine.calibration, panel=layout.panel)
        for spec, p in layout.plans.items()
        if p is not None
    }
    spec, batch_plan = max(
        predicted, key=lambda pair: (pair[1].activation_checkpointing, -pair[1].micro_batch, predicted[pair])
    )
    return dataclasses.replace(
        known,
        micro_batch=batch_plan.micro_batch,
        accumulation_steps=batch_plan.accumulation_steps,
        activation_checkpointing=batch_plan.activation_checkpointing,
        predicted_memory_gib=round(predicted[spec, batch_plan], 3),
        **_seconds(layout, params, machine, run),
    )


def _seconds(layout: RungLayout, params: AnyParams, machine: Machine, run: RunLength | None) -> dict[str, Any]:
    """Return the forecast's time fields; empty where something is unknown."""
    one = training_time(layout, machine, run)
    if one is None:
        return {}
    whole = cell_time(params, machine, one, layout.workers)
    return {
        "predicted_step_seconds": round(one.step, 4),
        "predicted_epoch_seconds": round(one.epoch, 3),
        "predicted_seconds": round(whole.expected, 1),
        "predicted_seconds_at_most": round(whole.at_most, 1),
    }
