"""Run a stage script around its one function: read arguments and plan, write endings. Imports nothing heavy.

A stage of an unplanned cell writes one line and imports nothing; a stage whose cell failed upstream passes the failure
on, so that one failed cell never costs the law. A stage that fails by itself also ends in order and records its failure
where DVC sees it, so that the next run retries it.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tsladder.artifacts.choice import write_choice
from tsladder.artifacts.ending import Ending, read_ending
from tsladder.artifacts.models import write_models_status
from tsladder.artifacts.plans import EvaluatePlan, NotPlanned, Plan, PretrainPlan, SearchPlan, TrainPlan, read_plan
from tsladder.artifacts.pretraining import write_pretraining
from tsladder.artifacts.scores import write_scores
from tsladder.artifacts.seeds import Timings, write_timings
from tsladder.artifacts.store import write_text
from tsladder.errors import BadInput, WorkFailed
from tsladder.interruption import Interrupted
from tsladder.params import AnyParams, PanelParams, Params, load_any_params, load_panel_params, load_params
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.stage_log import join_log, note_end
from tsladder.vocabulary import Cell, CellStatus

EXIT_FILE = "TSLADDER_EXIT_FILE"
"""Environment variable with the path of the file in which a failing stage leaves its exit code."""

_GARBAGE_AFTER = 100_000
_INTERRUPTED_SECONDS = 5.0

StudyVerb = Callable[[Places, Params], None]
PanelVerb = Callable[[Places, PanelParams], None]
CellVerb = Callable[[Places, Any, Cell, Any], None]
"""Function of a stage of one cell, of the parameters of either kind of study and of the plan of the stage, a record of
`tsladder.artifacts.plans`."""


def run_study_stage(verb: StudyVerb, *, shows_results: bool = False) -> int:
    """Run a stage of the whole study and return the exit code. For a process that ends with the stage.

    `shows_results`: whether to rewrite the live table of results when the stage has ended.
    """

    def work() -> None:
        places = Places.here()
        params = load_params(places.params)
        verb(places, params)
        if shows_results:
            _show_results(places, params)

    return _run(work)


def run_panel_stage(verb: PanelVerb, *, shows_results: bool = False) -> int:
    """Run a stage of a panel study, as `run_study_stage` does for a series study."""

    def work() -> None:
        places = Places.here()
        params = load_panel_params(places.params)
        verb(places, params)
        if shows_results and params.budget is not None:
            _show_results(places, params)

    return _run(work)


def run_cell_stage(stage: str, verb: CellVerb) -> int:
    """Run stage `stage` (hpo, train, evaluate or pretrain) of the cell named by ``--cell``; return the exit code.

    For a process that ends with the stage.
    """
    parser = argparse.ArgumentParser(description=f"stage {stage} of one cell; run by DVC")
    parser.add_argument("--cell", required=True, help="for example 2M-h1")
    name = parser.parse_args().cell

    def work() -> None:
        places = Places.here()
        cell = Cell.parse(name)
        path, plan = _plan_of(stage, places, cell)
        inherited = _inherited_ending(stage, places, cell, plan)
        if inherited is not None:
            _write_ending(stage, places, cell, inherited)
        if isinstance(plan, NotPlanned):
            return
        params = load_any_params(places.params)
        if inherited is None:
            verb(places, params, cell, plan)
        record = {
            "hpo": places.choice(cell),
            "train": places.models_status(cell),
            "pretrain": places.pretraining_record(cell),
        }.get(stage)
        if record is not None:
            failed = inherited is None and read_ending(record).failed
            note_ending(places, path, without_result=failed)
        _show_results(places, params)

    return _run(work)


def _show_results(places: Places, params: AnyParams) -> None:
    """Update the live table of results with what this stage has left."""
    from tsladder.results.live import LiveResults

    LiveResults(places, params, lambda text: print(f"tsladder: {text}", file=sys.stderr, flush=True)).update()


def _run(work: Callable[[], None]) -> int:
    """Run `work` as a stage, with its log, and return the exit code.

    Garbage collection is made rare: libraries create a million objects that live as long as the process, and scanning
    them took 0.3 s while importing MLflow and 0.8 s at the end of every stage.
    """
    gc.set_threshold(_GARBAGE_AFTER, 50, 50)
    started = time.monotonic()
    join_log(Places.here().logs)
    code = exit_code(work)
    _settle_tracking(code)
    _report_exit(code)
    note_end(code, time.monotonic() - started)
    gc.freeze()
    return code


def exit_code(work: Callable[[], None]) -> int:
    """Run `work` and return its exit code: 0 success, 1 the work failed, 2 bad input, 130 interrupted; one message on
    stderr, no traceback."""
    try:
        work()
    except (BadInput, WorkFailed, Interrupted) as ending:
        print(f"tsladder: {ending}", file=sys.stderr)
        return ending.exit_code
    except KeyboardInterrupt:
        print("tsladder: stopped at once; every finished trial is on disk", file=sys.stderr)
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


def _plan_of(stage: str, places: Places, cell: Cell) -> tuple[Path, Plan | NotPlanned]:
    """Return the path of the plan file of a cell's stage, and the plan in it."""
    if stage == "hpo":
        return (path := places.search_plan(cell)), read_plan(SearchPlan, path)
    if stage == "train":
        return (path := places.train_plan(cell)), read_plan(TrainPlan, path)
    if stage == "pretrain":
        return (path := places.pretrain_plan(cell)), read_plan(PretrainPlan, path)
    return (path := places.evaluate_plan(cell)), read_plan(EvaluatePlan, path)


def _inherited_ending(stage: str, places: Places, cell: Cell, plan: Plan | NotPlanned) -> Ending | None:
    """Return the ending that this cell already has before the stage starts, or None."""
    if isinstance(plan, NotPlanned):
        return Ending.of(cell, CellStatus.NOT_PLANNED, plan.reason)
    upstream = []
    if stage in ("train", "evaluate", "pretrain"):
        upstream.append(places.choice(cell))
    if stage in ("evaluate", "pretrain"):
        upstream.append(places.models_status(cell))
    for path in upstream:
        ending = read_ending(path)
        if ending.failed:
            return Ending.of(cell, CellStatus.FAILED, ending.reason)
    return None


def _write_ending(stage: str, places: Places, cell: Cell, ending: Ending) -> None:
    if stage == "hpo":
        write_choice(places.choice(cell), ending)
    elif stage == "train":
        write_models_status(places.models_status(cell), ending)
        write_timings(places.timings(cell), Timings(cell=str(cell)))
    elif stage == "pretrain":
        write_pretraining(places.pretraining_record(cell), ending)
    else:
        write_scores(places.scores_record(cell), ending)
