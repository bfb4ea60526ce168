"""Run a stage script around its one function: read arguments and plan, write endings.

A stage of a cell that is not planned writes one line, and imports neither records nor libraries for it: a study has
dozens of such stages, and each is a process of its own. A stage that fails by itself also ends in order and records its
failure where DVC sees it, so that the next run retries it.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.artifacts.ending import Ending
from tsladder.artifacts.not_planned import read_not_planned
from tsladder.artifacts.store import write_text
from tsladder.cell_endings import end_without_result, plan_path
from tsladder.errors import BadInput, WorkFailed
from tsladder.interruption import Interrupted
from tsladder.messages import print_message
from tsladder.places import Places
from tsladder.stage_log import join_log, note_end
from tsladder.vocabulary import Cell, CellStatus

if TYPE_CHECKING:
    from tsladder.params import PanelParams, Params
    from tsladder.planned_stage import CellVerb

    StudyVerb = Callable[[Places, Params], None]
    PanelVerb = Callable[[Places, PanelParams], None]

EXIT_FILE = "TSLADDER_EXIT_FILE"
"""Environment variable with the path of the file in which a failing stage leaves its exit code."""

TRAINED_AHEAD = "TSLADDER_TRAINED_AHEAD"
"""Environment variable that `tsladder run` sets for stages whose models it has trained before."""

_GARBAGE_AFTER = 100_000
_INTERRUPTED_SECONDS = 5.0


def run_study_stage(verb: StudyVerb, *, shows_results: bool = False) -> int:
    """Run a stage of the whole study and return the exit code. For a process that ends with the stage.

    `shows_results`: whether to rewrite the live table of results when the stage has ended.
    """

    def work() -> None:
        from tsladder.params import load_params

        places = Places.here()
        params = load_params(places.params)
        verb(places, params)
        if shows_results:
            from tsladder.planned_stage import show_results

            show_results(places, params)

    return run_work(work)


def run_panel_stage(verb: PanelVerb, *, shows_results: bool = False) -> int:
    """Run a stage of a panel study, as `run_study_stage` does for a series study."""

    def work() -> None:
        from tsladder.params import load_panel_params

        places = Places.here()
        params = load_panel_params(places.params)
        verb(places, params)
        if shows_results and params.budget is not None:
            from tsladder.planned_stage import show_results

            show_results(places, params)

    return run_work(work)


def run_cell_stage(stage: str, verb: CellVerb) -> int:
    """Run stage `stage` (hpo, train, evaluate or pretrain) of the cell named by ``--cell``; return the exit code.

    For a process that ends with the stage.
    """
    name = _cell_asked_for(stage)

    def work() -> None:
        places, cell = Places.here(), Cell.parse(name)
        nothing = read_not_planned(plan_path(stage, places, cell))
        if nothing is not None:
            end_without_result(stage, places, cell, Ending.of(cell, CellStatus.NOT_PLANNED, nothing.reason))
            return
        from tsladder.planned_stage import run_planned_stage

        run_planned_stage(stage, verb, places, cell)

    return run_work(work)


def _cell_asked_for(stage: str) -> str:
    """Return the name of the cell on the command line."""
    if len(sys.argv) == 3 and sys.argv[1] == "--cell":
        return sys.argv[2]
    # Only for what DVC never writes: importing it takes as long as everything else that an unplanned stage does.
    import argparse

    parser = argparse.ArgumentParser(description=f"stage {stage} of one cell; run by DVC")
    parser.add_argument("--cell", required=True, help="for example 2M-h1")
    return str(parser.parse_args().cell)


def run_work(work: Callable[[], None]) -> int:
    """Run `work` as a stage, with its log, and return the exit code. For a process that ends with it.

    Garbage collection is made rare: libraries create a million objects that live as long as the process, and scanning
    them took 0.3 s while importing MLflow and 0.8 s at the end of every stage.
    """
    gc.set_threshold(_GARBAGE_AFTER, 50, 50)
    started = time.monotonic()
    join_log(Places.here().logs)
    try:
        code = exit_code(work)
    except Exception:
        # What leaves no exit code has been killed.
        _report_exit(1)
        raise
    _settle_tracking(code)
    _report_exit(code)
    note_end(code, time.monotonic() - started)
    gc.freeze()
    return code


def was_trained_ahead() -> bool:
    """Check whether the models of this stage were trained before it: it then starts no fork server, which loads torch,
    unless it finds something to train."""
    return TRAINED_AHEAD in os.environ


def exit_code(work: Callable[[], None]) -> int:
    """Run `work` and return its exit code: 0 success, 1 the work failed, 2 bad input, 130 interrupted; one message on
    stderr, no traceback."""
    try:
        work()
    except (BadInput, WorkFailed, Interrupted) as ending:
        print_message(str(ending))
        return ending.exit_code
    except KeyboardInterrupt:
        print_message("stopped at once; every finished trial is on disk")
        return Interrupted.exit_code
    return 0


def _settle_tracking(code: int) -> None:
    """Wait for the copy of the study in MLflow, where the stage has made one; not for long where it was interrupted."""
    if "tsladder.tracking" not in sys.modules:
        return
    from tsladder.tracking import SETTLE_SECONDS, settle_all

    settle_all(_INTERRUPTED_SECONDS if code == Interrupted.exit_code else SETTLE_SECONDS)


def _report_exit(code: int) -> None:
    """Leave a failing exit code where `tsladder run` looks for it: DVC turns every failure into its own
    exit code 255."""
    path = os.environ.get(EXIT_FILE)
    if code != 0 and path is not None:
        write_text(Path(path), str(code))
