"""Reshape a sheet of any of the shapes that panels have into a long one: one row per day and stock."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, Sessions
from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.headers import PRICES, STOCKS, Columns, find_columns, symbols_of
from tsladder.ingest.names import PANEL_RANKS, Role, bare
from tsladder.ingest.panel.codes import LOST, refuse_numbers, symbols_in
from tsladder.ingest.rows import drop_summary
from tsladder.ingest.sheet import Cells, Heading, Sheet, is_missing, is_number_like
from tsladder.panel.sessions import last_sessions

_DAYS_WITHIN = 3
_FIRST_ROWS = 50
_SHOWN = 5
# A table without dates is one of stocks where so many of its columns are numbers under names that no bars have.
_MANY_STOCKS = 5
_UNDATED = (
    "rows without dates cannot be split by date (--sessions XNYS --last-day 1984-12-31 lays the rows on the sessions "
    "of an exchange, the last row on that day)"
)


class Shape(StrEnum):
    LONG = "a row a day and stock"
    WIDE = "a column a stock"
    FIELDS = "several columns a stock"
    ALONE = "a file a stock"

    @property
    def is_long(self) -> bool:
        """True if a row without a price exists in the file itself, False if it is an empty cell of a wide table."""
        return self in (Shape.LONG, Shape.ALONE)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StockTable:
    """Long sheet, one row per day and stock.

    `places`: role -> index of its column. `symbols_R`: symbol of each row, "" if it has none. `titles`: role -> heading
    that its column was taken from. `ignored`: other headings -> reason.
    """

    sheet: Sheet
    shape: Shape
    places: Mapping[Role, int]
    symbols_R: list[str]
    titles: Mapping[Role, str]
    ignored: Mapping[str, str]

    def column(self, role: Role) -> Cells:
        return self.sheet.columns[self.places[role]]


def stock_table(sheet: Sheet, stem: str, choices: Choices) -> StockTable:
    """Reshape `sheet`. `stem`: symbol of the stock if the file names none.

    Raises BadInput for a sheet that is not a table of stocks, and for codes that were read as numbers.
    """
    if choices.sessions is not None and choices.field is None:
        raise BadInput(
            f"--sessions {choices.sessions.calendar} dates the rows of a table with a column for each stock: say what "
            f"{sheet.source} holds with --field close or --field return"
        )
    if len(symbols_of(sheet.headings)) > 0:
        if choices.field is not None:
            raise BadInput(
                f"--field {choices.field}: {sheet.source} names its fields in the header; leave the option out"
            )
        return _from_fields(sheet, choices)
    if choices.field is not None:
        return _from_wide(sheet, choices)
    if _is_wide(sheet, choices):
        days = _days_place(sheet, choices)
        stocks = [heading.name for heading in sheet.headings[0 if days is None else days + 1 :] if heading.name]
        dates = "" if days is not None else f"; it has no column of dates either: {_UNDATED}"
        raise BadInput(
            f"{sheet.source} has a column for each of {len(stocks)} stocks ({_first_few(stocks)}), but does not say "
            f"whether they hold closes or returns: add --field close or --field return{dates}"
        )
    columns = find_columns(sheet.headings, sheet.source, symbol=None, told=choices.columns, vocabulary=STOCKS)
    sheet = drop_summary(sheet, columns)
    place = columns.places.get(Role.SYMBOL)
    if place is not None:
        refuse_numbers(sheet, place)
    symbols_R = [stem] * len(sheet.rows_R) if place is None else symbols_in(sheet, place)
    return StockTable(
        sheet=sheet,
        shape=Shape.ALONE if place is None else Shape.LONG,
        places=columns.places,
        symbols_R=symbols_R,
        titles={role: _title(sheet, place) for role, place in columns.places.items()},
        ignored=columns.ignored,
    )


def _title(sheet: Sheet, place: int) -> str:
    return sheet.headings[place].name or f"column {place + 1}"


def _first_few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _is_wide(sheet: Sheet, choices: Choices) -> bool:
    """Check whether each column is a stock.

    A ticker can equal the name of a column (C, V, LOW). A table counts as long if it has a Symbol, a Close whose
    name has more than one letter, or a Close and few columns of unknown name.
    """
    claims = {
        role: heading.name
        for heading in sheet.headings
        for role, _ in PANEL_RANKS.get(bare(heading.name), ())
        if bare(heading.name) not in ("last", "price")
    }
    if Role.SYMBOL in claims or choices.columns.get(Role.SYMBOL) or choices.columns.get(Role.CLOSE):
        return False
    closes = [claims[role] for role in (Role.CLOSE, Role.ADJ_CLOSE) if role in claims]
    unknown = [place for place, heading in enumerate(sheet.headings) if bare(heading.name) not in PANEL_RANKS]
    numeric = [place for place in unknown if _has_numbers(sheet.columns[place])]
    if any(len(bare(name)) > 1 for name in closes):
        return False
    if closes and len(unknown) <= len(claims):
        return False
    return len(numeric) >= (2 if _days_place(sheet, choices) is not None else _MANY_STOCKS)


def _has_numbers(column: Cells) -> bool:
    if isinstance(column, np.ndarray):
        return True
    cells = [cell for cell in column[:_FIRST_ROWS] if not is_missing(cell)]
    return bool(cells) and all(map(is_number_like, cells)) and not any(map(looks_like_a_day, cells))


def _days_place(sheet: Sheet, choices: Choices) -> int | None:
    """Find the column of days of a wide table: that of the user's choice, or one of the first that holds days."""
    if chosen := choices.columns.get(Role.DATE):
        return next((place for place, heading in enumerate(sheet.headings) if heading.name == chosen), None)
    for place, column in enumerate(sheet.columns[:_DAYS_WITHIN]):
        cells = [f"{value:.0f}" for value in column[:_FIRST_ROWS]] if isinstance(column, np.ndarray) else column
        first = next((cell for cell in itertools.islice(cells, _FIRST_ROWS) if not is_missing(cell)), "")
        if looks_like_a_day(first):
            return place
    return None


