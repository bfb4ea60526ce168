"""Examples below the `--help` of every command, each a line that works as it stands, and further help."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "run": (
        ("tsladder run", "rebuild what is stale, then print the verdicts"),
        ("tsladder run --retry-failed", "also failed cells, from the beginning"),
        ("tsladder run --from 2M-h1", "this cell and all after it"),
        ("tsladder run --only 12k-h1 2M-h5", "these two cells"),
        ("tsladder run --study panel", "the study of a panel of stocks, in panel/"),
    ),
    "plan": (
        ("tsladder plan", "what would run here, cell by cell"),
        ("tsladder plan --budget 2M", "the same with 2M as the top rung"),
        ("tsladder plan -S search.trials=50 -S data.tier=a200", "with other parameters"),
        ("tsladder plan --calibrate", "measure this machine first"),
        ("tsladder plan --slots 24", "hours and idle time on 24 slots, and how many are worth renting"),
        ("tsladder plan --study panel -S data.tier=c21", "of the study of a panel, with other columns"),
        ("tsladder plan --json", "for programs"),
    ),
    "status": (
        ("tsladder status", "state of every cell"),
        ("tsladder status --json", "for programs"),
        ("tsladder status --csv > now.csv", "one row per cell, with the columns of experiment_results.csv"),
        ("tsladder status --study panel", "cells of a panel study, and the level that its models have to beat"),
    ),
    "watch": (
        ("tsladder watch", "live, until q or Ctrl-C"),
        ("tsladder watch --interval 5", "refresh every five seconds"),
        ("tsladder watch > watch.txt", "print the status whenever it has changed"),
        ("tsladder watch --study panel", "the study of a panel of stocks"),
    ),
    "places": (
        ("tsladder places", "the devices of this machine, or the nodes of hardware.address"),
        ("tsladder places --json", "for programs"),
    ),
    "why": (
        ("tsladder why 2M-h1", "what changed since a cell was built, and how long a rebuild takes"),
        ("tsladder why 2M-h1 --json", "for programs"),
    ),
    "compare": (
        ("tsladder compare 12k-h1 2M-h1", "two cells on the same days"),
        ("tsladder compare 2M-h1 2M-h1:persistence", "a cell and one of its baselines"),
        ("tsladder compare 12k-h1 2M-h1 --region validation", "on the validation region"),
        ("tsladder compare workspace tidal-axis", "this study and an experiment, horizon by horizon"),
        ("tsladder compare main tidal-axis lucid-fern --json", "two experiments with a branch, for programs"),
        ("tsladder compare --study panel 12k-h1 12k-h1:ridge", "a model that ranks stocks with a baseline"),
    ),
    "fit": (
        ("tsladder fit points.csv", "a verdict for every group"),
        ("tsladder fit points.csv --json", "the same as JSON alone"),
        ("tsladder fit points.csv --out results", "also results/fit.json, fit.csv and fit.png"),
        ("tsladder fit sweep.csv --per-size best --ignore accuracy", "the best setting of each size"),
        ("tsladder fit log.csv --columns loss=val --per-size last:step", "the last checkpoint of each run"),
    ),
    "features": (
        ("tsladder features", "the tiers: number of columns, days of warm-up"),
        ("tsladder features a200", "every column of one, with its formula in words"),
        ("tsladder features c33 --json", "for programs"),
        ("tsladder features --study panel", "the tiers of a panel study"),
    ),
    "ingest": (
        ("tsladder ingest SPY.csv --symbol spy", "checked and stored as data/spy.parquet"),
        ("tsladder ingest SPY.csv --symbol spy --dry-run", "check only, write nothing"),
        ("tsladder ingest all.csv --symbol spy --only-symbol SPY --add", "one symbol of several, then `dvc add data`"),
        ("tsladder ingest n225.csv --symbol n225 --zone Asia/Tokyo", "times are midnights of Tokyo, written in UTC"),
        ("tsladder ingest own.csv --symbol own --column Close=Settle", "the column Settle is the Close"),
        (
            "tsladder ingest raw.csv --symbol raw --header Date,Open,High,Low,Close,-",
            "no header; the last column is skipped",
        ),
        (
            "tsladder ingest fx.csv --symbol fx --repair range --drop-faulty-rows",
            "repair and drop faulty rows, each recorded",
        ),
        ("tsladder ingest yahoo:SPY --symbol spy --from 1993-01-29", "download from Yahoo"),
        ("tsladder ingest prices.csv --panel mine", "many stocks, one row a day and stock"),
        ("tsladder ingest folder --panel mine --universe as_listed", "a folder with one file a stock"),
        ("tsladder ingest closes.csv --panel mine --field close", "one column a stock"),
        (
            "tsladder ingest prices.csv --panel mine --members pitindex",
            "with the members of the S&P 500 by day",
        ),
    ),
    "cube": (
        ("tsladder cube", "path, key, counts and size"),
        ("tsladder cube --verify", "read every byte and check it"),
    ),
    "report": (
        ("tsladder report", "verdicts and path of the report"),
        ("tsladder report --from study.zip", "rebuild the report of a capsule, in ./study"),
        ("tsladder report --from study.zip --out rebuilt", "the same, in ./rebuilt"),
    ),
    "export": (
        ("tsladder export study.zip", "this study in one file"),
        ("tsladder export study.zip --force", "replace an older file"),
    ),
    "completion": (
        (
            "tsladder completion bash > ~/.local/share/bash-completion/completions/tsladder",
            "for bash, from the next shell on",
        ),
        ("tsladder completion zsh > ~/.zfunc/_tsladder", "for zsh, with ~/.zfunc in fpath"),
        ("tsladder completion tcsh > ~/.tsladder.tcsh", "for tcsh, and source it in ~/.tcshrc"),
    ),
    "ui": (
        ("tsladder ui", "trials side by side in the browser"),
        ("tsladder ui --port 5050", "where port 5000 is in use"),
    ),
    "sync": (
        ("tsladder sync", "log what MLflow did not take when it ended"),
        ("tsladder sync --to http://tracking:5000", "log the whole study again, to a server"),
        ("tsladder sync --to sqlite:///copy/mlflow.db", "the same, to a file"),
    ),
}

OVERVIEW: tuple[tuple[str, str], ...] = (
    ("tsladder plan", "what would run here, cell by cell"),
    ("tsladder plan --budget 2M", "the same with 2M as the top rung"),
    ("tsladder run", "rebuild what is stale and print the verdicts"),
    ("tsladder status", "state of every cell"),
    ("tsladder watch", "the same, live, beside a run"),
    ("tsladder why 2M-h1", "what changed since a cell was built, and how long a rebuild takes"),
    ("tsladder compare 12k-h1 2M-h1", "compare two cells on the same days"),
    ("tsladder compare workspace tidal-axis", "compare with another family, tier or task on the same days"),
    ("tsladder fit points.csv", "the law of any table of sizes and losses, or of several together"),
    ("tsladder features a50", "columns of a feature tier, with their formulas"),
    ("tsladder ingest spy.csv --symbol spy", "your own daily bars, checked, as data/spy.parquet"),
    ("tsladder ingest folder --panel mine", "your own stocks, checked, as data/mine.parquet"),
    ("tsladder export study.zip", "the study in one file, for another machine"),
    ("tsladder report --from study.zip", "rebuild its report from that file"),
    ("tsladder ui", "compare trials in the browser"),
)

POINTS_TABLE = """the table, CSV with a header or JSON records, under these names or usual ones (N, D, val_loss, ...):
  n_params   parameters of a model: 2000000, 2,000,000, 2e6 or 2M
  loss       its loss; rows of one size are replicates of one rung
  n_data     what it was trained on; where it varies, E + A N^-alpha + B D^-beta is fitted too
  compute    its training FLOPs C, from which n_data = C / (6 N) follows where n_data is not there
  group      a law for each; without it there is one, "all", or one for each value of a column horizon
  seed       tells replicates apart: the same run twice is an error
  se         standard error of the loss, for rungs of one row

