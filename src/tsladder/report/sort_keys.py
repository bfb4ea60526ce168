"""Sort keys of table entries: the first number that a reader sees, whatever surrounds it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tsladder.report.words import MISSING
from tsladder.vocabulary import Cell, parse_budget

UNKNOWN = ""
"""Key of an entry without a value; it stands last whichever way a column is sorted."""

_FIRST = re.compile(
    rf"{MISSING}|(?<![\w.])(?P<number>[+-]?(?:inf|\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?))"
    r"(?P<unit>[kMB]\b| (?:s|min|h|days?)\b)?"
)
_UNITS = {"k": 1e3, "M": 1e6, "B": 1e9, " s": 1.0, " min": 60.0, " h": 3600.0, " day": 86_400.0, " days": 86_400.0}
_HORIZON = re.compile(r"(\d+) (?:day|session)s?")
_MOST_HORIZON = 1e6


def sort_keys(entries: Sequence[str], *, numeric: bool) -> tuple[str, ...]:
    """Return a key for each entry of one column: numbers where every known entry is one, otherwise text, ignoring case.

    In a numeric column the key is the first number of an entry, with its unit (750k, 3 min). A text column counts as
    numeric only where every entry is a budget, a cell or a horizon; cells are sorted by size and then by horizon.
    """
    known = [" ".join(entry.split()) for entry in entries]
    numbers = [_number(entry) if numeric else _named(entry) for entry in known]
    silent = [entry in (MISSING, "") for entry in known]
    if numeric or all(number is not None or quiet for number, quiet in zip(numbers, silent, strict=True)):
        return tuple(UNKNOWN if number is None else _written(number) for number in numbers)
    return tuple(UNKNOWN if quiet else entry.casefold() for entry, quiet in zip(known, silent, strict=True))


def _number(entry: str) -> float | None:
    found = _FIRST.search(entry)
    if found is None or found["number"] is None:
        return None
    return float(found["number"].replace(",", "")) * _UNITS.get(found["unit"] or "", 1.0)


def _named(entry: str) -> float | None:
    if (horizon := _HORIZON.fullmatch(entry)) is not None:
        return float(horizon[1])
    try:
        cell = Cell.parse(entry)
    except ValueError:
        return _budget(entry)
    return parse_budget(cell.budget) + cell.horizon / _MOST_HORIZON


def _budget(entry: str) -> float | None:
    try:
        return float(parse_budget(entry))
    except ValueError:
        return None


def _written(number: float) -> str:
    """Format `number` as JavaScript reads it."""
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0.0 else "-Infinity"
    return repr(number)
