"""`tsladder run`: drive `dvc repro`, then say what passed, failed or was skipped, and the verdicts."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from tsladder.console.status import CellState, study_state
from tsladder.errors import BadInput
from tsladder.interruption import Interrupted
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning.machine import survey
from tsladder.planning.misfit import refuse_too_little
from tsladder.records import read_json
from tsladder.report.summary import verdict_lines
from tsladder.search.admission import forced_by_rung
from tsladder.stage import EXIT_FILE
from tsladder.tracking import ui_command
from tsladder.vocabulary import Cell, CellStatus, StopReason

_WORDS = {"fresh": "PASS", "failed": "FAIL", "not_planned": "SKIP"}


def run_study(places: Places, *, retry_failed: bool) -> int:
    """Rebuild what is stale; returns the exit code. Raises BadInput before DVC starts, Interrupted when stopped."""
    params = load_params(places.params)
    if not places.bars(params.data.symbol).exists():
        raise BadInput(f"{places.bars(params.data.symbol)} is missing: run `dvc pull data.dvc`, or bring your own file")
    # A wish that cannot be fulfilled ends here, not in the first search.
    refuse_too_little(params, survey(params.hardware, places.calibration))
    forced_by_rung(params)
    stopped_by_heat = {str(cell): stage for cell in params.cells if (stage := stage_stopped_by_heat(places, cell))}
    if retry_failed or stopped_by_heat:
        for name, state in study_state(places).cells.items():
            if state.state == "failed" and name in stopped_by_heat:
                _run_again(places, stopped_by_heat[name], Cell.parse(name))
            elif state.state == "failed" and retry_failed:
                _retry(places, Cell.parse(name))
    started = time.monotonic()
    code = _dvc(places, "repro")
    seconds = time.monotonic() - started
    states = study_state(places).cells
    _summarise(states, seconds)
    if code == 0:
        print()
        for line in verdict_lines(places):
            print(line)
        print(f"\nReport: {places.report / 'report.md'} and report.html beside it")
        print(f"Compare trials: tsladder ui, or {shlex.join(ui_command(places.mlruns))}")
    if code in (BadInput.exit_code, Interrupted.exit_code):
        return code
    failed = any(state.state == "failed" for state in states.values())
    return 1 if code != 0 or failed else 0


def _dvc(places: Places, *arguments: str) -> int:
    """Run DVC in a session of its own, so that a Ctrl-C reaches it once, from here; the failing stage's exit code."""
    environment = dict(os.environ)
    # The stages say `python`: it must be this one, also when the environment is not activated.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    command = [sys.executable, "-m", "dvc", *arguments]
    exit_file = places.mlruns / f"exit-{os.getpid()}"
    environment[EXIT_FILE] = str(exit_file)
    process: subprocess.Popen[bytes] | None = None
    stopped: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)
        if process is not None:
            os.killpg(process.pid, signal.SIGINT)

    # Before DVC starts: a run in the background of a shell has SIGINT ignored, and a child inherits that unless its
    # parent handles the signal. DVC would then start stage after stage whatever it is sent.
    previous = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        process = subprocess.Popen(command, cwd=places.root, env=environment, start_new_session=True)
        if stopped:
            os.killpg(process.pid, signal.SIGINT)
        code = process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    stage_code = int(exit_file.read_text()) if exit_file.exists() else None
    exit_file.unlink(missing_ok=True)
    if stopped:
        raise Interrupted("stopped; `tsladder run` goes on where this ended")
    return code if stage_code is None else stage_code


def _retry(places: Places, cell: Cell) -> None:
    """Set the live record of what failed aside and run that stage again, past DVC's run cache."""
    stage = "hpo" if read_json(places.choice(cell))["status"] == CellStatus.FAILED else "train"
    stamp = time.strftime("%Y%m%dT%H%M%S")
    for folder in places.live_records(cell, stage):
        folder.rename(folder.with_name(f"failed-{stamp}-{folder.name}"))
    _run_again(places, stage, cell)


def stage_stopped_by_heat(places: Places, cell: Cell) -> str | None:
    """The stage (hpo or train) that was stopped for heat and goes on from its live record; None: neither was."""
    for stage, path in (("hpo", places.choice(cell)), ("train", places.models(cell) / "status.json")):
        if path.exists() and read_json(path).get("stop_reason") == StopReason.THERMAL:
            return stage
    return None


def _run_again(places: Places, stage: str, cell: Cell) -> None:
    """A stage that is fresh to DVC, since it ended in order."""
    _dvc(places, "repro", "--force", "--single-item", f"{stage}@{cell.budget}-{cell.horizon}")


def _summarise(states: Mapping[str, CellState], seconds: float) -> None:
    print()
    for name, state in states.items():
        word = _WORDS.get(state.state, "OPEN")
        spent = "" if state.seconds_spent is None else f"{state.seconds_spent:.0f} s of training"
        print(f"{word}  {name:<10} {state.state.replace('_', ' '):<12} {spent:>20} {state.reason or ''}".rstrip())
    print(f"{seconds:.0f} s in all")