def _from_wide(sheet: Sheet, choices: Choices) -> StockTable:
    if any(role is Role.SYMBOL for heading in sheet.headings for role, _ in PANEL_RANKS.get(bare(heading.name), ())):
        columns = ", ".join(str(heading) for heading in sheet.headings[:_SHOWN])
        raise BadInput(
            f"--field {choices.field} is for a table with a column for each stock; {sheet.source} has a row for each "
            f"day and stock ({columns}, ...): leave the option out"
        )
    days = _days_place(sheet, choices)
    if choices.sessions is not None:
        if days is not None:
            raise BadInput(
                f"--sessions {choices.sessions.calendar}: {sheet.source} has days of its own in "
                f"{_title(sheet, days)!r}; leave the option out"
            )
        sheet, days = _dated(sheet, choices.sessions), 0
    if days is None:
        raise BadInput(
            f"{sheet.source} has no column of dates; it has {_first_few(list(map(str, sheet.headings)))}: "
            f"{_UNDATED}: name the column with --column Date=NAME, or bring a file that has one"
        )
    stocks = [
        place
        for place, heading in enumerate(sheet.headings)
        if place > days and (heading.name or not _is_empty(sheet.columns[place]))
    ]
    aside = {_title(sheet, place): "stands before the column of days" for place in range(days)}
    names = [sheet.headings[place].name for place in stocks]
    _refuse_headings(sheet, names, stocks)
    date = Columns(places={Role.DATE: days}, ignored={})
    sheet = drop_summary(sheet, date, among=stocks)
    rows = len(sheet.rows_R)
    long = _stacked(
        sheet,
        {
            Role.DATE: [sheet.columns[days]] * len(stocks),
            Role.CLOSE: [sheet.columns[place] for place in stocks],
        },
        len(stocks),
    )
    return StockTable(
        sheet=long,
        shape=Shape.WIDE,
        places={Role.DATE: 0, Role.CLOSE: 1},
        symbols_R=[name for name in names for _ in range(rows)],
        titles={Role.DATE: _title(sheet, days), Role.CLOSE: f"{len(stocks)} columns"},
        ignored=aside,
    )


