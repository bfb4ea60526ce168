"""Ending files: small files that make DVC rerun a stage that ended without a result.

A search that does not fit in memory, or that was stopped for heat, still exits normally: its cell is recorded as
failed, and the law is fitted without it. DVC would then take the stage for done, and restore its outputs from the run
cache from then on. So the stage depends on a file of its own under `artifacts/endings/`, which the stage `plan` writes.
A stage that ends without a result changes that file, and DVC records what a stage depends on after the stage has run.
The next run finds that an output of `plan` has changed and restores it, from the cache or by running `plan`. The
stage's dependency then differs from the recorded one: the stage runs again, and the run cache has no entry for the file
in that state.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tsladder.artifacts.record import text_of
from tsladder.artifacts.stage_ending import StageEnding, write_stage_ending
from tsladder.places import Places
from tsladder.vocabulary import Cell

AS_PLANNED = text_of(StageEnding(without_result=False))
WITHOUT_RESULT = text_of(StageEnding(without_result=True))
"""Content of an ending file: before its stage has run or after a run with a result; and after a run without one."""


def ending_files(places: Places, cells: Iterable[Cell]) -> list[Path]:
    """Return one path for each stage that may end without a result: search and training of every cell, supplementary
    search and transfer."""
    across = (places.supplementary_plan, places.transfer_plan)
    return [*cell_ending_files(places, cells), *(places.ending(plan) for plan in across)]


def cell_ending_files(places: Places, cells: Iterable[Cell]) -> list[Path]:
    """Return the paths for the stages of cells alone: search and training of every cell."""
    plans = [plan for cell in cells for plan in (places.search_plan(cell), places.train_plan(cell))]
    return [places.ending(plan) for plan in plans]


def panel_ending_files(places: Places, cells: Iterable[Cell]) -> list[Path]:
    """Return the paths for the stages of a panel study, which has no stage across cells that trains: search, training
    and pretraining of every cell."""
    known = list(cells)
    return [*cell_ending_files(places, known), *(places.ending(places.pretrain_plan(cell)) for cell in known)]


def write_endings(places: Places, cells: Iterable[Cell]) -> None:
    """Write every ending file as it is before its stage runs."""
    _write_as_planned(ending_files(places, cells))


def write_panel_endings(places: Places, cells: Iterable[Cell]) -> None:
    """Write every ending file of a panel study as it is before its stage runs."""
    _write_as_planned(panel_ending_files(places, cells))


def _write_as_planned(paths: Iterable[Path]) -> None:
    for path in paths:
        write_stage_ending(path, StageEnding(without_result=False), durable=False)


def note_ending(places: Places, plan: Path, *, without_result: bool) -> None:
    """Record how the stage of the plan file `plan` ended; the next run repeats the stage where it has no result."""
    write_stage_ending(places.ending(plan), StageEnding(without_result=without_result))