Any other column that differs within a size may be a setting (learning rate, step), and such rows are
no replicates: --per-size says what a size's loss is, for each seed of it where there are seeds, or
--ignore that the column is none. Without varying data, sizes within 10 % are one rung."""


RUN_KEYS = """keys, on a terminal:
  q   stop: a training predicted to take longer than training.checkpoint_minutes writes a checkpoint within seconds,
      and the next run resumes from its last step; a shorter one finishes its epoch and is trained again from its
      first. q again stops at once: what is lost is at most the minutes since the last checkpoint
  p   pause or resume all training

Everything that DVC and the stages print is in mlruns/logs/, each line with its time, and so is every
trial's start and every epoch, in lines that begin with "| "."""

WATCHED = """On a terminal the table is replaced in place. Elsewhere the status is printed at first, and again
whenever a cell, its trials or a verdict have changed. It may be started before the study, and continues after it."""

COMPARED = """names:
  2M-h1, 2M-h1:persistence   a cell of this study, or its baseline: two at a time
  tidal-axis, main, 1a2b3c4  an experiment of DVC (dvc exp list), a branch, tag or commit: two or more
  workspace                  the study as it lies in this folder

Experiments are compared with the first one, wherever days and labels are the same; elsewhere the
difference is named. Nothing is checked out: their files come from git and from DVC's cache."""

INGESTED = """Columns come in any order and under the names that vendors use, days and numbers in any usual notation.
A file that is ambiguous is refused with its possible readings, a wrong row with its line number."""
