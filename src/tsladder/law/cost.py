"""What further seeds and rungs of a study would cost, from the model of training time at its default rates.

Default rates, one thread and one process: the same study gives the same seconds on every machine. `tsladder plan` says
what a study takes on the machine at hand.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.artifacts.splits import read_splits
from tsladder.errors import BadInput
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.cells import geometry_of
from tsladder.planning.duration import CELL_SECONDS, Forecast, RunLength, built_run_length, forecast
from tsladder.planning.grid import build_grid
from tsladder.planning.memory import candidate_plans, plan_batch
from tsladder.planning.recipe import recipe_of

ASSUMED_MEMORY_GIB = 16.0
"""Of a worker. It decides on micro-batches and checkpointing, of which seconds depend a little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyCost:
    """A `tsladder.law.next_runs.Cost` of one horizon of the study `params`, whose trainings see `run`."""

    params: Params
    run: RunLength

    @classmethod
    def of_horizon(cls, places: Places, params: Params, horizon: int) -> StudyCost | None:
        """From the windows that the study's splits count; None before they are made."""
        path = places.horizon_splits(horizon)
        if not path.exists():
            return None
        return cls(params=params, run=built_run_length(params, read_splits(path)))

    def more_seeds(self, n_params: Sequence[float], extra: int) -> float | None:
        """Every rung trained `extra` times more."""
        each = [self.training_seconds(size) for size in n_params]
        return _total([None if seconds is None else extra * seconds for seconds in each])

    def new_rungs(self, n_params: Sequence[float]) -> float | None:
        """Every rung searched with all trials and trained on the study's seeds."""
        trials, seeds = self.params.search.trials_total, self.params.train.seeds
        each = [
            None if trial is None or seed is None else CELL_SECONDS + trials * trial + seeds * seed
            for trial, seed in ((self.trial_seconds(size), self.training_seconds(size)) for size in n_params)
        ]
        return _total(each)

    def training_seconds(self, n_params: float) -> float | None:
        """Of one training of the grid's mean architecture at this size; None where the grid has none."""
        return _mean([each.expected for each in self._forecasts(n_params)])

    def trial_seconds(self, n_params: float) -> float | None:
        """The same of one trial of a search, which may train one model a fold."""
        return _mean([each.trial_expected for each in self._forecasts(n_params)])

    def _forecasts(self, n_params: float) -> list[Forecast]:
        """Of every shape of the grid at this size; none where it has none."""
        budget = str(round(n_params))
        try:
            grid = build_grid(geometry_of(self.params), budget)
        except BadInput:
            return []
        recipe = recipe_of(self.params.training, self.params.search.chosen, budget, self.params.target.task)
        forecasts = []
        for spec in grid.shapes:
            batches, precision, optimizer = recipe.effective_batch, recipe.precision, recipe.optimizer
            plan = plan_batch(
                spec,
                effective_batch=batches,
                precision=precision,
                optimizer=optimizer,
                memory_gib=ASSUMED_MEMORY_GIB,
            )
            if plan is None:
                *_, plan = candidate_plans(effective_batch=batches, precision=precision, optimizer=optimizer)
            forecasts.append(forecast(spec, plan, 1, self.run))
        return forecasts


def _mean(seconds: Sequence[float]) -> float | None:
    return statistics.mean(seconds) if seconds else None


def _total(seconds: Sequence[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return round(sum(known), 1) if len(known) == len(seconds) else None
