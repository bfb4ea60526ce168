"""Stage hpo: search one cell: forced extremes, then the sampler."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tsladder.stage import run_cell_stage, was_trained_ahead

if TYPE_CHECKING:
    from tsladder.artifacts.plans import SearchPlan
    from tsladder.params import Params
    from tsladder.places import Places
    from tsladder.vocabulary import Cell


def build(places: Places, params: Params, cell: Cell, plan: SearchPlan) -> None:
    if not was_trained_ahead():
        from tsladder.execution.supervisor import start_fork_server

        start_fork_server()
    from tsladder.cells.search_cell import search_cell
    from tsladder.cells.work import open_cell

    search_cell(open_cell(places, params, cell, plan))


if __name__ == "__main__":
    sys.exit(run_cell_stage("hpo", build))
