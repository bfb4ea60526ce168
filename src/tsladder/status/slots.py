"""Forecast of a study on a given number of slots, on this machine and others like it, for `tsladder plan --slots`."""

from __future__ import annotations

import dataclasses
import functools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.trials import TRIALS, latest, readable_trials
from tsladder.cells.simulated_cell import SimulatedCell
from tsladder.cells.simulated_pool import BUSY_SHARE, PoolFigures, StudyPool, worth_renting
from tsladder.errors import BadInput
from tsladder.models.spec import ModelSpec
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.cell_inputs import cell_inputs
from tsladder.planning.duration import Forecast, Rates, RunLength, forecast
from tsladder.planning.machine import Machine
from tsladder.planning.plans import CellPlans, cell_key
from tsladder.planning.rung_layout import RungLayout
from tsladder.search.planned import planned_schedule
from tsladder.search.space import SearchSpace
from tsladder.vocabulary import Cell, parse_budget

MEASURED_SPREAD = 0.74
"""Standard deviation of the logarithm of the seconds of a search's trials, as measured (benchmarks/README.md, Pool)."""

FEWEST_FOR_SPREAD = 10
"""Degrees of freedom from which on the spread of the study's own trials is taken."""

_MOST_TRAININGS = 12_000
"""Number of simulated trainings, over all simulations, up to which further numbers of slots are tried. They take about
ten seconds of a processor."""
_MOST_NUMBERS = 12

_TRAININGS_OF_A_NUMBER = 2_000
_MOST_SEEDS = 8
"""Number of simulations over whose random seeds the figures of one number of slots are means, as long as they have
fewer trainings than that: where a study has few, the longest one decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Standard deviation of the logarithm of the seconds of a search's trials. `trials`: ended trials of this study
    that it was computed from; 0: it is `MEASURED_SPREAD`."""

    value: float
    trials: int = 0


