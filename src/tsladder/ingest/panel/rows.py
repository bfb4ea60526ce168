"""Read one file into rows of stocks: arrays of days, numbers and flags. Each row is checked by itself."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, Field, MissingVolume
from tsladder.ingest.dates import Stamps, read_days
from tsladder.ingest.headers import PRICES
from tsladder.ingest.names import Role, bare
from tsladder.ingest.numbers import read_numbers
from tsladder.ingest.panel.laws import row_faults
from tsladder.ingest.panel.returns import refuse_prices_as_returns, refuse_returns_as_prices
from tsladder.ingest.panel.shapes import Shape, StockTable, stock_table
from tsladder.ingest.repairs import Repair, Values, missing_volume_repair, sound_rows, widen_range
from tsladder.ingest.sheet import Cells, Dropped, Fault, FileForm, Sheet, is_missing, shown
from tsladder.ingest.volumes import CRSP_PRICES, traded_volume
from tsladder.ingest.zones import settle_days

_NUMBERS = (
    *PRICES, Role.VOLUME, Role.TICK_VOLUME, Role.ADJ_CLOSE, Role.ADJ_OPEN, Role.ADJ_HIGH, Role.ADJ_LOW, Role.ADJ_VOLUME,
    Role.TURNOVER, Role.FACTOR, Role.DELISTING,
)  # fmt: skip
_TRUE = frozenset(("1", "1.0", "true", "t", "yes", "y", "x"))
_FALSE = frozenset(("0", "0.0", "false", "f", "no", "n", ""))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StockRows:
    """R rows of one file.

    A missing value is NaN in `values` and "" in `sectors_R`; `sectors_R` and `members_R` are None if the file has no
    such column. `titles`: role -> heading of its column. `ignored`: heading -> reason. `lines_R`: number of each row in
    the file. `midpoints`: number of rows whose price is the midpoint of bid and ask.
    """

    source: str
    shape: Shape
    form: FileForm
    notation: str
    decimal: str | None
    titles: Mapping[Role, str]
    ignored: Mapping[str, str]
    symbols_R: NDArray[np.object_]
    days_R: NDArray[np.datetime64]
    lines_R: NDArray[np.int64]
    values: Mapping[Role, NDArray[np.float64]]
    sectors_R: NDArray[np.object_] | None
    members_R: NDArray[np.bool_] | None
    midpoints: int
    rows_read: int
    dropped: tuple[Dropped, ...]
    repairs: tuple[Repair, ...]
    notes: tuple[str, ...]


def read_rows(sheet: Sheet, stem: str, choices: Choices, *, today: datetime.date) -> StockRows:
    """Read the rows of `sheet`. `stem`: symbol of the stock if the file names none.

    Raises BadInput for a sheet that is not a table of stocks, and for faulty rows, all of which it names.
    """
    rows_read = len(sheet.rows_R) + sum(len(dropped.rows) for dropped in sheet.dropped)
    table = stock_table(sheet, stem, choices)
    if len(table.sheet.rows_R) == 0:
        raise BadInput(f"{sheet.source} has no rows below its header; a panel needs daily rows of stocks")
    stamps, days_R, notes = read_table_days(table, choices, today)
    numbers = read_numbers(
        {role: _without_letter_codes(role, table.column(role)) for role in _NUMBERS if role in table.places},
        sheet.source,
        decimal=choices.decimal,
    )
    members_R, member_faults = _members(table)
    long = table.sheet
    within_R = _in_chosen_span(days_R, choices)
    unread = (*long.faults, *stamps.faults, *numbers.faults, *member_faults)
    faults: list[Fault] = [fault for fault in unread if within_R[fault[0]]]
    values, midpoints = _without_midpoint_signs(table, dict(numbers.values))
    values, volume_notes, ignored = _volumes(table, values)
    values, repairs = _repaired(table, days_R, values, choices)
    if choices.field is Field.RETURN:
        refuse_prices_as_returns(values[Role.CLOSE], sheet.source)
    elif Role.CLOSE in values and not (faults and choices.drop_faulty_rows):
        refuse_returns_as_prices(values[Role.CLOSE], sheet.source)
    faulty = {place for place, _ in faults}
    laws = row_faults(values, days_R, table.symbols_R, returns=choices.field is Field.RETURN, today=today)
    faults += [fault for fault in laws if within_R[fault[0]] and fault[0] not in faulty]
    sound_R, dropping = sound_rows(long, faults, days_R, choices, table.symbols_R)
    kept_R = within_R & sound_R
    dropped = list(long.dropped)
    if not within_R.all():
        dropped.append(Dropped(reason="outside --from and --to", rows=tuple(long.rows_R[~within_R].tolist())))
    if choices.missing_volume is MissingVolume.DROP:
        kept_R &= ~_lacks_volume(values)
    sectors = table.column(Role.SECTOR) if Role.SECTOR in table.places else None
    return StockRows(
        source=sheet.source,
        shape=table.shape,
        form=sheet.form,
        notation=stamps.notation,
        decimal=numbers.decimal,
        titles={role: title for role, title in table.titles.items() if role in _STORED or role in values},
        ignored={**table.ignored, **ignored},
        symbols_R=np.array(table.symbols_R, dtype=object)[kept_R],
        days_R=days_R[kept_R],
        lines_R=long.rows_R[kept_R],
        values={role: column[kept_R] for role, column in values.items()},
        sectors_R=None if sectors is None else _texts(sectors)[kept_R],
        members_R=None if members_R is None else members_R[kept_R],
        midpoints=midpoints,
        rows_read=rows_read,
        dropped=tuple(dropped),
        repairs=(*repairs, *dropping),
        notes=(*sheet.notes, *notes, *numbers.notes, *volume_notes),
    )


_STORED = (Role.DATE, Role.SYMBOL, Role.SECTOR, Role.MEMBER)


def read_table_days(
    table: StockTable, choices: Choices, today: datetime.date
) -> tuple[Stamps, NDArray[np.datetime64], tuple[str, ...]]:
    """Read the date column, each distinct cell once.

    Returns the stamps, with the faults of each row, the day of each row, and notes.
    """
    column = table.column(Role.DATE)
    cells = column if isinstance(column, list) else column.tolist()
    numbers: dict[object, int] = {}
    codes_R = np.fromiter((numbers.setdefault(cell, len(numbers)) for cell in cells), dtype=np.int64, count=len(cells))
    _, firsts = np.unique(codes_R, return_index=True)
    different: Cells = [column[place] for place in firsts.tolist()] if isinstance(column, list) else column[firsts]
    stamps = read_days(different, table.sheet.source, choices, today=today)
    settled = settle_days(stamps, table.sheet.rows_R[firsts], table.sheet.source, choices)
    words = dict(stamps.faults)
    faults: tuple[Fault, ...] = ()
    if words:
        bad = np.flatnonzero(np.isin(codes_R, list(words)))
        faults = tuple((int(place), words[int(codes_R[place])]) for place in bad)
    return replace(stamps, faults=faults), settled.days_R[codes_R], (*stamps.notes, *settled.notes)


def _in_chosen_span(days_R: NDArray[np.datetime64], choices: Choices) -> NDArray[np.bool_]:
    """Return True for rows from --from to --to, and for rows of unknown day, which are reported as faults."""
    within_R = np.ones(len(days_R), dtype=np.bool_)
    if choices.first_day is not None:
        within_R &= ~(days_R < np.datetime64(choices.first_day))
    if choices.last_day is not None:
        within_R &= ~(days_R > np.datetime64(choices.last_day))
    return within_R


def _without_letter_codes(role: Role, column: Cells) -> Cells:
    """Empty the cells of delisting returns that hold a letter, which is CRSP's code for a missing value."""
    if role is not Role.DELISTING or not isinstance(column, list):
        return column
    return ["" if len(cell) == 1 and cell.isalpha() else cell for cell in column]


