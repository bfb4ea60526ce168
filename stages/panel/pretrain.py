"""Stage pretrain of a panel study: the cell's winner from a pretrained encoder and from scratch, where
search.pretraining asks for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tsladder.stage import run_cell_stage

if TYPE_CHECKING:
    from tsladder.artifacts.plans import PretrainPlan
    from tsladder.params import PanelParams
    from tsladder.places import Places
    from tsladder.vocabulary import Cell


def build(places: Places, params: PanelParams, cell: Cell, plan: PretrainPlan) -> None:
    from tsladder.execution.supervisor import start_fork_server

    start_fork_server(panel=True)
    from tsladder.artifacts.choice import read_winner
    from tsladder.artifacts.plans import TrainPlan, read_planned
    from tsladder.cells.pretraining import pretrain_winner
    from tsladder.cells.work import open_cell

    work = open_cell(places, params, cell, read_planned(TrainPlan, places.train_plan(cell)))
    pretrain_winner(work, plan, read_winner(places.choice(cell)))


if __name__ == "__main__":
    sys.exit(run_cell_stage("pretrain", build))
