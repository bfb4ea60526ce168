"""Run a stage script around its one function: read arguments and plan, write endings. Imports nothing heavy.

A stage of an unplanned cell writes one line and imports nothing; a stage whose cell failed upstream hands the
failure on, so that one failed cell never costs the law. A stage that failed by itself ends in order too, and says so
where DVC sees it: the next run takes it up again.
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

from tsladder.artifacts.seeds import Timings, write_timings
from tsladder.artifacts.store import read_json, write_json, write_text
from tsladder.errors import BadInput, WorkFailed
from tsladder.interruption import Interrupted
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.planning.plans import read_plan
from tsladder.stage_log import join_log, note_end
from tsladder.vocabulary import Cell, CellStatus

EXIT_FILE = "TSLADDER_EXIT_FILE"
"""Environment variable: the file in which a failing stage leaves its exit code."""

_GARBAGE_AFTER = 100_000

Plan = dict[str, Any]
StudyVerb = Callable[[Places, Params], None]
CellVerb = Callable[[Places, Params, Cell, Plan], None]


def run_study_stage(verb: StudyVerb, *, shows_results: bool = False) -> int:
    """Run a stage of the whole study; returns the exit code. For a process that ends with it.

    `shows_results`: the table of results so far is written again when it has ended.
    """

    def work() -> None:
        places = Places.here()
        params = load_params(places.params)
        verb(places, params)
        if shows_results:
            _show_results(places, params)

    return _run(work)


def run_cell_stage(stage: str, verb: CellVerb) -> int:
    """Run stage `stage` (hpo, train or evaluate) of the cell named by ``--cell``; returns the exit code.

    For a process that ends with it.
    """
    parser = argparse.ArgumentParser(description=f"stage {stage} of one cell; run by DVC")
    parser.add_argument("--cell", required=True, help="for example 2M-h1")
    name = parser.parse_args().cell

    def work() -> None:
        places = Places.here()
        cell = Cell.parse(name)
        plan_path = {"hpo": places.search_plan, "train": places.train_plan, "evaluate": places.evaluate_plan}[stage]
        plan = read_plan(plan_path(cell))
        inherited = _inherited_ending(stage, places, cell, plan)
        if inherited is not None:
            _write_ending(stage, places, cell, inherited)
        if not plan["planned"]:
            return
        params = load_params(places.params)
        if inherited is None:
            verb(places, params, cell, plan)
        record = {"hpo": places.choice(cell), "train": places.models(cell) / "status.json"}.get(stage)
        if record is not None:
            failed = inherited is None and read_json(record)["status"] == CellStatus.FAILED
            note_ending(places, plan_path(cell), without_result=failed)
        _show_results(places, params)

    return _run(work)


def _show_results(places: Places, params: Params) -> None:
    """The table of results so far has what this stage has left."""
    from tsladder.results.live import LiveResults

    LiveResults(places, params, lambda text: print(f"tsladder: {text}", file=sys.stderr, flush=True)).update()


def _run(work: Callable[[], None]) -> int:
    """Libraries make a million objects that live as long as the process: looking for garbage among them took 0.3 s of
    importing MLflow and 0.8 s at the end of every stage."""
    gc.set_threshold(_GARBAGE_AFTER, 50, 50)
    started = time.monotonic()
    join_log(Places.here().logs)
    code = _report_exit(exit_code(work))
    note_end(code, time.monotonic() - started)
    gc.freeze()
    return code


def exit_code(work: Callable[[], None]) -> int:
    """Run `work`: 0 fine, 1 the work failed, 2 bad input, 130 interrupted; one message on stderr, no traceback."""
    try:
        work()
    except (BadInput, WorkFailed, Interrupted) as ending:
        print(f"tsladder: {ending}", file=sys.stderr)
        return ending.exit_code
    except KeyboardInterrupt:
        print("tsladder: stopped at once; every finished trial is on disk", file=sys.stderr)
        return Interrupted.exit_code
    return 0


def _report_exit(code: int) -> int:
    """Leave a failing exit code where `tsladder run` looks for it: DVC turns every one into its own 255."""
    path = os.environ.get(EXIT_FILE)
    if code != 0 and path is not None:
        write_text(Path(path), str(code))
    return code


def _inherited_ending(stage: str, places: Places, cell: Cell, plan: Plan) -> dict[str, Any] | None:
    """The ending that this cell already has before the stage starts, or None."""
    if not plan["planned"]:
        return {"status": CellStatus.NOT_PLANNED}
    upstream = []
    if stage in ("train", "evaluate"):
        upstream.append(places.choice(cell))
    if stage == "evaluate":
        upstream.append(places.models(cell) / "status.json")
    for path in upstream:
        record = read_json(path)
        if record["status"] == CellStatus.FAILED:
            return {"status": CellStatus.FAILED, "reason": record["reason"]}
    return None


def _write_ending(stage: str, places: Places, cell: Cell, ending: dict[str, Any]) -> None:
    record = {"cell": str(cell), "budget": cell.budget, "horizon": cell.horizon, **ending}
    if stage == "hpo":
        write_json(places.choice(cell), record)
    elif stage == "train":
        write_json(places.models(cell) / "status.json", record)
        write_timings(places.timings(cell), Timings(cell=str(cell)))
    else:
        write_json(places.scores(cell) / "scores.json", record)
