"""Plan files and endings of the stages of one cell. Imports nothing that a stage with nothing to do can do without."""

from __future__ import annotations

from pathlib import Path

from tsladder.artifacts.ending import Ending, write_ending
from tsladder.places import Places
from tsladder.vocabulary import Cell


def plan_path(stage: str, places: Places, cell: Cell) -> Path:
    """Return the path of the plan file of stage `stage` (hpo, train, evaluate or pretrain) of a cell."""
    if stage == "hpo":
        return places.search_plan(cell)
    if stage == "train":
        return places.train_plan(cell)
    return places.pretrain_plan(cell) if stage == "pretrain" else places.evaluate_plan(cell)


def record_path(stage: str, places: Places, cell: Cell) -> Path:
    """Return the path of the record that says how stage `stage` of a cell ended."""
    if stage == "hpo":
        return places.choice(cell)
    if stage == "train":
        return places.models_status(cell)
    return places.pretraining_record(cell) if stage == "pretrain" else places.scores_record(cell)


def end_without_result(stage: str, places: Places, cell: Cell, ending: Ending) -> None:
    """Write the outputs of stage `stage` of a cell that has nothing to do or nothing to go on with."""
    write_ending(record_path(stage, places, cell), ending)
    if stage == "train":
        # Imported here: no other stage has timings.
        from tsladder.artifacts.seeds import Timings, write_timings

        write_timings(places.timings(cell), Timings(cell=str(cell)))
