"""Run `dvc repro` for `tsladder run` in a panel study, then print the level that a model has to beat."""

from __future__ import annotations

import datetime
import os
import shlex
import sys

from tsladder.console.panel_lines import level_lines
from tsladder.console.run_dvc import run_dvc
from tsladder.console.run_log import RunLog, Timeline
from tsladder.errors import BadInput
from tsladder.interruption import Interrupted
from tsladder.log_file import short_path
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.status.panel_state import panel_state
from tsladder.tracking import ui_command
from tsladder.typed_yaml import read_yaml


def _refuse_bare_days(places: Places) -> None:
    """Raise BadInput for a day without quotes, which YAML reads as a date and DVC reads not at all."""
    section = read_yaml(places.params)["splits"]
    faults = [
        f'splits.{name}: write the day in quotes, "{section[name]}": DVC reads no bare date'
        for name in ("validation_start", "test_start")
        if isinstance(section.get(name), datetime.date)
    ]
    if faults:
        raise BadInput(f"{places.params} holds a day that DVC cannot read:", faults)


def run_panel_study(places: Places) -> int:
    """Rebuild what is stale and return the exit code.

    Raises BadInput before DVC starts where params.yaml is faulty or the panel is missing, Interrupted when stopped.
    """
    params = load_panel_params(places.params)
    _refuse_bare_days(places)
    path = places.bars(params.data.panel)
    if not path.exists():
        raise BadInput(
            f"{path} is missing: run `dvc pull data.dvc`, or `tsladder ingest FILE --panel {params.data.panel}` for "
            "your own stocks"
        )
    log = RunLog.create(places)
    log.note(f"tsladder run, process {os.getpid()}")
    if log.kept:
        print(f"tsladder: log: {short_path(log.path)}", file=sys.stderr, flush=True)
    ended = run_dvc(places, ("repro",), log, Timeline(), None)
    log.note(f"ended with {ended.code}")
    if ended.stopped:
        raise Interrupted("stopped; `tsladder run` goes on where it was")
    if ended.code != 0:
        return ended.code if ended.code in (BadInput.exit_code, Interrupted.exit_code) else 1
    report = places.report / "report.md"
    ending = [
        *level_lines(panel_state(places)),
        "",
        f"Report: {report} and report.html beside it",
        f"Compare baselines: tsladder ui, or {shlex.join(ui_command(places.mlruns))}",
    ]
    print("\n".join(["", *ending]))
    return 0