def _members(table: StockTable) -> tuple[NDArray[np.bool_] | None, tuple[Fault, ...]]:
    if Role.MEMBER not in table.places:
        return None, ()
    column = table.column(Role.MEMBER)
    cells = column if isinstance(column, list) else ["" if value != value else f"{value:g}" for value in column]
    meant = {cell: _flag(cell) for cell in set(cells)}
    faults = tuple(
        (place, f"Member is {shown(cell)}; it must be 1 or 0, true or false, or yes or no")
        for place, cell in enumerate(cells)
        if meant[cell] is None
    )
    return np.fromiter((bool(meant[cell]) for cell in cells), dtype=np.bool_, count=len(cells)), faults


def _flag(cell: str) -> bool | None:
    text = "" if is_missing(cell) else cell.lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _texts(column: Cells) -> NDArray[np.object_]:
    if isinstance(column, np.ndarray):
        column = ["" if value != value else f"{value:g}" for value in column.tolist()]
    meant = {cell: "" if is_missing(cell) else cell for cell in set(column)}
    return np.array([meant[cell] for cell in column], dtype=object)


def _without_midpoint_signs(table: StockTable, values: Values) -> tuple[Values, int]:
    """Remove the minus sign from prices that are midpoints of bid and ask; return the values and the number of rows.

    CRSP marks such prices with it on days without a trade. A price of 0 in its files means that there is none.
    """
    if Role.CLOSE not in values or bare(table.titles.get(Role.CLOSE, "")) not in CRSP_PRICES:
        return values, 0
    marked_R = values[Role.CLOSE] < 0
    unsigned = dict(values)
    for role in PRICES:
        if role in unsigned:
            column_R = np.where(marked_R, np.abs(unsigned[role]), unsigned[role])
            unsigned[role] = np.where(column_R == 0, np.nan, column_R)
    return unsigned, int(marked_R.sum())


def _volumes(table: StockTable, values: Values) -> tuple[Values, tuple[str, ...], dict[str, str]]:
    kept, why, note = traded_volume(values)
    ignored = {} if why is None else {table.titles[Role.VOLUME]: why}
    return kept, () if note is None else (note,), ignored


def _repaired(
    table: StockTable, days_R: NDArray[np.datetime64], values: Values, choices: Choices
) -> tuple[Values, tuple[Repair, ...]]:
    repairs: tuple[Repair, ...] = ()
    if choices.missing_volume is not None:
        if Role.VOLUME not in values:
            raise BadInput(
                f"--missing-volume {choices.missing_volume}: {table.sheet.source} has no volume; leave the option out"
            )
        lacking_R = _lacks_volume(values)
        if lacking_R.any():
            places = np.flatnonzero(lacking_R)
            repairs = (missing_volume_repair(table.sheet, days_R, places, choices.missing_volume),)
            if choices.missing_volume is MissingVolume.ZERO:
                values = {**values, Role.VOLUME: np.where(lacking_R, 0.0, values[Role.VOLUME])}
    if choices.repair_range and all(role in values for role in PRICES):
        values, widened = widen_range(table.sheet, days_R, values)
        repairs += widened
    return values, repairs


def _lacks_volume(values: Mapping[Role, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Return True for rows with a price and no volume."""
    close_R = values[Role.CLOSE] if Role.CLOSE in values else values[Role.ADJ_CLOSE]
    volume_R = values.get(Role.VOLUME)
    return np.zeros(len(close_R), dtype=np.bool_) if volume_R is None else np.isnan(volume_R) & ~np.isnan(close_R)
