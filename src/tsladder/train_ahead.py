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


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the named cells and return the exit code."""
    parser = argparse.ArgumentParser(description="trainings of several cells in one pool; run by tsladder run")
    parser.add_argument("cells", nargs="+", metavar="CELL", help="for example 2M-h1")
    cells = [Cell.parse(name) for name in parser.parse_args(arguments).cells]
    print(f"Running stage '{NAME}':", flush=True)
    return run_work(lambda: _train(cells))


def _train(cells: Sequence[Cell]) -> None:
    places = Places.here()
    params = load_any_params(places.params)
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