MEASURED = Spread(value=MEASURED_SPREAD)


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotForecast:
    """Forecast of all trainings of a study in one pool: on the `asked` slots, and on the most slots that are worth
    renting (None: the study is too large to try as many numbers as that takes).

    `slots_of_a_machine`: slots of a machine like this one. `trainings`: trials and seeds of the study, at the search
    lag `lag`; figures are means over so many `simulations`. `least_busy_share`: busy share from which on slots are
    worth renting.
    """

    asked: PoolFigures
    worth_renting: PoolFigures | None
    slots_of_a_machine: int
    trainings: int
    simulations: int
    lag: int
    spread: Spread
    least_busy_share: float = BUSY_SHARE

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def slot_forecast(
    slots: int,
    params: AnyParams,
    machine: Machine,
    plans: Sequence[CellPlans],
    layouts: Mapping[Cell, RungLayout],
    runs: Mapping[int, RunLength],
    spread: Spread,
) -> SlotForecast | None:
    """Forecast the planned cells of a study in a pool of `slots` slots, from nothing. None where there is nothing to
    train, or where the length of a training or the speed of the machine is not known.

    Raises BadInput for fewer slots than any training needs, Interrupted when asked to stop.
    """
    planned = [plan for plan in plans if plan.cell in layouts and not layouts[plan.cell].unfit]
    if machine.rates is None or not planned or any(plan.cell.horizon not in runs for plan in planned):
        return None
    lag = dataclasses.replace(params.hardware, executor="ray").search_lag(workers=1)
    cells = [
        _cell(plan, params, machine, machine.rates, layouts[plan.cell], runs[plan.cell.horizon], lag, spread.value)
        for plan in sorted(planned, key=lambda plan: parse_budget(plan.cell.budget), reverse=True)
    ]
    trainings = sum(cell.schedule.trials_total + cell.seeds for cell in cells)
    repeats = max(1, min(_MOST_SEEDS, _TRAININGS_OF_A_NUMBER // trainings))
    pool = StudyPool(cells, machine, seeds=[params.study.seed + number for number in range(repeats)])
    if slots < pool.least:
        raise BadInput(
            f"--slots must be at least {pool.least} here, got {slots}: a machine like this one has so many slots for "
            "small models, and a training of another planned cell takes more than one of them"
        )
    numbers = min(_MOST_NUMBERS, _MOST_TRAININGS // (repeats * trainings))
    return SlotForecast(
        asked=pool.figures(slots),
        worth_renting=worth_renting(pool.figures, slots, least=pool.least, numbers=numbers),
        slots_of_a_machine=pool.slots_of_a_place,
        trainings=trainings,
        simulations=repeats,
        lag=lag,
        spread=spread,
    )


def _cell(
    plan: CellPlans,
    params: AnyParams,
    machine: Machine,
    rates: Rates,
    layout: RungLayout,
    run: RunLength,
    lag: int,
    spread: float,
) -> SimulatedCell:
    """Return one cell for a simulation. Its search draws at random, as no loss is known, and trains all its trials."""
    space = SearchSpace(
        grid=layout.grid,
        settings=plan.search.search.space,
        effective_batches=(layout.recipe.effective_batch,),
        n_windows=run.train_windows,
    )
    schedule = planned_schedule(plan.search, space, classes=(1, 1))
    share = machine.share(layout.workers, layout.threads)

    @functools.cache
    def expected(spec: ModelSpec, epochs: int) -> Forecast:
        batch_plan = layout.plans[spec]
        if batch_plan is None:
            raise ValueError(f"{spec.architecture()} does not fit this machine")
        earlier = tuple(dataclasses.replace(fold, epochs=epochs) for fold in run.earlier)
        return forecast(spec, batch_plan, share, dataclasses.replace(run, epochs=epochs, earlier=earlier), rates)

    return SimulatedCell(
        cell=plan.cell,
        space=space,
        schedule=dataclasses.replace(schedule, learns=False, stop=None),
        lag=lag,
        seed=params.study.seed,
        seeds=params.train.seeds,
        workers=layout.workers,
        threads=layout.threads,
        device=machine.device,
        recipe=layout.recipe,
        task=params.target.task,
        plans={spec: batch_plan for spec, batch_plan in layout.plans.items() if batch_plan is not None},
        trial_seconds=lambda spec, settings: expected(spec, settings.epochs).trial_expected,
        seed_seconds=lambda spec, settings: expected(spec, settings.epochs).expected,
        spread=_rest_of_spread(
            spread,
            [
                expected(spec, epochs).trial_expected
                for spec in layout.grid.members
                for epochs in map(int, plan.search.search.space.epochs.choices)
            ],
        ),
        known={},
    )


def _rest_of_spread(spread: float, expected: Sequence[float]) -> float:
    """Return the part of `spread` that forecasts do not explain, given the forecasts of what a search may draw."""
    explained = statistics.pvariance([math.log(seconds) for seconds in expected])
    return math.sqrt(max(0.0, spread**2 - explained))


def spread_of_trials(places: Places, plans: Sequence[CellPlans]) -> Spread:
    """Compute the spread from the trials that the searches of this study have trained, whose features and splits are on
    disk; with few of them return the measured one."""
    trials, freedom, squares = 0, 0, 0.0
    for plan in plans:
        if not plan.planned:
            continue
        folder = places.study(plan.cell, cell_key(plan.search, *cell_inputs(places, plan.search.question)))
        ended = latest(readable_trials(folder / TRIALS)).values()
        logs = [
            math.log(trial.outcome.seconds)
            for trial in ended
            if trial.final and trial.taken_from is None and trial.outcome.seconds > 0.0
        ]
        if len(logs) > 1:
            trials, freedom = trials + len(logs), freedom + len(logs) - 1
            squares += statistics.variance(logs) * (len(logs) - 1)
    return Spread(value=math.sqrt(squares / freedom), trials=trials) if freedom >= FEWEST_FOR_SPREAD else MEASURED
