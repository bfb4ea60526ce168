"""From the cells of a date column to days. One notation holds for the whole column, or nothing does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.sheet import Cells, Fault, missing, shown


class DateOrder(StrEnum):
    """Which of the two numbers before the year is the day."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Days:
    """`days_R` is NaT where a cell is a fault. `times` are as written, "" for none; `zones` are the distinct ones."""

    days_R: NDArray[np.datetime64]
    times: tuple[str, ...]
    zones: tuple[str, ...]
    notation: str
    faults: tuple[Fault, ...]


_CLOCK = (
    r"(?:[T ,]\s*(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?|[0-9]{6}|[0-9]{4})"
    r"\s*(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?|[A-Z]{2,5}(?:[+-][0-9]{1,2}(?::?[0-9]{2})?)?|[A-Za-z]+/[A-Za-z_/]+)?)?"
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
# Notation in words -> the day's part of its pattern.
_NOTATIONS = {
    "YYYY-MM-DD": r"(?P<y>[0-9]{4})([-/.])(?P<m>[0-9]{1,2})\2(?P<d>[0-9]{1,2})",
    "YYYYMMDD": r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})(?:\.0)?",
    "day and month/year": r"(?P<a>[0-9]{1,2})/(?P<b>[0-9]{1,2})/(?P<y>[0-9]{4})",
    "day and month.year": r"(?P<a>[0-9]{1,2})\.(?P<b>[0-9]{1,2})\.(?P<y>[0-9]{4})",
    "day and month-year": r"(?P<a>[0-9]{1,2})-(?P<b>[0-9]{1,2})-(?P<y>[0-9]{4})",
    "DD Month YYYY": rf"(?P<d>[0-9]{{1,2}})[ -]{_NAME}[ ,-]+(?P<y>[0-9]{{4}})",
    "Month DD, YYYY": rf"{_NAME}[ -](?P<d>[0-9]{{1,2}})[ ,-]+(?P<y>[0-9]{{4}})",
}
_PATTERNS = {notation: re.compile(day + _CLOCK) for notation, day in _NOTATIONS.items()}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_HINTS = (
    (
        re.compile(r"[0-9]{1,2}[-/. ]([0-9]{1,2}|[A-Za-z]{3})[-/. ][0-9]{2}"),
        "a year of two digits leaves its century open",
    ),
    (re.compile(r"[0-9]{9,10}(\.0)?|[0-9]{12,13}(\.0)?"), "seconds or milliseconds since 1970 carry no market's day"),
    (re.compile(r"[0-9]{5}(\.[0-9]+)?"), "a spreadsheet's day number: give the column a date format and export again"),
)


def looks_like_a_day(cell: str) -> bool:
    return _notation_of(cell) is not None


def read_days(column: Cells, source: str, *, order: DateOrder | None) -> Days:
    """Raises BadInput when day and month could be read both ways and `order` does not say which is right."""
    cells = column if isinstance(column, list) else _digits(column)
    iso_R = _plain_iso(cells)
    if iso_R is not None:
        return Days(days_R=iso_R, times=("",) * len(cells), zones=(), notation="YYYY-MM-DD", faults=())
    absent_R = missing(cells)
    notation, found = _common_notation(cells, absent_R)
    faults: list[Fault] = []
    for place, match in enumerate(found):
        if match is None:
            words = "the date is missing" if absent_R[place] else _complaint(cells[place], notation, cells, found)
            faults.append((place, words))
    read = np.fromiter((match is not None for match in found), dtype=np.bool_, count=len(found))
    matches = [match for match in found if match is not None]
    places = np.flatnonzero(read)
    if notation.startswith("day and month"):
        read_R, notation = _ordered(matches, cells, notation, source, order)
    else:
        months = _month_names(matches) if "Month" in notation else _integers(matches, "m")
        read_R = _assemble(_integers(matches, "y"), months, _integers(matches, "d"))
    faults += [
        (int(place), f"Date is {shown(cells[place])}, and there is no such day, read as {notation}")
        for place in places[np.isnat(read_R)]
    ]
    days_R = np.full(len(cells), np.datetime64("NaT", "D"))
    days_R[places] = read_R
    times = ["" if match is None else match["time"] or "" for match in found]
    zones = tuple(sorted({match["zone"] for match in matches if match["zone"]}))
    return Days(days_R=days_R, times=tuple(times), zones=zones, notation=notation, faults=tuple(faults))


