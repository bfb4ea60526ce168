"""A person's own file of members: a row a membership (symbol, first day, last day), or a row a day and symbol."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.dates import read_days
from tsladder.ingest.encoding import decode
from tsladder.ingest.names import PANEL_RANKS, Role, bare
from tsladder.ingest.panel.codes import refuse_numbers
from tsladder.ingest.panel.index_members import NAME, IndexMembers
from tsladder.ingest.panel.membership import (
    FOREVER,
    Membership,
    MemberSource,
    Spell,
    joined_spells,
    spells_of_lists,
)
from tsladder.ingest.sheet import Fault, FileForm, Heading, Sheet, is_missing, refusal
from tsladder.ingest.text_rows import DELIMITERS, all_rows, top_rows

_FIRST = frozenset(map(bare, (
    "first", "first day", "first date", "from", "from date", "start", "start date", "start day", "added", "date added",
    "begin", "begin date", "joined", "valid from", "effective from", "mbrstartdt", "namedt",
)))  # fmt: skip
_LAST = frozenset(map(bare, (
    "last", "last day", "last date", "to", "to date", "thru", "through", "until", "end", "end date", "end day",
    "valid to", "effective to", "mbrenddt", "nameenddt", "nameendt",
)))  # fmt: skip
_NEEDED = (
    "columns symbol, first_day and last_day (its last day as a member, empty where it goes on), or date and symbol, "
    "are needed"
)
_ALWAYS = np.datetime64("0001-01-01", "D")


def member_source(told: str, choices: Choices, *, today: datetime.date) -> MemberSource:
    """Return the source that `--members` names.

    Raises BadInput for a package that is missing and a file that is no list of members.
    """
    if told == NAME:
        return IndexMembers()
    path = Path(told)
    if not path.is_file():
        raise BadInput(f"--members {told}: neither {NAME} nor a CSV file of members")
    return MemberFile(read_member_file(path, choices, today=today))


@dataclass(frozen=True, slots=True)
class MemberFile:
    """Memberships of a file, which are all known at once."""

    membership: Membership

    def between(self, first: np.datetime64, last: np.datetime64) -> Membership:
        return self.membership


def read_member_file(path: Path, choices: Choices, *, today: datetime.date) -> Membership:
    """Read the CSV file at `path`; `choices` decide its encoding and the order of day and month. Raises BadInput that
    names every faulty row."""
    sheet = _sheet(path, choices)
    names = [bare(heading.name) for heading in sheet.headings]
    symbol = _place(names, {name for name, roles in PANEL_RANKS.items() if _means(roles, Role.SYMBOL)})
    sector = _place(names, {name for name, roles in PANEL_RANKS.items() if _means(roles, Role.SECTOR)})
    first, last = _place(names, _FIRST), _place(names, _LAST)
    day = _place(names, {name for name, roles in PANEL_RANKS.items() if _means(roles, Role.DATE)})
    if symbol is None or (first is None and day is None):
        titles = ", ".join(str(heading) or "(no name)" for heading in sheet.headings)
        raise BadInput(f"--members {sheet.source}: it has the columns {titles}; {_NEEDED}")
    refuse_numbers(sheet, symbol)
    symbols_R = [str(cell) for cell in sheet.columns[symbol]]
    faults: list[Fault] = [*sheet.faults]
    faults += [(row, "Symbol is missing") for row, cell in enumerate(symbols_R) if not cell]
    reader = _Reader(sheet=sheet, choices=choices, today=today, faults=faults)
    spells, known_from = reader.lists(symbols_R, day) if first is None else reader.spells(symbols_R, first, last)
    return Membership(
        source=sheet.source,
        spells=spells,
        known_from=known_from,
        sectors={} if sector is None else _sectors(symbols_R, [str(cell) for cell in sheet.columns[sector]]),
        sectors_of="sectors are one a stock, as the file of members has them: they may be known later than the day",
    )


def _means(roles: Sequence[tuple[Role, int]], role: Role) -> bool:
    return any(found is role for found, _ in roles)


def _place(names: Sequence[str], known: Any) -> int | None:
    return next((place for place, name in enumerate(names) if name in known), None)


def _sheet(path: Path, choices: Choices) -> Sheet:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"--members {path} cannot be read: {error.strerror}") from None
    decoded = decode(content, path.name, choices.encoding)
    delimiter = max(
        (mark for mark in DELIMITERS if mark != " "),
        key=lambda mark: len(next(iter(top_rows(decoded.text, mark, 1)), [])),
    )
    rows, lines = all_rows(decoded.text, delimiter, path.name)
    filled = [(row, line) for row, line in zip(rows, lines, strict=True) if any(map(str.strip, row))]
    if len(filled) < 2:
        raise BadInput(f"--members {path.name} holds no rows below a header: {_NEEDED}")
    headings = tuple(Heading(name=name.strip()) for name in filled[0][0])
    body = filled[1:]
    width = len(headings)
    return Sheet(
        source=path.name,
        form=FileForm(kind="csv", encoding=decoded.encoding, delimiter=DELIMITERS[delimiter]),
        headings=headings,
        columns=tuple([row[place].strip() if place < len(row) else "" for row, _ in body] for place in range(width)),
        rows_R=np.array([line for _, line in body], dtype=np.int64),
        faults=tuple(
            (place, f"{len(row)} cells under {width} headings")
            for place, (row, _) in enumerate(body)
            if any(map(str.strip, row[width:]))
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Reader:
    """Reader of the columns of days of `sheet`, which adds to the `faults` of its rows.

    Its methods return the spells of each symbol, and the first day with members, None if the file knows every day.
    """

    sheet: Sheet
    choices: Choices
    today: datetime.date
    faults: list[Fault]

    def spells(
        self, symbols_R: Sequence[str], first: int, last: int | None
    ) -> tuple[dict[str, tuple[Spell, ...]], np.datetime64 | None]:
        starts_R = self._days(first, empty=_ALWAYS)
        ends_R = np.full(len(symbols_R), FOREVER) if last is None else self._days(last, empty=FOREVER)
        self.faults.extend(
            (int(row), f"the last day {ends_R[row]} lies before the first, {starts_R[row]}")
            for row in np.flatnonzero(ends_R < starts_R)
        )
        self._refuse()
        found: dict[str, list[Spell]] = {}
        for symbol, start, end in zip(symbols_R, starts_R, ends_R, strict=True):
            found.setdefault(symbol, []).append(Spell(first=start, last=end))
        return {symbol: joined_spells(spells) for symbol, spells in sorted(found.items())}, (
            None if starts_R.min() == _ALWAYS else starts_R.min()
        )

    def lists(
        self, symbols_R: Sequence[str], day: int | None
    ) -> tuple[dict[str, tuple[Spell, ...]], np.datetime64 | None]:
        days_R = self._days(0 if day is None else day, empty=None)
        self._refuse()
        found: dict[np.datetime64, set[str]] = {}
        for when, who in zip(days_R, symbols_R, strict=True):
            found.setdefault(when, set()).add(who)
        return spells_of_lists(found), days_R.min()

    def _days(self, place: int, *, empty: np.datetime64 | None) -> NDArray[np.datetime64]:
        """Read the days of a column; an empty cell is `empty`, or a fault where that is None."""
        cells = [str(cell) for cell in self.sheet.columns[place]]
        told_R = np.array([not is_missing(cell) for cell in cells], dtype=np.bool_)
        days_R: NDArray[np.datetime64] = np.empty(len(cells), dtype="datetime64[D]")
        days_R[:] = np.datetime64("NaT", "D") if empty is None else empty
        if empty is None:
            name = self.sheet.headings[place].name
            self.faults.extend((int(row), f"{name} is missing") for row in np.flatnonzero(~told_R))
        if told_R.any():
            rows = np.flatnonzero(told_R)
            told = [cells[row] for row in rows.tolist()]
            stamps = read_days(told, self.sheet.source, self.choices, today=self.today)
            days_R[rows] = stamps.days_R
            self.faults.extend((int(rows[row]), words) for row, words in stamps.faults)
        return days_R

    def _refuse(self) -> None:
        if self.faults:
            raise refusal(self.sheet, self.faults)


def _sectors(symbols_R: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    """Map each symbol to the last sector in the file."""
    return {symbol: cell for symbol, cell in zip(symbols_R, cells, strict=True) if not is_missing(cell)}
