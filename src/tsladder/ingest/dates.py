"""Parsing of a date column into days and times as written, with one notation for the whole column."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, DateOrder
from tsladder.ingest.clocks import clock_seconds, zone_offsets
from tsladder.ingest.epochs import epoch_seconds, epoch_unit
from tsladder.ingest.notations import PATTERNS, month_number, notation_of
from tsladder.ingest.sheet import Cells, Fault, missing, shown
from tsladder.ingest.years import full_years


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stamps:
    """Parsed date column of R rows. `days_R` is the written day, NaT for a faulty cell.

    `times` are as written, "" for none; `clock_R` are the times in seconds since midnight and `offset_R` the offsets in
    seconds east of Greenwich, both NaN for none; `zones` are the distinct zones as written.
    """

    days_R: NDArray[np.datetime64]
    times: tuple[str, ...]
    clock_R: NDArray[np.float64]
    offset_R: NDArray[np.float64]
    zones: tuple[str, ...]
    notation: str
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


MOST_DAYS_APART = 4
"""Largest median distance, in days, between two rows of daily bars."""

_FIVE_DIGITS = re.compile(r"[0-9]{5}(\.[0-9]+)?")
_DAY_NUMBER = "a spreadsheet's day number: give the column a date format and export again"


def looks_like_a_day(cell: str) -> bool:
    return notation_of(cell) is not None or epoch_unit(cell) is not None


def read_days(column: Cells, source: str, choices: Choices, *, today: datetime.date) -> Stamps:
    """Parse a date column.

    Raises BadInput if the order of day and month, or the century, is ambiguous and `choices` do not decide it.
    """
    cells = column if isinstance(column, list) else _digits(column)
    iso_R = _plain_iso(cells)
    if iso_R is not None:
        return _timeless(iso_R, "YYYY-MM-DD")
    absent_R = missing(cells)
    unit = _common_unit(cells)
    if unit is not None:
        return _counted(cells, absent_R, unit)
    notation, found = _common_notation(cells, absent_R)
    faults: list[Fault] = []
    for place, match in enumerate(found):
        if match is None:
            words = "the date is missing" if absent_R[place] else _complaint(cells[place], notation, cells, found)
            faults.append((place, words))
    read = np.fromiter((match is not None for match in found), dtype=np.bool_, count=len(found))
    matches = [match for match in found if match is not None]
    places = np.flatnonzero(read)
    read_R, reading, notes = _days_of(matches, notation, source, choices, today)
    faults += [
        (int(place), f"Date is {shown(cells[place])}, and there is no such day, read as {reading}")
        for place in places[np.isnat(read_R)]
    ]
    days_R = np.full(len(cells), np.datetime64("NaT", "D"))
    days_R[places] = read_R
    times = tuple("" if match is None else match["time"] or "" for match in found)
    if not any(times):
        stamps = _timeless(days_R, reading)
        return Stamps(
            days_R=days_R, times=times, clock_R=stamps.clock_R, offset_R=stamps.offset_R, zones=(), notation=reading,
            faults=tuple(faults), notes=notes,
        )  # fmt: skip
    zones = ["" if match is None else match["zone"] or "" for match in found]
    clock_R = clock_seconds(times)
    return Stamps(
        days_R=days_R,
        times=times,
        clock_R=clock_R,
        offset_R=zone_offsets(zones, days_R, clock_R),
        zones=tuple(sorted(set(zones) - {""})),
        notation=reading,
        faults=tuple(faults),
        notes=notes,
    )


def _timeless(days_R: NDArray[np.datetime64], notation: str) -> Stamps:
    nothing_R = np.full(len(days_R), np.nan)
    return Stamps(
        days_R=days_R, times=("",) * len(days_R), clock_R=nothing_R, offset_R=nothing_R, zones=(), notation=notation
    )


def _digits(column: NDArray[np.float64]) -> list[str]:
    """Convert days that are stored as numbers, such as 20180131, to text."""
    return [
        "" if value != value else f"{value:.0f}" if value.is_integer() else repr(value) for value in column.tolist()
    ]


def _plain_iso(cells: Sequence[str]) -> NDArray[np.datetime64] | None:
    """Parse a column in which all cells are like 2018-01-31; return None for any other column. A shortcut, for speed
    only."""
    if not all(len(cell) == 10 and cell[4] == cell[7] == "-" != cell[0] for cell in cells):
        return None
    try:
        return np.array(cells, dtype="datetime64[D]")
    except ValueError:
        return None


def _common_unit(cells: Sequence[str]) -> str | None:
    """Return the unit of a column in which most cells are counts since 1970; None for any other column."""
    first = next((cell for cell in cells if cell), "")
    if epoch_unit(first) is None and epoch_unit(next((cell for cell in reversed(cells) if cell), "")) is None:
        return None
    units = Counter(unit for cell in cells if (unit := epoch_unit(cell)) is not None)
    return units.most_common(1)[0][0] if sum(units.values()) * 2 > len(cells) else None


def _counted(cells: Sequence[str], absent_R: NDArray[np.bool_], unit: str) -> Stamps:
    seconds_R = epoch_seconds(cells, unit)
    units = {one for cell in cells if (one := epoch_unit(cell)) is not None}
    bad_R = np.isnan(seconds_R)
    stamps_R = np.where(bad_R, 0, seconds_R).astype(np.int64).astype("datetime64[s]")
    days_R = np.where(bad_R, np.datetime64("NaT", "D"), stamps_R.astype("datetime64[D]"))
    clock_R = np.where(bad_R, np.nan, np.where(bad_R, 0, seconds_R) % 86400)
    faults = [
        (int(place), "the date is missing" if absent_R[place] else
         f"Date is {shown(cells[place])}, no count of {unit} since 1970 as in most rows")
        for place in np.flatnonzero(bad_R).tolist()
    ]  # fmt: skip
    times = tuple(
        "" if bad else text[11:] for bad, text in zip(bad_R.tolist(), stamps_R.astype(str).tolist(), strict=True)
    )
    return Stamps(
        days_R=days_R,
        times=times,
        clock_R=clock_R,
        offset_R=np.where(bad_R, np.nan, 0.0),
        zones=("UTC",),
        notation=f"{' and '.join(sorted(units)) or unit} since 1970",
        faults=tuple(faults),
    )


def _common_notation(cells: Sequence[str], absent_R: NDArray[np.bool_]) -> tuple[str, Sequence[re.Match[str] | None]]:
    """Return the notation of most cells, and the match of each cell with it."""
    first = next((cell for cell, absent in zip(cells, absent_R.tolist(), strict=True) if not absent), "")
    notation = notation_of(first) or next(iter(PATTERNS))
    found = list(map(PATTERNS[notation].fullmatch, cells))
    if sum(match is None for match in found) > absent_R.sum():
        counts = Counter(other for cell in cells if (other := notation_of(cell)) is not None)
        if counts and counts.most_common(1)[0][0] != notation:
            notation = counts.most_common(1)[0][0]
            found = list(map(PATTERNS[notation].fullmatch, cells))
    return notation, found


def _complaint(cell: str, notation: str, cells: Sequence[str], found: Sequence[re.Match[str] | None]) -> str:
    if _FIVE_DIGITS.fullmatch(cell):
        return f"Date is {shown(cell)}: {_DAY_NUMBER}; a day like 2018-01-31 is needed"
    if looks_like_a_day(cell):
        other = next((cells[place] for place, match in enumerate(found) if match is not None), notation)
        return f"Date is {shown(cell)}, written differently from most rows ({shown(other)})"
    return f"Date is {shown(cell)}, not a day like 2018-01-31"


def _days_of(
    matches: Sequence[re.Match[str]], notation: str, source: str, choices: Choices, today: datetime.date
) -> tuple[NDArray[np.datetime64], str, tuple[str, ...]]:
    """Parse the days under the one reading that is possible or chosen; return them, the notation in words, and notes on
    what was decided."""
    if notation.startswith("day"):
        if "two digits" in notation:
            return _of_two_digits(matches, notation, source, choices, today)
        read_R, reading = _ordered(matches, notation, source, choices.date_order)
        return read_R, reading, ()
    months = _month_names(matches) if "Month" in notation else _integers(matches, "m")
    numbers = _integers(matches, "d")
    if notation.endswith("YY") and not notation.endswith("YYYY"):
        years, how = _full_years(matches, _integers(matches, "y2"), months, numbers, source, choices, today)
        return _assemble(years, months, numbers), notation, (f"years of two digits: {how}",)
    return _assemble(_integers(matches, "y"), months, numbers), notation, ()


def _full_years(
    matches: Sequence[re.Match[str]],
    short: NDArray[np.int64],
    months: NDArray[np.int64],
    numbers: NDArray[np.int64],
    source: str,
    choices: Choices,
    today: datetime.date,
) -> tuple[NDArray[np.int64], str]:
    cells = [match.string for match in matches]
    return full_years(
        short, lambda years: _assemble(years, months, numbers), cells, source, century=choices.century, today=today
    )


def _of_two_digits(
    matches: Sequence[re.Match[str]], notation: str, source: str, choices: Choices, today: datetime.date
) -> tuple[NDArray[np.datetime64], str, tuple[str, ...]]:
    """Parse day, month and year of two digits each, in the one order that the calendar allows or `choices` name."""
    a, b, c = (_integers(matches, group) for group in "abc")
    mark = notation.removeprefix("day, month and year").removesuffix("of two digits")
    # 2000 has every day that any year of two digits can have.
    leap = np.full(len(a), 2000)
    orders = {
        DateOrder.DMY: (c, b, a, f"DD{mark}MM{mark}YY"),
        DateOrder.MDY: (c, a, b, f"MM{mark}DD{mark}YY"),
        DateOrder.YMD: (a, b, c, f"YY{mark}MM{mark}DD"),
    }
    if choices.date_order is not None:
        possible = [choices.date_order]
    else:
        broken = {name: int(np.isnat(_assemble(leap, m, d)).sum()) for name, (_, m, d, _) in orders.items()}
        possible = [name for name, count in broken.items() if count == min(broken.values())]
        possible = [
            name for name in possible if is_daily(_assemble(2000 + orders[name][0], *orders[name][1:3]))
        ] or possible
    if len(possible) > 1:
        ends = matches[0].string
        shown_ways = [f"as {orders[name][3]}: {ends!r} (--date-order {name})" for name in possible]
        raise BadInput(f"{source}: the dates are ambiguous, and no row decides; choose one reading:", shown_ways)
    short, months, numbers, reading = orders[possible[0]]
    years, how = _full_years(matches, short, months, numbers, source, choices, today)
    return _assemble(years, months, numbers), reading, (f"years of two digits: {how}",)


def is_daily(days_R: NDArray[np.datetime64]) -> bool:
    """Check whether the days lie as close together as trading days; True for fewer than three days, which cannot
    tell."""
    known = np.unique(days_R[~np.isnat(days_R)])
    return len(known) < 3 or float(np.median(np.diff(known).astype(np.int64))) <= MOST_DAYS_APART


def _integers(matches: Sequence[re.Match[str]], group: str) -> NDArray[np.int64]:
    return np.array(list(map(int, map(itemgetter(group), matches))), dtype=np.int64)


def _month_names(matches: Sequence[re.Match[str]]) -> NDArray[np.int64]:
    """Convert names of months to 1 to 12; 0 for a name that is not a month."""
    return np.fromiter((month_number(match["name"]) for match in matches), dtype=np.int64, count=len(matches))


def _assemble(years: NDArray[np.int64], months: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Build calendar days; NaT for a day that does not exist."""
    starts = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    assembled = starts.astype("datetime64[D]") + (days - 1)
    sound = (months >= 1) & (months <= 12) & (days >= 1) & (assembled.astype("datetime64[M]") == starts)
    return np.where(sound, assembled, np.datetime64("NaT", "D"))


