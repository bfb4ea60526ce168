"""Lay out the models of one rung on a machine, and forecast how long one training of them takes there."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.plans import Recipe
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.duration import RunLength, forecast
from tsladder.planning.grid import Grid
from tsladder.planning.grids import grid_of
from tsladder.planning.held_panel import panel_held_for
from tsladder.planning.machine import Machine, lay_out
from tsladder.planning.memory import HeldPanel, plan_batch
from tsladder.planning.study_models import geometry_for, recipe_for
from tsladder.vocabulary import Cell


class OfferedModel(Protocol):
    """Model that a search is given to train beside the members of the grid."""

    @property
    def spec(self) -> ModelSpec: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLayout:
    """Layout of one rung on a machine: `workers` train side by side on `threads` threads each.

    `plans`: the batch plan of every model that a search of the rung may train; None: it does not fit. `panel`: data of
    a panel that each of them holds.
    """

    grid: Grid
    recipe: Recipe
    plans: dict[ModelSpec, BatchPlan | None]
    workers: int
    threads: int
    panel: HeldPanel

    @property
    def unfit(self) -> list[ModelSpec]:
        return [spec for spec, plan in self.plans.items() if plan is None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingTime:
    """Mean seconds over the models of a rung: of a step, an epoch, a training as expected and without early stopping;
    likewise of a trial of the search, which is one training or one per fold."""

    step: float
    epoch: float
    expected: float
    at_most: float
    trial_expected: float
    trial_at_most: float


def lay_out_cells(
    places: Places, params: AnyParams, machine: Machine, forced: Mapping[Cell, Sequence[OfferedModel]]
) -> dict[Cell, RungLayout]:
    """Lay out the models that the searches of the cells of `forced` may train, forced ones included. Cells of one rung
    whose models have the same geometry share a layout.

    Raises BadInput when a rung's grid is empty, and where a panel study has no panel.
    """
    panel = panel_held_for(places, params)
    geometries = {cell.horizon: geometry_for(places, params, cell.horizon) for cell in forced}
    known: dict[tuple[str, Geometry], RungLayout] = {}
    found = {}
    for cell, items in forced.items():
        key = cell.budget, geometries[cell.horizon]
        if key not in known:
            known[key] = _lay_out(params, cell, geometries[cell.horizon], machine, items, panel)
        found[cell] = known[key]
    return found


def _lay_out(
    params: AnyParams,
    cell: Cell,
    geometry: Geometry,
    machine: Machine,
    forced: Sequence[OfferedModel],
    panel: HeldPanel,
) -> RungLayout:
    grid = grid_of(geometry, cell.budget)
    recipe = recipe_for(params, cell.budget, cell.horizon)
    offered = tuple(dict.fromkeys((*grid.members, *(item.spec for item in forced))))
    workers = min(lay_out(member, machine, params.hardware, panel=panel).workers for member in offered)
    plans = {
        spec: plan_batch(
            spec,
            effective_batch=recipe.effective_batch,
            precision=recipe.precision,
            optimizer=recipe.optimizer,
            memory_gib=machine.memory_gib / workers,
            calibration=machine.calibration,
            panel=panel,
        )
        for spec in offered
    }
    threads = max(1, machine.cores // workers)
    return RungLayout(grid=grid, recipe=recipe, plans=plans, workers=workers, threads=threads, panel=panel)


def training_time(layout: RungLayout, machine: Machine, run: RunLength | None) -> TrainingTime | None:
    """Forecast the training time of a rung's models; None where the samples or the machine's speed are not known, or
    some model does not fit."""
    fitting = [(spec, plan) for spec, plan in layout.plans.items() if plan is not None]
    if run is None or machine.rates is None or len(fitting) < len(layout.plans):
        return None
    part = machine.share(layout.workers, layout.threads)
    runs = [forecast(spec, plan, part, run, machine.rates) for spec, plan in fitting]
    mean = statistics.mean
    return TrainingTime(
        step=mean(run.step for run in runs),
        epoch=mean(run.epoch for run in runs),
        expected=mean(run.expected for run in runs),
        at_most=mean(run.at_most for run in runs),
        trial_expected=mean(run.trial_expected for run in runs),
        trial_at_most=mean(run.trial_at_most for run in runs),
    )
