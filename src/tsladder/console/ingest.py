"""Read daily bars from a file or from Yahoo and store them as data/<symbol>.parquet, for `tsladder ingest`."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gc
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tsladder.console.first_study import first_settings
from tsladder.data.without_volume import experiment_command
from tsladder.errors import BadInput, WorkFailed
from tsladder.ingest.build import clean_bars
from tsladder.ingest.choices import Choices, DateOrder, DayShift, Field, MissingVolume, Sessions
from tsladder.ingest.headers import BARS, STOCKS, Vocabulary
from tsladder.ingest.names import Role, bare
from tsladder.ingest.numbers import Decimal
from tsladder.ingest.reading import read_sheet
from tsladder.ingest.record import Account
from tsladder.ingest.sheet import ROWS_SHOWN, Dropped
from tsladder.ingest.store import Outcome, judge, store
from tsladder.ingest.yahoo import PREFIX, download
from tsladder.messages import print_message
from tsladder.places import Places

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # as data.symbol in params.yaml


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestOptions:
    """Options of the command besides file and symbol."""

    choices: Choices
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingestion:
    """Result of an ingestion. `outcome`: what was done, or with `dry_run` what would be done. `stored_as`:
    path relative to the study's folder. `settings`: leaf=value that a first study of these bars needs
    besides data.symbol."""

    account: Account
    outcome: Outcome
    dry_run: bool
    stored_as: str
    settings: tuple[str, ...]

    def to_json(self, *, added: bool) -> dict[str, Any]:
        return {
            **self.account.to_json(),
            "outcome": str(self.outcome),
            "dry_run": self.dry_run,
            "stored_as": self.stored_as,
            "settings": list(self.settings),
            "added": added,
        }


def choices_of(options: argparse.Namespace) -> Choices:
    """Parse the user's choices on columns and formats. Raises BadInput for a --column or --header that
    names no role."""
    of_stocks = options.panel is not None
    return Choices(
        of_stocks=of_stocks,
        field=options.field and Field(options.field),
        sessions=_sessions(options) if of_stocks else None,
        only_symbol=options.only_symbol,
        date_order=options.date_order and DateOrder(options.date_order),
        decimal=options.decimal and Decimal(options.decimal),
        columns=_chosen_columns(options.column or [], STOCKS if of_stocks else BARS),
        header=None if options.header is None else tuple(name.strip() for name in options.header.split(",")),
        encoding=options.encoding,
        zone=options.zone,
        days=options.days and DayShift(options.days),
        century=options.century,
        first_day=options.first_day,
        last_day=options.last_day,
        repair_range=options.repair == "range",
        missing_volume=options.missing_volume and MissingVolume(options.missing_volume),
        drop_faulty_rows=options.drop_faulty_rows,
    )


def _sessions(options: argparse.Namespace) -> Sessions | None:
    if options.sessions is None and options.last_session is None:
        return None
    if options.sessions is None or options.last_session is None:
        raise BadInput(
            "--sessions EXCHANGE and --last-day DATE go together: the first says which days there are, the second "
            "which of them the last row is of"
        )
    return Sessions(calendar=options.sessions, last_day=options.last_session)


_OF_PANELS = {name: name for name in ("field", "universe", "returns", "licence", "members", "sessions")} | {
    "told_source": "source",
    "last_session": "last-day",
}


def one_file(options: argparse.Namespace) -> str:
    """The file of `--symbol`. Raises BadInput for several, and for an option that is for --panel."""
    for option, written in _OF_PANELS.items():
        if getattr(options, option) is not None:
            raise BadInput(f"--{written} is for the files of a panel; leave it out with --symbol")
    if len(options.sources) > 1:
        names = ", ".join(options.sources[:3])
        raise BadInput(
            f"--symbol takes one file, got {len(options.sources)} ({names}...): many stocks are a panel: use --panel"
        )
    return str(options.sources[0])


def _chosen_columns(chosen: Sequence[str], vocabulary: Vocabulary) -> dict[Role, str]:
    roles = {bare(str(role)): role for role in vocabulary.roles}
    columns: dict[Role, str] = {}
    for words in chosen:
        name, equals, heading = words.partition("=")
        role = roles.get(bare(name))
        if role is None or not equals:
            raise BadInput(
                "--column must be ROLE=NAME, like Close=Settle, with a role of "
                f"{', '.join(map(str, vocabulary.roles))}; got {words!r}"
            )
        if role in columns:
            raise BadInput(f"--column {role} is given twice: {columns[role]!r} and {heading!r}; give it once")
        columns[role] = heading
    return columns


@contextlib.contextmanager
def garbage_collection_off() -> Iterator[None]:
    """Disable garbage collection during the block: a hundred thousand rows are as many lists that stay alive, and
    scanning them took a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@garbage_collection_off()
