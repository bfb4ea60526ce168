"""Lay out the models of one rung on a machine, and forecast how long one training of them takes there."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.plans import Recipe
from tsladder.models.spec import ModelSpec
from tsladder.params import Params
from tsladder.planning.cells import geometry_of
from tsladder.planning.duration import RunLength, forecast
from tsladder.planning.grid import Grid, build_grid
from tsladder.planning.machine import Machine, lay_out
from tsladder.planning.memory import plan_batch
from tsladder.planning.recipe import recipe_of


class OfferedModel(Protocol):
    """Model that a search is given to train beside the members of the grid."""

    @property
    def spec(self) -> ModelSpec: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLayout:
    """Layout of one rung on a machine: `workers` train side by side on `threads` threads each.

    `plans`: the batch plan of every model that a search of the rung may train; None: it does not fit.
    """

    grid: Grid
    recipe: Recipe
    plans: dict[ModelSpec, BatchPlan | None]
    workers: int
    threads: int

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


def lay_out_rung(params: Params, rung: str, machine: Machine, forced: Sequence[OfferedModel]) -> RungLayout:
    """Lay out the models that a search of `rung` may train, `forced` ones included. Raises BadInput when the rung's
    grid is empty."""
    grid = build_grid(geometry_of(params), rung)
    recipe = recipe_of(params.training, params.search.chosen, rung, params.target.task)
    offered = tuple(dict.fromkeys((*grid.members, *(item.spec for item in forced))))
    workers = min(lay_out(member, machine, params.hardware).workers for member in offered)
    plans = {
        spec: plan_batch(
            spec,
            effective_batch=recipe.effective_batch,
            precision=recipe.precision,
            optimizer=recipe.optimizer,
            memory_gib=machine.memory_gib / workers,
            calibration=machine.calibration,
        )
        for spec in offered
    }
    return RungLayout(grid=grid, recipe=recipe, plans=plans, workers=workers, threads=max(1, machine.cores // workers))


def training_time(layout: RungLayout, machine: Machine, run: RunLength | None) -> TrainingTime | None:
    """Forecast the training time of a rung's models; None where the windows or the machine's speed are not known, or
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
