"""Forecast the time of a cell from scratch, and warn beforehand where a run takes days."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsladder.errors import BadInput, WorkFailed
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.duration import CELL_SECONDS
from tsladder.planning.machine import Machine, needs_torch, survey
from tsladder.planning.pretraining_length import pretraining_length
from tsladder.planning.run_length import run_lengths
from tsladder.planning.rung_layout import OfferedModel, TrainingTime, lay_out_cells, training_time
from tsladder.vocabulary import Cell

DAY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CellTime:
    """Seconds of a whole cell, its search, its retraining and its pretraining where that is asked for, as expected and
    without early stopping."""

    expected: float
    at_most: float


def cell_time(params: AnyParams, machine: Machine, one: TrainingTime, workers: int) -> CellTime:
    """Forecast a cell whose trainings take `one` each, `workers` of them side by side. `machine` has rates."""
    # Trials train side by side, then the seeds; the last batch may leave workers idle.
    seeds = params.train.seeds
    searches, trainings = math.ceil(params.search.trials_total / workers), seeds / min(workers, seeds)
    own = CELL_SECONDS * (1.0 if machine.rates is None else machine.rates.factor)
    pretraining = _pretraining_time(params, one, trainings)
    return CellTime(
        expected=own + searches * one.trial_expected + trainings * one.expected + pretraining.expected,
        at_most=own + searches * one.trial_at_most + trainings * one.at_most + pretraining.at_most,
    )


def _pretraining_time(params: AnyParams, one: TrainingTime, trainings: float) -> CellTime:
    """Forecast the stage pretrain, whose seeds take as many `trainings` one after the other as those of the stage
    train. The encoder is trained without early stopping."""
    if not isinstance(params, PanelParams) or params.search.pretraining is None:
        return CellTime(expected=0.0, at_most=0.0)
    epochs = statistics.mean(params.search.chosen.space.epochs.choices)
    length = pretraining_length(params.search.pretraining.epochs, epochs, params.training.phase_list)
    encoder, starts = length.encoder * one.at_most, trainings * sum(length.starts)
    return CellTime(expected=encoder + starts * one.expected, at_most=encoder + starts * one.at_most)


def seconds_by_cell(
    places: Places, params: AnyParams, forced: Mapping[Cell, Sequence[OfferedModel]]
) -> Mapping[Cell, float]:
    """Forecast the seconds of every planned cell, where they can be known; `forced`: planned cell -> configurations
    that its strategy forces.

    Nothing is known where a GPU may have to be queried, which takes seconds, or where bars or machine are such that a
    stage will refuse them: that stage says why.
    """
    if needs_torch(params.hardware):
        return {}
    try:
        machine = survey(params.hardware, places.calibration)
        runs = run_lengths(places, params)
    except (BadInput, WorkFailed):
        return {}
    found = {}
    for cell, layout in lay_out_cells(places, params, machine, forced).items():
        one = training_time(layout, machine, runs.get(cell.horizon))
        if one is not None:
            found[cell] = cell_time(params, machine, one, layout.workers).expected
    return found


def days(seconds: float | None) -> str | None:
    """Format `seconds` in days where they are more than one; None where they are not, or not known."""
    return None if seconds is None or seconds <= DAY_SECONDS else f"{seconds / DAY_SECONDS:.1f} days"


def study_note(places: Places, params: AnyParams, forced: Mapping[Cell, Sequence[OfferedModel]]) -> str | None:
    """Return one line where all planned cells together take more than a day by forecast, else None."""
    known = seconds_by_cell(places, params, forced)
    total = days(sum(known.values()))
    if total is None:
        return None
    planned = sum(params.is_planned(cell) for cell in params.cells)
    whole = f"all {planned} planned cells" if len(known) == planned else f"{len(known)} of {planned} planned cells"
    return f"{whole} take about {total} on this machine by forecast, from nothing; `tsladder status` says what is left"
