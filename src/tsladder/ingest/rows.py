"""Selection of the rows that are days of one symbol, in time order, each day once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.delimited import REMARK
from tsladder.ingest.headers import PRICES, Columns, find_columns, symbols_of
from tsladder.ingest.names import RANKS, Role, bare
from tsladder.ingest.sheet import Dropped, Fault, Sheet, is_missing, is_number_like

_SUMMARY_ROWS = 20
_UNIT_ROWS = 3
_SYMBOLS_SHOWN = 10
# Where so many days have several rows that conflict, it is no accident but another frequency.
_INTRADAY_SHARE = 0.5


def choose_symbol(sheet: Sheet, choices: Choices) -> tuple[Sheet, Columns]:
    """Select the rows and columns of one symbol. Raises BadInput if there are several and `choices` name none."""
    only = choices.only_symbol
    titled = symbols_of(sheet.headings)
    if len(titled) > 1:
        _check_choice(sheet.source, titled, only)
    chosen = only if len(titled) > 1 else next(iter(titled), None)
    columns = find_columns(
        sheet.headings, sheet.source, symbol=chosen, told=choices.columns, traded=_traded(sheet, only)
    )
    place = columns.places.get(Role.SYMBOL)
    if place is None:
        if only is not None and only not in titled:
            held = f"its columns are of {titled[0]}" if titled else "no column Symbol or Ticker"
            raise BadInput(f"--only-symbol {only}: {sheet.source} has {held}; leave the option out")
        return sheet, columns
    names = _names(sheet, place)
    held_symbols = Counter(name for name in names if name)
    if only is not None or len(held_symbols) > 1:
        _check_choice(sheet.source, tuple(held_symbols), only)
        kept_R = np.fromiter((name == only for name in names), dtype=np.bool_, count=len(names))
        return sheet.keep(kept_R, "another symbol"), columns
    return sheet, columns


def _names(sheet: Sheet, place: int) -> list[str]:
    column = sheet.columns[place]
    return (
        column if isinstance(column, list) else [f"{value:.15g}" if value == value else "" for value in column.tolist()]
    )


def _traded(sheet: Sheet, only: str | None) -> str | None:
    """Return the name of the instrument: `only`, or that in the first row that names it; None if there is none."""
    if only is not None:
        return only
    for place, heading in enumerate(sheet.headings):
        if any(role is Role.SYMBOL for role, _ in RANKS.get(bare(heading.name), [])):
            return next(filter(None, _names(sheet, place)), None)
    return None


def _check_choice(source: str, held: tuple[str, ...], only: str | None) -> None:
    shown = ", ".join(held[:_SYMBOLS_SHOWN]) + (", ..." if len(held) > _SYMBOLS_SHOWN else "")
    if only is None:
        raise BadInput(f"{source} holds {len(held)} symbols ({shown}): choose one with --only-symbol {held[0]}")
    if only not in held:
        raise BadInput(f"--only-symbol {only}: {source} holds {shown}")


def drop_summary(sheet: Sheet, columns: Columns, among: Sequence[int] | None = None) -> Sheet:
    """Leave out the lines below the last day (totals, sources, remarks) and the units above the first day.

    A row that is a whole bar is never left out. `among`: positions of the price columns, where they are not known by
    their roles.
    """
    dates = sheet.columns[columns.places[Role.DATE]]
    if not isinstance(dates, list):
        return sheet
    kept_R = np.ones(len(dates), dtype=np.bool_)
    if among is None:
        among = [columns.places[role] for role in PRICES if role in columns.places]
    prices = [sheet.columns[place] for place in among]
    for place in range(len(dates) - 1, -1, -1):
        if looks_like_a_day(dates[place]):
            break
        numbers = sum(_has_number(column, place) for column in prices)
        # A total has some prices or none, and no digits where the day should be; a bar whose day is damaged has both.
        if numbers == len(prices) and (is_missing(dates[place]) or any(map(str.isdigit, dates[place]))):
            break
        if numbers and any(map(str.isdigit, dates[place])):
            break
        kept_R[place] = False
    if len(dates) - kept_R.sum() > _SUMMARY_ROWS:
        return sheet
    below = sheet.keep(kept_R, REMARK)
    return below.keep(_below_units(dates, prices)[kept_R], "no day above the first day (units or a remark)")


def _below_units(dates: Sequence[str], prices: Sequence[Sequence[str] | NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Mark as False the rows between the header and the first day in which neither the day nor a price has a digit."""
    below_R = np.ones(len(dates), dtype=np.bool_)
    for place in range(min(_UNIT_ROWS, len(dates))):
        if any(map(str.isdigit, dates[place])) or any(_has_number(column, place) for column in prices):
            break
        below_R[place] = False
    return below_R


def _has_number(column: Sequence[str] | NDArray[np.float64], place: int) -> bool:
    cell = column[place]
    return is_number_like(cell) if isinstance(cell, str) else bool(cell == cell)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Arranged:
    """Rows in time order.

    `places`: places of the kept rows; `dropped` and `notes`: what was left out and noted. `faults` are pairs of rows
    that contradict each other on the same day; both rows are among `places`.
    """

    places: NDArray[np.int64]
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


