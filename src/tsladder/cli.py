"""The command `tsladder`. Subcommands import what they need when they run, so that help and status answer at once."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from tsladder.places import Places
from tsladder.stage import exit_code

EXAMPLES = """examples:
  tsladder plan                  what would run here, cell by cell
  tsladder plan --budget 2M      the same with 2M as the top rung
  tsladder run                   rebuild what is stale and print the verdicts
  tsladder status --json         where every cell stands
  tsladder compare 12k-h1 2M-h1  is one cell better than another, on the same days
  tsladder fit points.csv        the law of any table of sizes and losses
  tsladder ingest spy.csv --symbol spy   your own daily bars, checked, as data/spy.parquet
  tsladder ui                    compare trials in the browser
"""

FIT_HELP = """the table:
  n_params   parameters of a model: 2000000, 2e6 or 2M
  loss       its loss; rows of one size are replicates of one rung
  n_data     what it was trained on; where it varies, E + A N^-alpha + B D^-beta is fitted too
  group      a law for each; without it there is one, "all"
  seed       tells replicates apart: the same run twice is an error
  se         standard error of the loss, for rungs of one row

examples:
  tsladder fit points.csv                 a verdict for every group
  tsladder fit points.csv --json          the same as JSON alone
  tsladder fit points.csv --out results   also results/fit.json, fit.csv and fit.png
"""

INGEST_HELP = """Columns in any order, named as vendors do; days and numbers as they come. What is ambiguous is refused
with its readings, what is wrong with its row. Rows are numbered as an editor shows them.

examples:
  tsladder ingest SPY.csv --symbol spy             checked and stored as data/spy.parquet
  tsladder ingest SPY.csv --symbol spy --dry-run   only said
  tsladder ingest all.csv --symbol spy --only-symbol SPY --add
  tsladder ingest yahoo:SPY --symbol spy --from 1993-01-29
"""


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tsladder",
        description="Does the error of a time-series transformer fall as a power of its parameter count?",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="rebuild what is stale (dvc repro) and print the verdicts")
    run.add_argument("--retry-failed", action="store_true", help="build failed cells again from the beginning")
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
        epilog=FIT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fit.add_argument("points", type=Path, metavar="POINTS.csv", help="columns n_params and loss, and more: see below")
    fit.add_argument("--json", action="store_true", help="print JSON alone")
    fit.add_argument("--out", type=Path, metavar="DIR", help="write fit.json, fit.csv and fit.png there")
    fit.add_argument(
        "--huber-delta", type=float, metavar="X", help="threshold of the surface's residuals, else from their noise"
    )
    fit.set_defaults(command=_fit)

    ingest = commands.add_parser(
        "ingest",
        help="your own daily bars: read, checked, stored as data/NAME.parquet",
        description="Read daily bars as people have them, and store them clean as data/NAME.parquet.",
        epilog=INGEST_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ingest.add_argument("source", metavar="FILE", help="CSV (gzip too) or Parquet; or yahoo:TICKER")
    ingest.add_argument("--symbol", required=True, metavar="NAME", help="what data.symbol calls it")
    ingest.add_argument("--only-symbol", metavar="X", help="of a file with several symbols, this one")
    ingest.add_argument("--date-order", choices=("dmy", "mdy"), help="where the file leaves day and month open")
    ingest.add_argument("--decimal", choices=("point", "comma"), help="where the file leaves the decimal mark open")
    ingest.add_argument(
        "--from", dest="since", type=_day, metavar="DATE", help="first day to download, else all (yahoo: only)"
    )
    ingest.add_argument("--force", action="store_true", help="replace other bars of that name")
    ingest.add_argument("--add", action="store_true", help="then track the data folder: dvc add data")
    ingest.add_argument("--dry-run", action="store_true", help="only say what would be stored")
    ingest.add_argument("--json", action="store_true", help="print JSON alone")
    ingest.set_defaults(command=_ingest)

    ui = commands.add_parser("ui", help="open the MLflow UI on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)
    ui.set_defaults(command=_ui)
    return parser


def _run(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.run import run_study

    return run_study(places, retry_failed=options.retry_failed)


def _plan(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.plan import study_forecast
    from tsladder.console.tables import forced_lines, forecast_lines

    if options.calibrate:
        from tsladder.console.calibrate import calibrate_here

        calibrate_here(places)
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
    from tsladder.console.status import study_state
    from tsladder.console.tables import status_lines

    state = study_state(places)
    if options.json:
        print(json.dumps(state.to_json(), indent=1))
    else:
        print("\n".join(status_lines(state)))
    return 0


def _compare(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.compare import compare_here, comparison_lines

    found = compare_here(places, options.first, options.second, options.region)
    if options.json:
        print(json.dumps(dataclasses.asdict(found), indent=1, allow_nan=False))
    else:
        print("\n".join(comparison_lines(found)))
    return 0


def _fit(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.fit import fit_lines, fit_points

    record = fit_points(options.points, options.out, options.huber_delta)
    if options.json:
        print(json.dumps(record, indent=1, allow_nan=False))
    else:
        print("\n".join(fit_lines(record)))
    if record["ignored_columns"]:
        print(f"tsladder: note: columns ignored: {', '.join(record['ignored_columns'])}", file=sys.stderr)
    return 0


def _ingest(places: Places, options: argparse.Namespace) -> int:
    from tsladder.console.ingest import Wishes, ingest_and_say
    from tsladder.ingest.build import Reading
    from tsladder.ingest.dates import DateOrder
    from tsladder.ingest.numbers import Decimal

    reading = Reading(
        only_symbol=options.only_symbol,
        date_order=options.date_order and DateOrder(options.date_order),
        decimal=options.decimal and Decimal(options.decimal),
    )
    wishes = Wishes(reading=reading, since=options.since, force=options.force, dry_run=options.dry_run)
    today = datetime.date.today()
    ingest_and_say(places, options.source, options.symbol, wishes, add=options.add, as_json=options.json, today=today)
    return 0


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day like 2018-01-31, got {text!r}") from None


def _ui(places: Places, options: argparse.Namespace) -> NoReturn:
    from tsladder.params import load_params
    from tsladder.tracking import UI_ENVIRONMENT, ui_command, view_addresses

    command = ui_command(places.mlruns, port=options.port)
    print(shlex.join(command), file=sys.stderr, flush=True)
    for name, address in view_addresses(
        places.mlruns, load_params(places.params).study.name, port=options.port
    ).items():
        print(f"{name}: {address}", file=sys.stderr, flush=True)
    # In place of this process, so that ending it ends the server. `mlflow` is the one of this environment, also when
    # the environment is not activated.
    os.execve(sys.executable, [sys.executable, "-m", *command], {**os.environ, **UI_ENVIRONMENT})  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