def _ordered(
    matches: Sequence[re.Match[str]], notation: str, source: str, order: DateOrder | None
) -> tuple[NDArray[np.datetime64], str]:
    """Parse the days in the one order of day and month that the whole column allows, or in `order`; return them and the
    notation.

    Raises BadInput if both orders are possible and give different days.
    """
    years, first, second = (_integers(matches, group) for group in ("y", "a", "b"))
    mark = notation.removeprefix("day and month").removesuffix("year")
    readings = {
        DateOrder.DMY: (_assemble(years, second, first), f"DD{mark}MM{mark}YYYY"),
        DateOrder.MDY: (_assemble(years, first, second), f"MM{mark}DD{mark}YYYY"),
    }
    if order in readings:
        return readings[order]
    (dmy_R, _), (mdy_R, _) = readings.values()
    broken = {name: int(np.isnat(days_R).sum()) for name, (days_R, _) in readings.items()}
    if broken[DateOrder.DMY] == broken[DateOrder.MDY] and not np.array_equal(dmy_R, mdy_R, equal_nan=True):
        ends = [matches[0].string, matches[-1].string]
        faults = [
            f"as {words}: {ends[0]!r} is {days_R[0]}, {ends[1]!r} is {days_R[-1]}, and {broken[name]} of {len(days_R)} "
            f"rows are no days (--date-order {name})"
            for name, (days_R, words) in readings.items()
        ]
        raise BadInput(
            f"{source}: the dates can be read in two ways, and no row decides between them; say which:", faults
        )
    return readings[min(broken, key=lambda name: broken[name])]