def ingest_here(
    places: Places, source: str, symbol: str, ingest_options: IngestOptions, *, today: datetime.date
) -> Ingestion:
    """Read, check and store bars. Raises BadInput with nothing written, and WorkFailed where Yahoo cannot
    be reached."""
    refuse_order_of_days(ingest_options.choices)
    if not NAME.fullmatch(symbol):
        raise BadInput(f"--symbol must be letters, digits, '.', '_' and '-', at most 64, no path; got {symbol!r}")
    if source.startswith(PREFIX):
        sheet = download(source.removeprefix(PREFIX), since=ingest_options.choices.first_day, today=today)
    else:
        sheet = read_sheet(Path(source), ingest_options.choices)
    clean = clean_bars(sheet, symbol, ingest_options.choices, today=today)
    target = places.bars(symbol)
    outcome = judge(clean.frame, target, force=ingest_options.force)
    if not ingest_options.dry_run:
        store(None if outcome is Outcome.UNCHANGED else clean.frame, clean.account.to_json(), target)
    stored_as = target.relative_to(places.project).as_posix()
    return Ingestion(
        account=clean.account,
        outcome=outcome,
        dry_run=ingest_options.dry_run,
        stored_as=stored_as,
        settings=first_settings(places, clean.frame),
    )


def refuse_order_of_days(choices: Choices) -> None:
    first, last = choices.first_day, choices.last_day
    if first is not None and last is not None and first > last:
        raise BadInput(f"--from {first} lies after --to {last}: no day is between them")


def ingest_and_print(
    places: Places,
    source: str,
    symbol: str,
    ingest_options: IngestOptions,
    *,
    add: bool,
    as_json: bool,
    today: datetime.date,
) -> None:
    """Ingest, track with `add`, and print: the account, or JSON alone, on stdout, and warnings on stderr.

    Raises as `ingest_here` and, after everything is printed, as `track`.
    """
    done = ingest_here(places, source, symbol, ingest_options, today=today)
    track_and_print(
        places,
        done,
        ingestion_lines(done),
        done.account.warnings,
        lambda added: next_steps(done, added=added),
        add=add,
        as_json=as_json,
    )


class StoredIngestion(Protocol):
    """Ingestion of one symbol or of a panel: where it stored what it read, and its record."""

    @property
    def dry_run(self) -> bool: ...

    @property
    def stored_as(self) -> str: ...

    def to_json(self, *, added: bool) -> dict[str, Any]: ...


def track_and_print(
    places: Places,
    done: StoredIngestion,
    lines: Sequence[str],
    warnings: Sequence[str],
    next_steps: Callable[[bool], Sequence[str]],
    *,
    add: bool,
    as_json: bool,
    ensure_ascii: bool = True,
) -> None:
    """Print an ingestion, `lines` and the next steps or JSON alone, on stdout, and warnings on stderr; with `add` track
    the bars in between. `next_steps`: what to do next, a line each, where the bars are tracked already or not. Raises
    as `track`, after everything is printed."""
    for warning in warnings:
        print_message(f"warning: {warning}")
    if not as_json:
        print("\n".join(lines))
    failure: WorkFailed | None = None
    added = False
    if add and not done.dry_run:
        try:
            track(places, done.stored_as)
            added = True
        except WorkFailed as error:
            failure = error
    if as_json:
        print(json.dumps(done.to_json(added=added), indent=1, ensure_ascii=ensure_ascii, allow_nan=False))
    elif failure is None and not done.dry_run:
        print("\n".join(f"next: {line}" for line in next_steps(added)))
    if failure is not None:
        raise failure