def _digits(column: NDArray[np.float64]) -> list[str]:
    """Days written as numbers, 20180131."""
    return [
        "" if value != value else f"{value:.0f}" if value.is_integer() else repr(value) for value in column.tolist()
    ]


def _notation_of(cell: str) -> str | None:
    return next((notation for notation, pattern in _PATTERNS.items() if pattern.fullmatch(cell)), None)


def _plain_iso(cells: Sequence[str]) -> NDArray[np.datetime64] | None:
    """The days of a column that holds nothing but 2018-01-31 and the like; None for any other. Only to be quick."""
    if not all(len(cell) == 10 and cell[4] == cell[7] == "-" != cell[0] for cell in cells):
        return None
    try:
        return np.array(cells, dtype="datetime64[D]")
    except ValueError:
        return None


def _common_notation(cells: Sequence[str], absent_R: NDArray[np.bool_]) -> tuple[str, Sequence[re.Match[str] | None]]:
    """The notation of most cells, and each cell's match of it."""
    first = next((cell for cell, absent in zip(cells, absent_R.tolist(), strict=True) if not absent), "")
    notation = _notation_of(first) or next(iter(_PATTERNS))
    found = list(map(_PATTERNS[notation].fullmatch, cells))
    if sum(match is None for match in found) > absent_R.sum():
        counts = Counter(other for cell in cells if (other := _notation_of(cell)) is not None)
        if counts and counts.most_common(1)[0][0] != notation:
            notation = counts.most_common(1)[0][0]
            found = list(map(_PATTERNS[notation].fullmatch, cells))
    return notation, found


def _complaint(cell: str, notation: str, cells: Sequence[str], found: Sequence[re.Match[str] | None]) -> str:
    for pattern, words in _HINTS:
        if pattern.fullmatch(cell):
            return f"Date is {shown(cell)}: {words}; a day like 2018-01-31 is needed"
    if _notation_of(cell) is not None:
        other = next(cells[place] for place, match in enumerate(found) if match is not None)
        return f"Date is {shown(cell)}, written differently from most rows ({shown(other)})"
    return f"Date is {shown(cell)}, not a day like 2018-01-31"


def _integers(matches: Sequence[re.Match[str]], group: str) -> NDArray[np.int64]:
    return np.array(list(map(int, map(itemgetter(group), matches))), dtype=np.int64)


def _month_names(matches: Sequence[re.Match[str]]) -> NDArray[np.int64]:
    """1 to 12; 0 for what is no month."""
    known = {name[:3]: number for number, name in enumerate(_MONTHS, start=1)} | {"sept": 9}
    known |= {name: number for number, name in enumerate(_MONTHS, start=1)}
    return np.fromiter((known.get(match["name"].lower(), 0) for match in matches), dtype=np.int64, count=len(matches))


def _assemble(years: NDArray[np.int64], months: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Days of the calendar; NaT where there is no such day."""
    starts = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    assembled = starts.astype("datetime64[D]") + (days - 1)
    sound = (months >= 1) & (months <= 12) & (days >= 1) & (assembled.astype("datetime64[M]") == starts)
    return np.where(sound, assembled, np.datetime64("NaT", "D"))


def _ordered(
    matches: Sequence[re.Match[str]], cells: Sequence[str], notation: str, source: str, order: DateOrder | None
) -> tuple[NDArray[np.datetime64], str]:
    """The days under the order that the whole column allows."""
    years, first, second = (_integers(matches, group) for group in ("y", "a", "b"))
    mark = notation.removeprefix("day and month").removesuffix("year")
    readings = {
        DateOrder.DMY: (_assemble(years, second, first), f"DD{mark}MM{mark}YYYY"),
        DateOrder.MDY: (_assemble(years, first, second), f"MM{mark}DD{mark}YYYY"),
    }
    if order is not None:
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
