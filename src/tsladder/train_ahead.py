"""Train several cells in one pool: `python -m tsladder.train_ahead CELL...`, run by `tsladder run` before DVC.

Exit codes are those of a stage. Imports nothing heavy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tsladder.errors import BadInput, WorkFailed
from tsladder.interruption import Interrupted
from tsladder.params import PanelParams, load_any_params
from tsladder.places import Places
from tsladder.stage import run_work
from tsladder.vocabulary import Cell

NAME = "train_ahead"
"""Name under which the work stands in the log and in the summary of a run, as DVC's stages do under theirs."""


AGAIN = "--again"
"""Option of a start after the process was killed: the head of a Ray cluster that is gone may come back meanwhile."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the named cells and return the exit code."""
    parser = argparse.ArgumentParser(description="trainings of several cells in one pool; run by tsladder run")
    parser.add_argument("cells", nargs="+", metavar="CELL", help="for example 2M-h1")
    parser.add_argument(AGAIN, action="store_true", help="wait for hardware.address for hardware.patience seconds")
    given = parser.parse_args(arguments)
    cells = [Cell.parse(name) for name in given.cells]
    print(f"Running stage '{NAME}':", flush=True)
    return run_work(lambda: _train(cells, again=given.again))


def _train(cells: Sequence[Cell], *, again: bool) -> None:
    places = Places.here()
    params = load_any_params(places.params)
    if again and params.hardware.executor == "ray" and params.hardware.address is not None:
        from tsladder.execution.ray_crew import wait_for_head

        wait_for_head(params.hardware.address, params.hardware.patience)
    if params.hardware.executor == "local":
        from tsladder.execution.supervisor import start_fork_server

        start_fork_server(panel=isinstance(params, PanelParams))
    from tsladder.cells.ahead import train_ahead

    errors = train_ahead(places, params, cells)
    unexpected = [error for error in errors.values() if not isinstance(error, BadInput | WorkFailed | Interrupted)]
    if unexpected:
        raise unexpected[0]
    stopped = [error for error in errors.values() if isinstance(error, Interrupted)]
    for cell, error in errors.items():
        if error not in stopped:
            print(f"{cell}: not trained ahead: {error}", file=sys.stderr, flush=True)
    if stopped:
        raise Interrupted("stopped; every finished trial is on disk")
    if errors:
        raise WorkFailed(f"{len(errors)} of {len(cells)} cells were not trained ahead: their stages say why")


if __name__ == "__main__":
    sys.exit(main())
