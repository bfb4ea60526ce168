"""Estimated cost of further seeds and rungs of a study, from the model of training time at its default rates.

With default rates, one thread and one process, the same study gives the same seconds on every machine. `tsladder plan`
estimates the time that a study takes on the machine at hand.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.artifacts.plans import stocks_drawn
from tsladder.errors import BadInput
from tsladder.families.parts.geometry import Geometry
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.duration import CELL_SECONDS, Forecast, RunLength, forecast
from tsladder.planning.grid import build_grid
from tsladder.planning.memory import HeldPanel, candidate_plans, plan_batch
from tsladder.planning.run_length import run_length_on_disk
from tsladder.planning.study_models import geometry_for, recipe_for

ASSUMED_MEMORY_GIB = 16.0
"""Assumed memory of a worker. It decides on micro-batches and checkpointing, which change the seconds only a little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyCost:
    """The cost of further work at one horizon of the study `params`; an implementation of
    `tsladder.law.next_runs.Cost`.

    `geometry`: that of the horizon's models; `run`: length of a training, as the splits of the horizon give it.
    """

    params: AnyParams
    horizon: int
    geometry: Geometry
    run: RunLength

    @classmethod
    def of_horizon(
        cls, places: Places, params: AnyParams, horizon: int, geometry: Geometry | None = None
    ) -> StudyCost | None:
        """Build the cost of a horizon from the samples that its splits count; None before the splits are made.

        `geometry`: that of its models, from a plan; None: from the question, which for a panel asks its file.
        """
        run = run_length_on_disk(places, params, horizon)
        if run is None:
            return None
        return cls(params=params, horizon=horizon, geometry=geometry or geometry_for(places, params, horizon), run=run)

    def more_seeds(self, n_params: Sequence[float], extra: int) -> float | None:
        """Return the seconds of training every rung `extra` more times; None where a rung's time is not known."""
        each = [self.training_seconds(size) for size in n_params]
        return _total([None if seconds is None else extra * seconds for seconds in each])

    def new_rungs(self, n_params: Sequence[float]) -> float | None:
        """Return the seconds of searching every rung with all trials and training it on the study's seeds; None where
        not known."""
        trials, seeds = self.params.search.trials_total, self.params.train.seeds
        each = [
            None if trial is None or seed is None else CELL_SECONDS + trials * trial + seeds * seed
            for trial, seed in ((self.trial_seconds(size), self.training_seconds(size)) for size in n_params)
        ]
        return _total(each)

    def training_seconds(self, n_params: float) -> float | None:
        """Return the mean seconds of one training over the grid's architectures at this size; None where the grid is
        empty."""
        return _mean([each.expected for each in self._forecasts(n_params)])

    def trial_seconds(self, n_params: float) -> float | None:
        """Return the mean seconds of one trial of a search, which may train one model per fold; None where the grid is
        empty."""
        return _mean([each.trial_expected for each in self._forecasts(n_params)])

    def _forecasts(self, n_params: float) -> list[Forecast]:
        """Forecast the training time of every shape of the grid at this size; empty where the grid is empty."""
        budget = str(round(n_params))
        try:
            grid = build_grid(self.geometry, budget)
        except BadInput:
            return []
        recipe = recipe_for(self.params, budget, self.horizon)
        forecasts = []
        for spec in grid.shapes:
            batches, precision, optimizer = recipe.effective_batch, recipe.precision, recipe.optimizer
            plan = plan_batch(
                spec,
                effective_batch=batches,
                precision=precision,
                optimizer=optimizer,
                memory_gib=ASSUMED_MEMORY_GIB,
                panel=HeldPanel(drawn=stocks_drawn(recipe)),
            )
            if plan is None:
                *_, plan = candidate_plans(
                    effective_batch=batches, precision=precision, optimizer=optimizer, stocks=spec.stocks
                )
            forecasts.append(forecast(spec, plan, 1, self.run))
        return forecasts


def _mean(seconds: Sequence[float]) -> float | None:
    return statistics.mean(seconds) if seconds else None


def _total(seconds: Sequence[float | None]) -> float | None:
    known = [value for value in seconds if value is not None]
    return round(sum(known), 1) if len(known) == len(seconds) else None
