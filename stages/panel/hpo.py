"""Stage hpo of a panel study: search one cell: forced extremes, then the sampler."""

import sys

from tsladder.artifacts.plans import SearchPlan
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.stage import run_cell_stage
from tsladder.vocabulary import Cell


def build(places: Places, params: PanelParams, cell: Cell, plan: SearchPlan) -> None:
    from tsladder.execution.supervisor import start_fork_server

    start_fork_server()
    from tsladder.cells.search_cell import search_cell
    from tsladder.cells.work import open_cell

    search_cell(open_cell(places, params, cell, plan))


if __name__ == "__main__":
    sys.exit(run_cell_stage("hpo", build))
