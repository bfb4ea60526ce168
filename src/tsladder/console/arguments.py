"""What can be typed: the subcommands of `tsladder` and their options. What they do is in `tsladder.cli`."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from tsladder.console.examples import COMPARED, INGESTED, POINTS_TABLE, RUN_KEYS, WATCHED
from tsladder.console.parser import Parser, with_examples


def build_parser() -> Parser:
    """The namespace that it parses into has the subcommand's name in `command`."""
    parser = Parser(
        prog="tsladder",
        description="Does the error of a time-series transformer fall as a power of its parameter count?",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

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

    plan = commands.add_parser("plan", help="dry run: grids, batch plans and memory of every cell; needs no data")
    plan.add_argument("--budget", help="top rung to plan for, instead of params.yaml's")
    plan.add_argument(
        "-S",
        "--set-param",
        dest="assignments",
        action="append",
        default=[],
        metavar="LEAF=VALUE",
        help="another value than params.yaml's, as `dvc exp run -S` takes it; may be given again",
    )
    plan.add_argument("--json", action="store_true", help="print JSON alone")
    plan.add_argument(
        "--calibrate", action="store_true", help="first measure a few models here (a minute), and plan with that"
    )

    status = commands.add_parser("status", help="where every cell stands, from local files")
    form = status.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON alone")
    form.add_argument("--csv", action="store_true", help="print experiment_results.csv as it would be now")

    watch = commands.add_parser(
        "watch",
        help="the table of a run, live, from another terminal",
        description="Show where every cell stands, live, until q or Ctrl-C.",
        epilog=WATCHED,
    )
    watch.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between two looks (1)")

    why = commands.add_parser("why", help="what changed since a cell was built, what would run again and what it costs")
    why.add_argument("cell", metavar="CELL", help="for example 2M-h1")
    why.add_argument("--json", action="store_true", help="print JSON alone")

    compare = commands.add_parser(
        "compare",
        help="is one cell, or one of its baselines, better than another on the same days; or whole experiments",
        description="Paired by day, with an interval: two cells of this study, or experiments of DVC with the first.",
        epilog=COMPARED,
    )
    compare.add_argument(
        "names", nargs="+", metavar="CELL[:BASELINE]|EXP", help="two cells, or two experiments and more"
    )
    compare.add_argument("--region", choices=("validation", "test"), help="instead of the law's")
    compare.add_argument("--json", action="store_true", help="print JSON alone")

    fit = commands.add_parser(
        "fit",
        help="the law of a table of points, its verdict and figure",
        description="Fit a CSV of model sizes and losses, and say what it shows. Any verdict exits 0, bad input 2.",
        epilog=POINTS_TABLE,
    )
    fit.add_argument(
        "points",
        type=Path,
        nargs="+",
        metavar="POINTS.csv",
        help="CSV or JSON, columns n_params and loss, and more: see below; several tables are fitted together",
    )
    fit.add_argument("--json", action="store_true", help="print JSON alone")
    fit.add_argument("--out", type=Path, metavar="DIR", help="write fit.json, fit.csv and fit.png there")
    reading = fit.add_argument_group("reading the table")
    reading.add_argument(
        "--columns",
        action="append",
        default=[],
        metavar="ROLE=COLUMN",
        help="which column is which: n_params=N,n_data=D,loss=val; n_data= leaves data out",
    )
    reading.add_argument(
        "--per-size",
        metavar="HOW",
        help="where rows of one size are no replicates: best (the lowest loss), last:COLUMN (the row with the "
        "highest value of it), mean, or in turn: last:step,best",
    )
    reading.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="no setting of a run: accuracy,wall_seconds"
    )
    reading.add_argument("--decimal", choices=("point", "comma"), help="where the table leaves the decimal mark open")
    judging = fit.add_argument_group("judging it")
    judging.add_argument(
        "--alpha-of-interest", type=float, metavar="X", help="exponent below which none matters (0.015)"
    )
    judging.add_argument("--confidence", type=float, metavar="P", help="of every interval (0.95)")
    judging.add_argument("--draws", type=int, metavar="N", help="of every bootstrap (1000)")
    judging.add_argument("--seed", type=int, metavar="N", help="of every bootstrap (42)")
    judging.add_argument(
        "--huber-delta", type=float, metavar="X", help="threshold of the surface's residuals, else from their noise"
    )

    features = commands.add_parser(
        "features", help="the feature tiers, or every column of one with its formula; needs no data"
    )
    features.add_argument("tier", nargs="?", metavar="TIER", help="a20, a25, c33, a50, a100 or a200")
    features.add_argument("--json", action="store_true", help="print JSON alone")

    ingest = commands.add_parser(
        "ingest",
        help="your own daily bars, or a panel of stocks: read, checked, stored as data/NAME.parquet",
        description="Read daily bars of one symbol, or of many stocks, as people have them, and store them clean as "
        "data/NAME.parquet.",
        epilog=INGESTED,
    )
    ingest.add_argument(
        "sources",
        nargs="+",
        metavar="FILE",
        help="CSV (gzip too), Parquet, Feather or Excel; or yahoo:TICKER; of a panel also several, folders and zips",
    )
    kind = ingest.add_mutually_exclusive_group(required=True)
    kind.add_argument("--symbol", metavar="NAME", help="the bars of one symbol; what data.symbol calls it")
    kind.add_argument("--panel", metavar="NAME", help="the days of many stocks; what data.panel calls them")
    _add_panel(ingest.add_argument_group("what the files of a panel do not say themselves"))
    _add_reading(ingest.add_argument_group("what the file does not say itself"))
    _add_repairs(ingest.add_argument_group("repairs, each on record"))
    ingest.add_argument("--force", action="store_true", help="replace other bars of that name")
    ingest.add_argument("--add", action="store_true", help="then track the data folder: dvc add data")
    ingest.add_argument("--dry-run", action="store_true", help="only say what would be stored")
    ingest.add_argument("--json", action="store_true", help="print JSON alone")

    report = commands.add_parser(
        "report",
        help="the verdicts and where their report lies, or a report rebuilt from a study capsule",
        description="Without --from, the verdicts of the study in this folder and where `tsladder run` put its report. "
        "With --from, everything is computed anew from the capsule's points: anywhere, without the study or a network.",
    )
    report.add_argument("--from", dest="capsule", type=Path, metavar="STUDY.zip", help="what `tsladder export` wrote")
    report.add_argument("--out", type=Path, metavar="DIR", help="where to, instead of a folder named like the capsule")
    report.add_argument("--force", action="store_true", help="overwrite an earlier report in that folder")

    export = commands.add_parser(
        "export",
        help="the study in one file, from which `report --from` rebuilds it elsewhere",
        description="Points, per-day losses, counts, versions, params and plots; no weights, no bars, no path.",
    )
    export.add_argument("capsule", type=Path, metavar="STUDY.zip")
    export.add_argument("--force", action="store_true", help="overwrite an existing file")

    ui = commands.add_parser("ui", help="open the MLflow UI on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000)

    completion = commands.add_parser("completion", help="a script that completes commands, options and cells")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return with_examples(parser, commands.choices)


def _add_reading(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--only-symbol", metavar="X", help="of a file with several symbols, this one")
    group.add_argument("--date-order", choices=("dmy", "mdy", "ymd"), help="where the file leaves day and month open")
    group.add_argument("--century", type=int, choices=(18, 19, 20), help="of years of two digits: 20 for 2000 to 2099")
    group.add_argument("--decimal", choices=("point", "comma"), help="where the file leaves the decimal mark open")
    group.add_argument(
        "--column", action="append", metavar="ROLE=NAME", help="the column of that name is Close, say (repeatable)"
    )
    group.add_argument("--header", metavar="A,B,C", help="names of the columns of a file without a header, - for none")
    group.add_argument("--encoding", metavar="NAME", help="of the text, like gbk or cp1251")
    group.add_argument("--zone", metavar="ZONE", help="the exchange's, like Asia/Tokyo or +09:00, where times need it")
    group.add_argument(
        "--days",
        choices=("as-written", "next", "previous"),
        help="the day of the exchange, where none of its zones tells",
    )
    group.add_argument("--from", dest="first_day", type=_day, metavar="DATE", help="first day to take, else all")
    group.add_argument("--to", dest="last_day", type=_day, metavar="DATE", help="last day to take, else all")


def _add_panel(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--field", choices=("close", "return"), help="what a table with a column for each stock holds")
    group.add_argument(
        "--universe",
        choices=("survivors", "as_listed", "point_in_time"),
        help="which stocks: those left at the end (assumed), those of one list, or those of each day",
    )
    group.add_argument("--returns", choices=("total", "price"), help="with dividends or without")
    group.add_argument("--source", dest="told_source", metavar="TEXT", help="where the data come from, for the record")
    group.add_argument("--licence", metavar="TEXT", help="under which terms, for the record")


def _add_repairs(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--repair", choices=("range",), help="widen High and Low to Open and Close where they must")
    group.add_argument("--missing-volume", choices=("zero", "drop"), help="days without a volume: 0, or left out")
    group.add_argument("--drop-faulty-rows", action="store_true", help="leave out rows that cannot be bars")


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day like 2018-01-31, got {text!r}") from None