def track(places: Places, stored_as: str) -> None:
    """Run `dvc add data`. Raises WorkFailed, with the bars kept, when DVC fails."""
    command = [sys.executable, "-m", "dvc", "add", "data"]
    done = subprocess.run(command, cwd=places.project, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())[:400]
        raise WorkFailed(
            f"{stored_as} is stored, and `dvc add data` failed: {words}; correct that and run `dvc add data`"
        )


def ingestion_lines(done: Ingestion) -> list[str]:
    """Format an ingestion as plain text; warnings are printed separately, on stderr."""
    account = done.account
    rows = [("read", _form(account))]
    rows += [("", f"{account.rows_read} rows, {account.rows_kept} kept: {account.first_day} to {account.last_day}")]
    rows += [("columns", ", ".join(_origin(role, title) for role, title in account.columns.items()))]
    rows += [("ignored", f"{title}: {why}") for title, why in account.ignored.items()]
    rows += [("dropped", _dropped(dropped)) for dropped in account.dropped]
    rows += [("repaired", repair.words) for repair in account.repairs]
    rows += [("note", note) for note in account.notes]
    gap = account.inspection.longest_gap
    if gap is not None:
        above = account.inspection.long_gaps
        rows.append(("gaps", f"longest {gap.days} days, {gap.after} to {gap.before}; {above} longer than 5 days"))
    rows.append(("stored" if not done.dry_run else "dry run", _outcome(done)))
    return [f"{label:<8} {words}" for label, words in rows]


def next_steps(done: Ingestion, *, added: bool) -> list[str]:
    track_first = [] if added else ["dvc add data, which tracks these bars by their content"]
    symbol = done.account.symbol
    if not done.settings:
        return [*track_first, f"data.symbol: {symbol} in params.yaml, then tsladder run"]
    command = experiment_command([f"data.symbol={symbol}", *done.settings])
    why = [f"{leaf}: {_WHY[name]}" for leaf in done.settings if (name := leaf.split("=")[0]) in _WHY]
    return [*track_first, *why, f"{command} (or the same leaves in params.yaml, then tsladder run)"]


_WHY = {
    "data.volume": "there is no volume, or the same one on every day, so no column computed from it is of use",
    "splits.validation_start": "too few of these days lie between the dates in params.yaml; null cuts by fractions",
    "target.task": "the one in params.yaml has too few positives or negatives among these days",
}


def _form(account: Account) -> str:
    form = account.form
    chosen = [form.kind, *(["gzip"] if form.compressed else []), *([form.encoding] if form.encoding else [])]
    chosen += [f"{form.delimiter}-separated"] if form.delimiter else []
    chosen += [f"days as {account.date_notation}"]
    chosen += [f"decimal {account.decimal}"] if account.decimal else []
    return f"{account.source} ({', '.join(chosen)})"


def _origin(role: str, title: str) -> str:
    return role if role == title else f"{role} from {title!r}"


def _dropped(dropped: Dropped) -> str:
    numbers = ", ".join(map(str, dropped.rows[:ROWS_SHOWN])) + (", ..." if len(dropped.rows) > ROWS_SHOWN else "")
    plural = "s" if len(dropped.rows) > 1 else ""
    return f"{len(dropped.rows)} row{plural}: {dropped.reason} (row{plural} {numbers})"


def _outcome(done: Ingestion) -> str:
    would = {
        Outcome.NEW: f"{done.stored_as} would be written",
        Outcome.UNCHANGED: f"{done.stored_as} already holds these bars",
        Outcome.REPLACED: f"{done.stored_as} would be replaced",
    }
    did = {
        Outcome.NEW: done.stored_as,
        Outcome.UNCHANGED: f"{done.stored_as} already held these bars and is unchanged",
        Outcome.REPLACED: f"{done.stored_as}, in place of other bars",
    }
    return (would if done.dry_run else did)[done.outcome]
