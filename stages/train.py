"""Stage train: the cell's winner on fresh seeds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tsladder.stage import run_cell_stage, was_trained_ahead

if TYPE_CHECKING:
    from tsladder.artifacts.plans import TrainPlan
    from tsladder.params import Params
    from tsladder.places import Places
    from tsladder.vocabulary import Cell


def build(places: Places, params: Params, cell: Cell, plan: TrainPlan) -> None:
    if not was_trained_ahead():
        from tsladder.execution.supervisor import start_fork_server

        start_fork_server()
    from tsladder.artifacts.choice import read_winner
    from tsladder.cells.retrain import train_winner
    from tsladder.cells.work import open_cell

    train_winner(open_cell(places, params, cell, plan), read_winner(places.choice(cell)))


if __name__ == "__main__":
    sys.exit(run_cell_stage("train", build))