def _dated(sheet: Sheet, sessions: Sessions) -> Sheet:
    """Add a first column of days, the sessions that end with the last row. Raises BadInput."""
    days_R = last_sessions(sessions.calendar, sessions.last_day, len(sheet.rows_R))
    return replace(
        sheet,
        headings=(Heading(name=f"sessions of {sessions.calendar}"), *sheet.headings),
        columns=(days_R.astype(str).tolist(), *sheet.columns),
    )


def _refuse_headings(sheet: Sheet, names: Sequence[str], places: Sequence[int]) -> None:
    counts = Counter(names)
    faults = [f"{name} appears {count} times" for name, count in counts.items() if name and count > 1]
    faults += [f"column {place + 1} has no name" for name, place in zip(names, places, strict=True) if not name]
    faults += [
        f"{name} is a number in the workbook: {LOST} (format the cells as text)"
        for name in counts
        if name in sheet.number_headings
    ][:1]
    if faults:
        raise BadInput(f"{sheet.source} must name each stock exactly once in its header; correct these names:", faults)


def _is_empty(column: Cells) -> bool:
    return not bool((column == column).any()) if isinstance(column, np.ndarray) else all(map(is_missing, column))


def _from_fields(sheet: Sheet, choices: Choices) -> StockTable:
    """Reshape a table with several columns per stock, as yfinance writes it."""
    symbols = symbols_of(sheet.headings)
    found = {
        symbol: find_columns(sheet.headings, sheet.source, symbol=symbol, told=choices.columns, vocabulary=STOCKS)
        for symbol in symbols
    }
    first = found[symbols[0]]
    sheet = drop_summary(
        sheet, first, among=[columns.places[role] for columns in found.values() for role in PRICES
                             if role in columns.places]
    )  # fmt: skip
    roles = [role for role in Role if any(role in columns.places for columns in found.values())]
    rows = len(sheet.rows_R)
    nothing: list[str] = [""] * rows
    blocks = {
        role: [sheet.columns[columns.places[role]] if role in columns.places else nothing for columns in found.values()]
        for role in roles
    }
    kept = set(itertools.chain.from_iterable(columns.places.values() for columns in found.values()))
    ignored = {
        heading.name: why
        for columns in found.values()
        for place, heading in enumerate(sheet.headings)
        if place not in kept and (why := columns.ignored.get(str(heading), "")) and why != "belongs to another symbol"
    }
    return StockTable(
        sheet=_stacked(sheet, blocks, len(symbols)),
        shape=Shape.FIELDS,
        places={role: place for place, role in enumerate(roles)},
        symbols_R=[symbol for symbol in symbols for _ in range(rows)],
        titles={
            role: next(_title(sheet, columns.places[role]) for columns in found.values() if role in columns.places)
            for role in roles
        },
        ignored=ignored,
    )


def _stacked(sheet: Sheet, blocks: Mapping[Role, Sequence[Cells]], count: int) -> Sheet:
    """Stack the columns of each role on top of one another; a fault of a row is repeated for each of its stocks."""
    rows = len(sheet.rows_R)
    return replace(
        sheet,
        faults=tuple((place + block * rows, words) for place, words in sheet.faults for block in range(count)),
        headings=tuple(Heading(name=str(role)) for role in blocks),
        columns=tuple(map(_concatenated, blocks.values())),
        rows_R=np.tile(sheet.rows_R, count),
    )


def _concatenated(columns: Sequence[Cells]) -> Cells:
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate([np.asarray(column) for column in columns])
    cells: list[str] = []
    for column in columns:
        cells.extend(
            column if isinstance(column, list) else ["" if value != value else repr(value) for value in column.tolist()]
        )
    return cells
