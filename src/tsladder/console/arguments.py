"""Define the subcommands of `tsladder` and their options. `tsladder.cli` runs them."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from tsladder.console.examples import COMPARED, INGESTED, POINTS_TABLE, RUN_KEYS, WATCHED
from tsladder.console.parser import Parser, with_examples

_STUDY = "another study of this project, by its folder: panel; default: the study of the working folder"


def build_parser() -> Parser:
    """Build the parser; its namespace has the subcommand's name in `command`."""
    parser = Parser(
        prog="tsladder",
        description="Does the error of a time-series transformer fall as a power of its parameter count?",
    )
    parser.add_argument("--study", metavar="FOLDER", help=_STUDY)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="rebuild what is stale (dvc repro) and print the verdicts",
        description="Rebuild what is stale, with a live table on a terminal and a plain log elsewhere.",
        epilog=RUN_KEYS,
    )
    run.add_argument("--retry-failed", action="store_true", help="also build failed cells, from the beginning")
    part = run.add_argument_group("a part of the study", "the law and the report, which need every cell, are not built")
    part.add_argument("--from", dest="first", metavar="CELL", help="build this cell and all after it, rung by rung")
    part.add_argument("--only", nargs="+", default=[], metavar="CELL", help="build these cells")

    plan = commands.add_parser("plan", help="dry run: grid, batch plan, memory and time of every cell; needs no data")
    plan.add_argument("--budget", help="plan with this top rung instead of `budget` in params.yaml")
    plan.add_argument(
        "-S",
        "--set-param",
        dest="assignments",
        action="append",
        default=[],
        metavar="LEAF=VALUE",
        help="override a leaf of params.yaml, as `dvc exp run -S` does; repeatable",
    )
    plan.add_argument(
        "--slots",
        metavar="N",
        help="also forecast all cells in one pool of N slots, of which a machine like this one has as many as workers, "
        "and how many slots are worth renting",
    )
    plan.add_argument("--json", action="store_true", help="print JSON alone")
    plan.add_argument(
        "--calibrate",
        action="store_true",
        help="first train a few models briefly on this machine (a minute), and plan with their memory and time",
    )

    status = commands.add_parser("status", help="state of every cell, from local files")
    form = status.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON alone")
    form.add_argument("--csv", action="store_true", help="print the current experiment_results.csv")

    watch = commands.add_parser(
        "watch",
        help="live table of a running study, from another terminal",
        description="Show the state of every cell, live, until q or Ctrl-C.",
        epilog=WATCHED,
    )
    watch.add_argument("--interval", type=float, default=1.0, metavar="S", help="refresh interval in seconds (1)")

    places = commands.add_parser(
        "places",
        help="list where trainings run: this machine's devices, or the nodes of a Ray cluster",
        description="List the places that hardware.executor in params.yaml offers, with device, memory, code and "
        "state. Exit code 1 where none can train.",
    )
    places.add_argument("--wait", type=float, default=60.0, metavar="S", help="seconds to wait for answers of Ray (60)")
    places.add_argument("--json", action="store_true", help="print JSON alone")

    why = commands.add_parser(
        "why", help="list what changed since a cell was built, which stages would run again, and how long they take"
    )
    why.add_argument("cell", metavar="CELL", help="for example 2M-h1")
    why.add_argument("--json", action="store_true", help="print JSON alone")

    compare = commands.add_parser(
        "compare",
        help="compare two cells or baselines, or whole experiments, on the same days",
        description="Compare losses paired by day, with an interval: two cells, or DVC experiments with the first.",
        epilog=COMPARED,
    )
    compare.add_argument(
        "names", nargs="+", metavar="CELL[:BASELINE]|EXP", help="two cells, or two experiments and more"
    )
    compare.add_argument("--region", choices=("validation", "test"), help="region to compare on, instead of law.region")
    compare.add_argument("--json", action="store_true", help="print JSON alone")

    fit = commands.add_parser(
        "fit",
        help="fit a scaling law to a table of sizes and losses, with verdict and figure",
        description="Fit a scaling law to a table of sizes and losses. Exit code 0 for any verdict, 2 for bad input.",
        epilog=POINTS_TABLE,
    )
    fit.add_argument(
        "points",
        type=Path,
        nargs="+",
        metavar="POINTS.csv",
        help="CSV or JSON with columns n_params, loss and optional ones, see below; several tables are fitted together",
    )
    fit.add_argument("--json", action="store_true", help="print JSON alone")
    fit.add_argument("--out", type=Path, metavar="DIR", help="write fit.json, fit.csv and fit.png there")
    reading = fit.add_argument_group("reading the table")
    reading.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="ROLE=COLUMN",
        help="assign columns to roles: n_params=N,n_data=D,loss=val; n_data= ignores data",
    )
    reading.add_argument(
        "--per-size",
        metavar="HOW",
        help="reduce rows of one size that are no replicates: best (lowest loss), last:COLUMN (row with its highest "
        "value), mean, or several in order: last:step,best",
    )
    reading.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="COLUMN",
        help="columns that are no settings of a run: accuracy,wall_seconds",
    )
    reading.add_argument("--decimal", choices=("point", "comma"), help="decimal mark, where the table is ambiguous")
    judging = fit.add_argument_group("verdict")
    judging.add_argument(
        "--alpha-of-interest", type=float, metavar="X", help="smallest exponent that matters (0.015; of RankIC 0.0025)"
    )
    judging.add_argument("--confidence", type=float, metavar="P", help="confidence level of every interval (0.95)")
    judging.add_argument("--draws", type=int, metavar="N", help="draws of every bootstrap (1000)")
    judging.add_argument("--seed", type=int, metavar="N", help="random seed of every bootstrap (42)")
    judging.add_argument(
        "--huber-delta",
        type=float,
        metavar="X",
        help="Huber threshold of the surface's residuals; default: from their noise",
    )

    features = commands.add_parser(
        "features", help="list the feature tiers, or the columns of one with their formulas; needs no data"
    )
    features.add_argument("tier", nargs="?", metavar="TIER", help="a20, a25, c33, a50, a100 or a200")
    features.add_argument("--json", action="store_true", help="print JSON alone")

    ingest = commands.add_parser(
        "ingest",
        help="read your own daily bars, or a panel of stocks, check them and store them as data/NAME.parquet",
        description="Read daily bars of one symbol, or of many stocks, as vendors write them, check and store them "
        "as data/NAME.parquet.",
        epilog=INGESTED,
    )
    ingest.add_argument(
        "sources",
        nargs="+",
        metavar="FILE",
        help="CSV (gzip too), Parquet, Feather or Excel; yahoo:TICKER; for a panel also several files, folders or zips",
    )
    kind = ingest.add_mutually_exclusive_group(required=True)
    kind.add_argument("--symbol", metavar="NAME", help="name of the bars of one symbol, for data.symbol in params.yaml")
    kind.add_argument("--panel", metavar="NAME", help="name of a panel of stocks, for data.panel in params.yaml")
    _add_panel(ingest.add_argument_group("panels of stocks: what the files do not say"))
    _add_reading(ingest.add_argument_group("reading a file that is ambiguous"))
    _add_repairs(ingest.add_argument_group("repairs, each recorded in data/NAME.manifest.json"))
    ingest.add_argument("--force", action="store_true", help="replace existing bars of that name")
    ingest.add_argument("--add", action="store_true", help="then run `dvc add data`")
    ingest.add_argument("--dry-run", action="store_true", help="show what would be stored, and write nothing")
    ingest.add_argument("--json", action="store_true", help="print JSON alone")

    cube = commands.add_parser(
        "cube",
        help="show the cube of a panel study: its inputs and labels in one file, built where there is none",
        description="Show path, key, counts and size of the file that all trainings of a panel study read, and build "
        "it where there is none.",
    )
    cube.add_argument("--verify", action="store_true", help="read every byte and check it; exit code 1 for damage")

    report = commands.add_parser(
        "report",
        help="print the verdicts and the path of the report, or rebuild them from a study capsule",
        description="Without --from, print the verdicts of the study in this folder and the path of its report. "
        "With --from, compute all again from the points in the capsule, on any machine, without study or network.",
    )
    report.add_argument(
        "--from", dest="capsule", type=Path, metavar="STUDY.zip", help="study capsule written by `tsladder export`"
    )
    report.add_argument(
        "--out", type=Path, metavar="DIR", help="output folder; default: a folder named like the capsule"
    )
    report.add_argument("--force", action="store_true", help="overwrite an earlier report in that folder")

    export = commands.add_parser(
        "export",
        help="pack the study into one file, from which `report --from` rebuilds its report",
        description="Pack points, per-day losses, counts, versions, params and plots; no weights, bars or local paths.",
    )
    export.add_argument("capsule", type=Path, metavar="STUDY.zip")
    export.add_argument("--force", action="store_true", help="overwrite an existing file")

    ui = commands.add_parser("ui", help="open the MLflow UI on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)

    sync = commands.add_parser(
        "sync",
        help="log to MLflow what it did not take when it ended",
        description="Log what waits in the spool because MLflow did not answer or a process was killed.",
    )
    sync.add_argument(
        "--to",
        metavar="URI",
        help="log the whole study, from its files, into another store: http(s)://, postgresql:// or sqlite:///",
    )

    completion = commands.add_parser(
        "completion", help="print a shell script that completes commands, options and cells"
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    for command in commands.choices.values():
        # Also behind the command; what stands before it is kept where nothing stands here.
        command.add_argument("--study", metavar="FOLDER", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return with_examples(parser, commands.choices)


def _add_reading(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--only-symbol", metavar="X", help="symbol to read from a file with several")
    group.add_argument(
        "--date-order", choices=("dmy", "mdy", "ymd"), help="order of day and month, where the file is ambiguous"
    )
    group.add_argument(
        "--century", type=int, choices=(18, 19, 20), help="century of two-digit years: 20 for 2000 to 2099"
    )
    group.add_argument("--decimal", choices=("point", "comma"), help="decimal mark, where the file is ambiguous")
    group.add_argument(
        "--column", action="append", metavar="ROLE=NAME", help="column of a role, for example Close=Settle (repeatable)"
    )
    group.add_argument("--header", metavar="A,B,C", help="column names of a file without a header; - skips a column")
    group.add_argument("--encoding", metavar="NAME", help="text encoding, for example gbk or cp1251")
    group.add_argument(
        "--zone",
        metavar="ZONE",
        help="time zone of the exchange, for example Asia/Tokyo or +09:00, where the times need one",
    )
    group.add_argument(
        "--days",
        choices=("as-written", "next", "previous"),
        help="trading day of a time stamp, where no time zone settles it",
    )
    group.add_argument("--from", dest="first_day", type=_day, metavar="DATE", help="first day to read")
    group.add_argument("--to", dest="last_day", type=_day, metavar="DATE", help="last day to read")


def _add_panel(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--field", choices=("close", "return"), help="what a table with one column a stock holds")
    group.add_argument(
        "--universe",
        choices=("survivors", "as_listed", "point_in_time"),
        help="which stocks the files hold: survivors to the end (assumed), those of one list, or the "
        "members of each day",
    )
    group.add_argument("--returns", choices=("total", "price"), help="whether returns include dividends (total)")
    group.add_argument(
        "--members",
        metavar="SOURCE",
        help="membership by day: pitindex (S&P 500 since 2005), or a CSV file with symbol, first and last day, or with "
        "a row a day and symbol",
    )
    group.add_argument(
        "--sessions", metavar="EXCHANGE", help="date rows without dates by the sessions of an exchange, like XNYS"
    )
    group.add_argument(
        "--last-day", dest="last_session", type=_day, metavar="DATE", help="day of the last row, with --sessions"
    )
    group.add_argument("--source", dest="told_source", metavar="TEXT", help="origin of the data, for the manifest")
    group.add_argument("--licence", metavar="TEXT", help="licence of the data, for the manifest")


def _add_repairs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--repair", choices=("range",), help="widen High and Low so that Open and Close lie between them"
    )
    group.add_argument(
        "--missing-volume", choices=("zero", "drop"), help="days without a volume: set it to 0, or drop the day"
    )
    group.add_argument("--drop-faulty-rows", action="store_true", help="drop rows that are no valid bars")


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day like 2018-01-31, got {text!r}") from None
