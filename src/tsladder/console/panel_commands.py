"""Commands of `tsladder` that differ in a panel study. `tsladder.cli` calls them with the paths of the study."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import NoReturn

from tsladder.errors import BadInput, WorkFailed
from tsladder.places import Places


def refuse_command(command: str) -> NoReturn:
    """Raise BadInput: `command` is about cells of models, which a panel study does not have."""
    raise BadInput(
        f"`tsladder {command}` is about cells of models, and a panel study ranks by constants and baselines; for it "
        f"there are {', '.join(PANEL_COMMANDS)}, cube, ui and ingest"
    )


def _run(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.panel_run import run_panel_study

    if options.retry_failed or options.first is not None or options.only:
        raise BadInput("--retry-failed, --from and --only choose cells, and a panel study has none: run it whole")
    return run_panel_study(places)


def _status(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.coloured_output import print_lines
    from tsladder.console.panel_lines import panel_lines
    from tsladder.status.panel_state import panel_state

    if options.csv:
        raise BadInput("--csv lists cells, and a panel study has none: its table is artifacts/report/baselines.csv")
    state = panel_state(places)
    if options.json:
        print(json.dumps(state.to_json(), indent=1, allow_nan=False))
    else:
        print_lines(panel_lines(state))
    return 0


def _report(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.panel_lines import level_lines
    from tsladder.status.panel_state import panel_state

    if options.capsule is not None or options.out is not None:
        raise BadInput("--from and --out are about capsules, and a panel study is not packed into one")
    report = places.report / "report.md"
    if not report.exists():
        raise WorkFailed("there is no report here yet: `tsladder --study panel run` builds it")
    print("\n".join([*level_lines(panel_state(places)), "", f"Report: {report} and report.html beside it"]))
    return 0


def _features(_places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.panel_features import (
        describe_panel_tier,
        list_panel_tiers,
        panel_column_lines,
        panel_tier_lines,
    )

    record = list_panel_tiers() if options.tier is None else describe_panel_tier(options.tier)
    if options.json:
        print(json.dumps(record, indent=1))
    else:
        print("\n".join(panel_tier_lines(record) if options.tier is None else panel_column_lines(record)))
    return 0


PANEL_COMMANDS: Mapping[str, Callable[[Places, argparse.Namespace], int]] = {
    "run": _run,
    "status": _status,
    "report": _report,
    "features": _features,
}