def arrange(
    sheet: Sheet,
    days_R: NDArray[np.datetime64],
    times: tuple[str, ...],
    values: Mapping[Role, NDArray[np.float64]],
) -> Arranged:
    """Drop days without any price, put the rest in time order, and drop rows that repeat another exactly.

    Raises BadInput if a day has several times.
    """
    empty_R = np.logical_and.reduce([np.isnan(values[role]) for role in PRICES])
    if Role.VOLUME in values:
        empty_R &= ~(values[Role.VOLUME] > 0)
    dropped = []
    if empty_R.any() and not empty_R.all():
        dropped.append(Dropped(reason="a day without any price", rows=tuple(sheet.rows_R[empty_R].tolist())))
    places = np.flatnonzero(~empty_R) if not empty_R.all() else np.arange(len(days_R))
    notes, places = _in_time_order(days_R, places)
    repeats = np.flatnonzero(days_R[places[1:]] == days_R[places[:-1]]) + 1
    if len(repeats):
        _check_frequency(sheet, days_R, times, places)
        doubles, faults = _doubles(sheet, days_R, values, places, repeats)
        if faults:
            return Arranged(places=places, dropped=tuple(dropped), notes=notes, faults=faults)
        dropped.append(
            Dropped(reason="repeats another row exactly", rows=tuple(sorted(sheet.rows_R[doubles].tolist())))
        )
        places = places[~np.isin(places, doubles)]
    return Arranged(places=places, dropped=tuple(dropped), notes=notes)


def _in_time_order(
    days_R: NDArray[np.datetime64], places: NDArray[np.int64]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    steps = np.diff(days_R[places]).astype(np.int64)
    if (steps >= 0).all():
        return (), places
    if (steps <= 0).all():
        return ("the newest day stood first: turned round",), places[::-1]
    backward = int((steps < 0).sum())
    ordered = places[np.argsort(days_R[places], kind="stable")]
    return (f"{backward} of {len(places)} rows stood after a later day: sorted by day",), ordered


def _check_frequency(
    sheet: Sheet, days_R: NDArray[np.datetime64], times: tuple[str, ...], places: NDArray[np.int64]
) -> None:
    """Raise BadInput if a day has rows at different times, which are bars of minutes or hours."""
    for earlier, later in zip(places[:-1].tolist(), places[1:].tolist(), strict=True):
        if days_R[earlier] == days_R[later] and times[earlier] != times[later]:
            raise BadInput(
                f"{sheet.source} holds several rows a day: row {sheet.rows_R[earlier]} is {days_R[earlier]} "
                f"{times[earlier]}, row {sheet.rows_R[later]} the same day {times[later]}; daily bars are needed: "
                "aggregate them, or export daily"
            )


def _doubles(
    sheet: Sheet,
    days_R: NDArray[np.datetime64],
    values: Mapping[Role, NDArray[np.float64]],
    places: NDArray[np.int64],
    repeats: NDArray[np.int64],
) -> tuple[NDArray[np.int64], tuple[Fault, ...]]:
    """Find the rows that repeat the row before them on the same day.

    Returns the places of the repeated rows or, if rows of the same day contradict each other, the faults of these.
    Raises BadInput if so many days have contradicting rows that the file is intraday.
    """
    table = np.stack(list(values.values()))
    here, before = places[repeats], places[repeats - 1]
    same = ((table[:, here] == table[:, before]) | (np.isnan(table[:, here]) & np.isnan(table[:, before]))).all(axis=0)
    if same.all():
        # The one further down in the file goes, whichever way the file runs.
        return _all_but_first(days_R, places), ()
    if (~same).sum() > _INTRADAY_SHARE * len(np.unique(days_R[places])):
        day = days_R[here[~same][0]]
        count = int((days_R[places] == day).sum())
        raise BadInput(
            f"{sheet.source} holds several rows a day: {count} on {day}, the first of them row "
            f"{sheet.rows_R[places[days_R[places] == day].min()]}; daily bars are needed: aggregate them, or export "
            "daily"
        )
    faults: list[Fault] = []
    contradicted: list[int] = []
    for one, other in zip(here[~same].tolist(), before[~same].tolist(), strict=True):
        first, second = sorted((one, other))
        names = ", ".join(
            f"{role} {column[first]:g} and {column[second]:g}"
            for role, column in values.items()
            if not (column[first] == column[second] or np.isnan([column[first], column[second]]).all())
        )
        faults.append((second, f"contradicts row {sheet.rows_R[first]} of the same day: {names}; keep the right one"))
        contradicted.append(first)
    told = {place for place, _ in faults}
    faults += [(place, "is contradicted by a row of the same day") for place in sorted(set(contradicted) - told)]
    return np.empty(0, dtype=np.int64), tuple(faults)


def _all_but_first(days_R: NDArray[np.datetime64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    in_file = np.sort(places)
    _, firsts = np.unique(days_R[in_file], return_index=True)
    return in_file[~np.isin(np.arange(len(in_file)), firsts)]
