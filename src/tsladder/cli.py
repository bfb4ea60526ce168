"""The command `tsladder`. Subcommands import what they need when they run, so that help and status answer at once."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tsladder.console.examples import POINTS_TABLE, RUN_KEYS, WATCHED
from tsladder.console.parser import Parser, with_examples
from tsladder.console.progress import progress
from tsladder.places import Places
from tsladder.stage import exit_code


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point: 0 fine, 1 the work failed, 2 bad input, 130 interrupted."""
    options = _parser().parse_args(arguments)
    places = Places.here()
    command: Callable[[Places, argparse.Namespace], int] = options.command
    codes: list[int] = []
    try:
        ending = exit_code(lambda: codes.append(command(places, options)))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever was reading, `head` for instance, has seen enough. Python would complain once more as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return codes[0] if codes else 0
    return ending or codes[0]


def _parser() -> Parser:
    parser = Parser(
        prog="tsladder",
        description="Does the error of a time-series transformer fall as a power of its parameter count?",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="rebuild what is stale (dvc repro) and print the verdicts",
        description="Rebuild what is stale, with a live table on a terminal and a plain log elsewhere.",
        epilog=RUN_KEYS,
    )
    run.add_argument("--retry-failed", action="store_true", help="build failed cells again from the beginning")
    part = run.add_argument_group("a part of the study", "without the law and the report, which need all of it")
    part.add_argument("--from", dest="first", metavar="CELL", help="build this cell and all after it, rung by rung")
    part.add_argument("--only", nargs="+", default=[], metavar="CELL", help="build these cells")
    run.set_defaults(command=_run)

    plan = commands.add_parser("plan", help="dry run: grids, batch plans and memory of every cell; needs no data")
    plan.add_argument("--budget", help="top rung to plan for, instead of params.yaml's")
    plan.add_argument("--json", action="store_true", help="print JSON alone")
    plan.add_argument(
        "--calibrate", action="store_true", help="first measure a few models here (a minute), and plan with that"
    )
    plan.set_defaults(command=_plan)

    status = commands.add_parser("status", help="where every cell stands, from local files")
    status.add_argument("--json", action="store_true", help="print JSON alone")
    status.set_defaults(command=_status)

    watch = commands.add_parser(
        "watch",
        help="the table of a run, live, from another terminal",
        description="Show where every cell stands, live, until q or Ctrl-C.",
        epilog=WATCHED,
    )
    watch.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between two looks (1)")
    watch.set_defaults(command=_watch)

    why = commands.add_parser("why", help="what changed since a cell was built, what would run again and what it costs")
    why.add_argument("cell", metavar="CELL", help="for example 2M-h1")
    why.add_argument("--json", action="store_true", help="print JSON alone")
    why.set_defaults(command=_why)

    compare = commands.add_parser(
        "compare",
        help="is one cell, or one of its baselines, better than another on the same days",
        description="Paired by day, with an interval. A name is a cell (2M-h1) or its baseline (2M-h1:persistence).",
    )
    compare.add_argument("first", metavar="CELL[:BASELINE]")
    compare.add_argument("second", metavar="CELL[:BASELINE]")
    compare.add_argument("--region", choices=("validation", "test"), help="instead of the law's")
    compare.add_argument("--json", action="store_true", help="print JSON alone")
    compare.set_defaults(command=_compare)

    fit = commands.add_parser(
        "fit",
        help="the law of a table of points, its verdict and figure",
        description="Fit a CSV of model sizes and losses, and say what it shows. Any verdict exits 0, bad input 2.",
        epilog=POINTS_TABLE,
    )
    fit.add_argument("points", type=Path, metavar="POINTS.csv", help="columns n_params and loss, and more: see below")
    fit.add_argument("--json", action="store_true", help="print JSON alone")
    fit.add_argument("--out", type=Path, metavar="DIR", help="write fit.json, fit.csv and fit.png there")
    fit.add_argument(
        "--huber-delta", type=float, metavar="X", help="threshold of the surface's residuals, else from their noise"
    )
    fit.set_defaults(command=_fit)

    report = commands.add_parser(
        "report",
        help="the verdicts and where their report lies, or a report rebuilt from a study capsule",
        description="Without --from, the verdicts of the study in this folder and where `tsladder run` put its report. "
        "With --from, everything is computed anew from the capsule's points: anywhere, without the study or a network.",
    )
    report.add_argument("--from", dest="capsule", type=Path, metavar="STUDY.zip", help="what `tsladder export` wrote")
    report.add_argument("--out", type=Path, metavar="DIR", help="where to, instead of a folder named like the capsule")
    report.add_argument("--force", action="store_true", help="overwrite an earlier report in that folder")
    report.set_defaults(command=_report)

    export = commands.add_parser(
        "export",
        help="the study in one file, from which `report --from` rebuilds it elsewhere",
        description="Points, per-day losses, counts, versions, params and plots; no weights, no bars, no path.",
    )
    export.add_argument("capsule", type=Path, metavar="STUDY.zip")
    export.add_argument("--force", action="store_true", help="overwrite an existing file")
    export.set_defaults(command=_export)

    ui = commands.add_parser("ui", help="open the MLflow UI on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)
    ui.set_defaults(command=_ui)

    completion = commands.add_parser("completion", help="a script that completes commands, options and cells")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    completion.set_defaults(command=_completion)
    return with_examples(parser, commands.choices)


def _run(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.run import run_study

    return run_study(places, retry_failed=options.retry_failed, first=options.first, only=options.only)


def _plan(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.plan import study_forecast
    from tsladder.console.tables import forced_lines, forecast_lines

    if options.calibrate:
        from tsladder.console.calibrate import calibrate_here, calibration_lines

        with progress("measuring this machine") as on_step:
            calibrated = calibrate_here(places, on_step)
        print("\n".join(calibration_lines(calibrated)), file=sys.stderr, flush=True)
    forecast = study_forecast(places, options.budget)
    if options.json:
        print(json.dumps(forecast.to_json(), indent=1))
    else:
        print("\n".join([*forecast_lines(forecast), "", *forced_lines(forecast)]))
    for note in forecast.notes:
        print(f"tsladder: note: {note}", file=sys.stderr)
    for name, reason in forecast.refused.items():
        print(f"tsladder: {name} cannot be trained here: {reason}", file=sys.stderr)
    return 1 if forecast.refused else 0


def _status(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.paint import print_lines
    from tsladder.console.status import study_state
    from tsladder.console.tables import status_lines

    state = study_state(places)
    if options.json:
        print(json.dumps(state.to_json(), indent=1))
    else:
        print_lines(status_lines(state))
    for note in state.notes:
        print(f"tsladder: note: {note}", file=sys.stderr)
    return 0


def _why(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.paint import print_lines
    from tsladder.console.reason_lines import why_lines
    from tsladder.console.why import why

    found = why(places, options.cell)
    if options.json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        print_lines(why_lines(found))
    return 0


def _watch(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.watch import watch_study

    return watch_study(places, interval=options.interval)


def _compare(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.compare import compare_here, comparison_lines

    with progress("comparing by day"):
        found = compare_here(places, options.first, options.second, options.region)
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=1, allow_nan=False))
    else:
        print("\n".join(comparison_lines(found)))
    return 0


def _fit(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.fit import fit_lines, fit_points

    with progress(f"fitting {options.points.name}") as on_step:
        record = fit_points(options.points, options.out, options.huber_delta, on_step)
    if options.json:
        print(json.dumps(record, indent=1, allow_nan=False))
    else:
        print("\n".join(fit_lines(record)))
    if record["ignored_columns"]:
        print(f"tsladder: note: columns ignored: {', '.join(record['ignored_columns'])}", file=sys.stderr)
    return 0


def _report(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.capsule import refuse_out_without_capsule, report_from, report_here

    code = 0
    if options.capsule is None:
        refuse_out_without_capsule(options.out, force=options.force)
        lines = report_here(places)
    else:
        lines, code = report_from(options.capsule, options.out, force=options.force)
    print("\n".join(lines))
    return code


def _export(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.capsule import export_here

    print("\n".join(export_here(places, options.capsule, force=options.force)))
    return 0


def _ui(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.ui import open_ui

    open_ui(places, options.port)


def _completion(_places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.completion import completion_script

    print(completion_script(_parser(), options.shell))
    return 0


if __name__ == "__main__":
    sys.exit(main())
