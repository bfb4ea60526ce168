"""Train the searches and the winners of several cells in one pool, before DVC runs their stages.

DVC runs one stage after the other, so at the end of each cell devices wait for its last trial. In a pool they train the
next cell meanwhile. Everything goes into the live records of the cells: their stages then find it finished and only
write their outputs. Results are those of stages that train by themselves, since a search depends on its plan and its
lag alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

from tsladder.artifacts.plans import NotPlanned, SearchPlan, TrainPlan, read_plan
from tsladder.cells.retrain import winner_steps
from tsladder.cells.search_cell import found_trials
from tsladder.cells.work import open_cell
from tsladder.execution.crew import Crews
from tsladder.execution.executors import executor_of
from tsladder.execution.job_loop import run_pool
from tsladder.execution.job_source import Steps
from tsladder.execution.local_crew import LocalCrew
from tsladder.execution.slot_choice import SlotChoice
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.locks import is_locked
from tsladder.messages import print_message
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.machine import Machine
from tsladder.planning.too_little_memory import check_memory
from tsladder.tracking import MlflowTracker, Tracker
from tsladder.vocabulary import Cell, parse_budget


def train_ahead(
    places: Places,
    params: AnyParams,
    cells: Sequence[Cell],
    tracker: Tracker | None = None,
    *,
    crews: Crews = LocalCrew,
) -> dict[Cell, Exception]:
    """Train what `cells` still need, largest models first, and return by cell the exception that ended its work early.
    They train where `hardware.executor` says; `crews` are those of this machine.

    The plan files, features and splits must be up to date. A cell that is not planned is left out.
    """
    tracker = tracker or MlflowTracker(places.mlruns, params.study.name)
    ordered = sorted(cells, key=lambda cell: parse_budget(cell.budget), reverse=True)
    of_panel = isinstance(params, PanelParams)
    with executor_of(params.hardware, places.calibration, print_message, crews=crews, panel=of_panel) as executor:
        check_memory(places, params, executor.machine)
        errors = run_pool(
            [partial(_cell_steps, places, params, cell, executor.machine, tracker) for cell in ordered],
            partial(executor.crews, executor.machine),
            watch=ThermalWatch(executor.thermometer, print_message),
            pause_requested=lambda: is_locked(places.pause),
            choice=SlotChoice(
                one_kind=params.hardware.places == "same",
                least_gib=executor.machine.memory_gib,
                patience=params.hardware.patience,
                say=print_message,
            ),
        )
    return {cell: error for cell, error in zip(ordered, errors, strict=True) if error is not None}


def _cell_steps(places: Places, params: AnyParams, cell: Cell, machine: Machine, tracker: Tracker) -> Steps[None]:
    """Search a cell, then train its winner on fresh seeds."""
    plan = read_plan(SearchPlan, places.search_plan(cell))
    train_plan = read_plan(TrainPlan, places.train_plan(cell))
    if isinstance(plan, NotPlanned) or isinstance(train_plan, NotPlanned):
        return
    work = open_cell(places, params, cell, plan, machine=machine)
    winner = (yield from found_trials(work, tracker)).winner
    if winner is not None:
        yield from winner_steps(dataclasses.replace(work, plan=train_plan), winner, tracker)
