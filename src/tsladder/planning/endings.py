"""Small files that make DVC run a stage again that ended without a result.

A search that does not fit, or that heat stopped, still ends in order: its cell is written as failed, and the law goes
on without it. DVC would then take the stage for done, and hand its outputs out of its run cache ever after. So the
stage depends on a file of its own under `artifacts/endings/`, which the stage `plan` writes. A stage that ends without
a result changes that file, and DVC records what a stage depends on after it has run. The next run finds an output of
`plan` that is not what `plan` left and puts it back, from its cache or by running `plan`. With that the stage depends
on something else than recorded: it runs again, and the run cache has nothing for the file as it is then.
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
"""What an ending file says before its stage has run, or after it came to a result; and after it came to none."""


def ending_files(places: Places, cells: Iterable[Cell]) -> list[Path]:
    """One a stage that may end without a result: search and training of every cell, second phase and transfer."""
    plans = [plan for cell in cells for plan in (places.search_plan(cell), places.train_plan(cell))]
    return [places.ending(plan) for plan in (*plans, places.supplementary_plan, places.transfer_plan)]


def write_endings(places: Places, cells: Iterable[Cell]) -> None:
    """Every ending file as it is before its stage runs."""
    for path in ending_files(places, cells):
        write_stage_ending(path, StageEnding(without_result=False), durable=False)


def note_ending(places: Places, plan: Path, *, without_result: bool) -> None:
    """Say how the stage of the plan file `plan` ended; the next run takes it up again where it has no result."""
    write_stage_ending(places.ending(plan), StageEnding(without_result=without_result))
