"""`tsladder plan`: what would run, cell by cell, before anything runs. Needs params.yaml; times also need the bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.errors import BadInput
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans, plan_cells
from tsladder.planning.duration import RunLength
from tsladder.planning.grid import is_within
from tsladder.planning.machine import Machine, slow_bf16_note, survey
from tsladder.planning.memory import predicted_memory_gib
from tsladder.planning.misfit import misfit, refuse_too_little
from tsladder.planning.plans import study_key
from tsladder.planning.recipe import loss_asked
from tsladder.planning.run_length import run_lengths
from tsladder.planning.rung_layout import RungLayout, lay_out_rung, training_time
from tsladder.planning.study_time import cell_time
from tsladder.planning.uncalibrated import uncalibrated
from tsladder.search.admission import forced_by_rung
from tsladder.search.decisions import Forced


@dataclass(frozen=True, kw_only=True, slots=True)
class CellForecast:
    """One cell of the dry run; the batch plan is that of the member of its grid that needs most memory."""

    planned: bool
    fits: bool | None = None
    grid_size: int | None = None
    shapes: int | None = None
    trials: int | None = None
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
    """Of the whole cell, searched and trained again; None where windows or the speed of the device are not known."""
    predicted_seconds_at_most: float | None = None
    """The same without early stopping."""
    predicted_step_seconds: float | None = None
    predicted_epoch_seconds: float | None = None
    """Of an optimizer step and of an epoch with its validation: means over the members of the grid."""
    forced: tuple[Mapping[str, Any], ...] = ()
    """What the strategy forces: its name, sizes, exact parameters, settings, and whether it lies off the budget."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StudyForecast:
    """All cells by name, and what to know about the machine and the question beside them."""

    study_key: str
    cells: Mapping[str, CellForecast]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "study_key": self.study_key,
            "cells": {name: dataclasses.asdict(cell) for name, cell in self.cells.items()},
        }

    @property
    def refused(self) -> dict[str, str]:
        """Planned cells that cannot be trained here, with the reason."""
        return {name: cell.reason or "" for name, cell in self.cells.items() if cell.planned and not cell.fits}


def study_forecast(places: Places, budget: str | None) -> StudyForecast:
    """Dry run with `budget` as the top rung (params.yaml's when None). Raises BadInput."""
    params = load_params(places.params)
    if budget is not None:
        if budget not in params.ladder:
            raise BadInput(f"--budget must be a rung of the ladder ({', '.join(params.ladder)}), got {budget!r}")
        params = dataclasses.replace(params, budget=budget)
    machine = survey(params.hardware, places.calibration)
    refuse_too_little(params, machine)
    forced = forced_by_rung(params)
    plans = plan_cells(params)
    runs = run_lengths(places, params)
    cells = {
        str(plan.cell): _forecast(params, plan, machine, forced.get(plan.cell.budget, ()), runs.get(plan.cell.horizon))
        for plan in plans
    }
    precisions = {cell.precision for cell in cells.values() if cell.precision is not None}
    slow = (slow_bf16_note(machine, precision) for precision in sorted(precisions))
    loss = loss_asked(params.training, params.target.task)
    bent = uncalibrated(loss, objective=params.search.objective, monitor=params.training.monitor)
    notes = tuple(filter(None, (*slow, bent, _walk_note(params))))
    return StudyForecast(study_key({str(plan.cell): plan.search for plan in plans}), cells, notes)


def _walk_note(params: Params) -> str | None:
    if params.splits.kind != "walk_forward":
        return None
    models = f"every trial trains {params.splits.folds} models, one a fold"
    return f"splits.kind is walk_forward: {models}, and its loss is their mean; a winner's seeds train on the last fold"


def _forecast(
    params: Params, plan: CellPlans, machine: Machine, forced: Sequence[Forced], run: RunLength | None
) -> CellForecast:
    if not plan.planned:
        return CellForecast(planned=False)
    layout = lay_out_rung(params, plan.cell.budget, machine, forced)
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
                **{name: item.spec.architecture()[name] for name in ("d_model", "n_layers", "n_heads", "d_ff")},
                "n_params": item.spec.n_params,
                "off_budget": not is_within(item.spec, grid.n_budget),
                "settings": dict(item.settings),
            }
            for item in forced
        ),
    )
    if unfit:
        return dataclasses.replace(
            known, reason=misfit(unfit, len(layout.plans), machine=machine, workers=workers, recipe=recipe)
        )
    predicted = {
        (spec, p): predicted_memory_gib(spec, p, machine.calibration)
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


def _seconds(layout: RungLayout, params: Params, machine: Machine, run: RunLength | None) -> dict[str, Any]:
    """The forecast's fields of time; none where something is unknown."""
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
