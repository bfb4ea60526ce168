"""Parsing of cells into numbers; the decimal mark and the mark that groups digits are determined over the whole
file."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.names import Role
from tsladder.ingest.sheet import Cells, Fault, is_missing, shown


class Decimal(StrEnum):
    """Decimal mark; the other of the two marks may group digits."""

    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Numbers:
    values: Mapping[Role, NDArray[np.float64]]
    decimal: Decimal | None
    """Decimal mark of the file; None if no number in it is written as text."""
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


_DIGITS = frozenset("0123456789")
_MARKS = frozenset("+-.,eE")
_MISSING_MARKS = ("", "-", "--", ".")  # those of the words for nothing that are made of marks
_NEAT = _MARKS | frozenset("na")
# What one number's marks say: two different ones, the last is the decimal mark; several equal ones group digits; a lone
# one is the decimal mark unless it has one to three digits before it, no leading zero, and exactly three behind it.
_LONE = r"[+-]?(?:(?:0[0-9]*|[0-9]{4,})?M[0-9]*|[0-9]*M(?![0-9]{3}(?![0-9]))[0-9]*)(?![0-9.,])"
_SPEAKING = re.compile(
    rf"(?P<point>[^.]*,[^,]*\.[^.,]*$|[^.,]*,[^.]*,[^.]*$|{_LONE.replace('M', '[.]')})"
    rf"|(?P<comma>[^,]*\.[^.]*,[^.,]*$|[^.,]*\.[^,]*\.[^,]*$|{_LONE.replace('M', ',')})"
)
_LONE_COMMA = re.compile(_LONE.replace("M", ","))
_TWO_MARKS = re.compile(r"[.,][^.,\n]*[.,]")
_THREE_AFTER_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_SPACES = "\u0020\u00a0\u202f\u2009\u2007'’"
_BLANKS = str.maketrans(dict.fromkeys(_SPACES))
_SIGNS = "$€£¥₹₽₩₺"
_CURRENCY = re.compile(rf"[{_SIGNS}]|\b(?:USD|EUR|GBP|GBX|CHF|JPY|PLN|CAD|AUD|INR|US\$)\b|zł", re.IGNORECASE)
_SUFFIXES = {"k": "e3", "m": "e6", "b": "e9", "bn": "e9", "t": "e12"}
_SUFFIXED = re.compile(r"(.*[0-9.,])(k|m|bn|b|t)", re.IGNORECASE)
_GROUPED = r"[0-9]{1,3}(?:M[0-9]{3})+|[0-9]{1,3}(?:M[0-9]{2})+M[0-9]{3}"  # 1,234,567 and, in India, 12,34,567
_LARGE = (Role.VOLUME, Role.ADJ_VOLUME, Role.TURNOVER)
"""Columns whose numbers may end in K, M or B."""
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
_FORMS = {
    decimal: re.compile(
        rf"(?P<whole>{_GROUPED.replace('M', group)}|[0-9]*)(?:{mark}(?P<fraction>[0-9]*))?(?P<power>{_EXPONENT})"
    )
    for decimal, mark, group in ((Decimal.POINT, r"\.", ","), (Decimal.COMMA, ",", r"\."))
}


def read_numbers(columns: Mapping[Role, Cells], source: str, *, decimal: Decimal | None) -> Numbers:
    """Parse columns into numbers by role, NaN for a missing value. Raises BadInput if the decimal mark is ambiguous."""
    values = {role: column for role, column in columns.items() if not isinstance(column, list)}
    written = {role: _Written.of(column) for role, column in columns.items() if isinstance(column, list)}
    if not written:
        return Numbers(values=values, decimal=None, faults=(), notes=())
    mark = decimal or _decide(written, source)
    faults: list[Fault] = []
    for role, column in written.items():
        quick = column.quick(mark)
        if quick is None:
            quick, unread = column.careful(mark, shortened=role in _LARGE)
            faults += [
                (place, f"{role} is {shown(cell)}, not a number{_why_not(cell, mark)}") for place, cell in unread
            ]
        values[role] = quick
    notes = _thousandths(written) if decimal is None and mark is Decimal.POINT else ()
    return Numbers(values=values, decimal=mark, faults=tuple(faults), notes=notes)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Written:
    """Column of text.

    `bare`: cells without currency and blanks, and "nan" for a missing value; `signs`: the characters in them that are
    not digits.
    """

    cells: list[str]
    bare: list[str]
    signs: frozenset[str]

    @classmethod
    def of(cls, cells: list[str]) -> _Written:
        signs = _signs(cells)
        if signs <= _MARKS and not any(word in cells for word in _MISSING_MARKS):
            return cls(cells=cells, bare=cells, signs=signs)
        bare = ["nan" if is_missing(cell) else cell for cell in cells]
        signs = _signs(bare)
        if not signs <= _NEAT:
            bare = [_bare(cell) for cell in bare]
            signs = _signs(bare)
        return cls(cells=cells, bare=bare, signs=signs)

    def quick(self, mark: Decimal) -> NDArray[np.float64] | None:
        """Parse a column in which no digits are grouped; return None for any other column. A shortcut, for speed
        only."""
        group = "," if mark is Decimal.POINT else "."
        if group in self.signs or not self.signs <= _NEAT:
            return None
        plain = self.bare if mark is Decimal.POINT else "\n".join(self.bare).replace(",", ".").split("\n")
        try:
            return np.array(list(map(float, plain)), dtype=np.float64)
        except ValueError:
            return None

    def careful(self, mark: Decimal, *, shortened: bool) -> tuple[NDArray[np.float64], list[tuple[int, str]]]:
        """Parse the column cell by cell; return the numbers, and the place and text of the cells that are not
        numbers."""
        numbers = np.full(len(self.cells), np.nan)
        unread: list[tuple[int, str]] = []
        for place, text in enumerate(self.bare):
            number = math.nan if text == "nan" else _number(text, mark, shortened=shortened)
            if number is None:
                unread.append((place, self.cells[place]))
            else:
                numbers[place] = number
        return numbers, unread


def _signs(cells: list[str]) -> frozenset[str]:
    return frozenset("".join(cells)) - _DIGITS


def _bare(cell: str) -> str:
    """Remove currency, blanks and apostrophes that group digits; write a minus sign, or brackets around the number, as
    `-`."""
    text = _CURRENCY.sub("", cell).strip(_SPACES).replace("−", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if re.search(rf"[0-9][{_SPACES}](?![0-9]{{3}}(?![0-9]))", text):
        return text
    return text.translate(_BLANKS)


def _decide(written: Mapping[Role, _Written], source: str) -> Decimal:
    """Determine the decimal mark by a majority of the numbers that can be read in only one way.

    A lone point is the decimal mark unless other numbers contradict it, since that is how programs write numbers; a
    lone comma is not. Raises BadInput if the mark is ambiguous.
    """
    columns = [column for column in written.values() if {",", "."} & column.signs]
    sole = _sole_mark(columns)
    if sole is Decimal.POINT or (sole is Decimal.COMMA and any(map(_LONE_COMMA.match, _cells(columns)))):
        return sole
    votes = {Decimal.POINT: 0, Decimal.COMMA: 0}
    doubtful: list[str] = []
    for column in columns:
        counts = Counter(match.lastgroup for match in map(_SPEAKING.match, column.bare) if match)
        votes[Decimal.POINT] += counts["point"]
        votes[Decimal.COMMA] += counts["comma"]
        doubtful += [cell for cell in column.bare if "," in cell][:1]
    if votes[Decimal.POINT] != votes[Decimal.COMMA]:
        return max(votes, key=lambda mark: votes[mark])
    if not doubtful:
        doubtful = [next(cell for cell in _cells(columns) if "." in cell)]
    readings = {mark: _number(doubtful[0], mark, shortened=True) for mark in Decimal}
    faults = [
        f"as a decimal {mark}: {doubtful[0]} is {'no number' if value is None else value} (--decimal {mark})"
        for mark, value in readings.items()
    ]
    raise BadInput(f"{source}: the decimal mark is ambiguous, comma or point; choose one:", faults)


def _sole_mark(columns: list[_Written]) -> Decimal | None:
    """Return the one mark of a file in which no number has two marks; None for any other file. Most files are like
    this, and it is quick to check."""
    present = {mark for column in columns for mark in (",", ".") if mark in column.signs}
    if len(present) == 2 or any(_TWO_MARKS.search("\n".join(column.bare)) for column in columns):
        return None
    return Decimal.COMMA if "," in present else Decimal.POINT


def _cells(columns: list[_Written]) -> Iterator[str]:
    return itertools.chain.from_iterable(column.bare for column in columns)


def _number(text: str, mark: Decimal, *, shortened: bool) -> float | None:
    sign = ""
    if text[:1] in ("+", "-"):
        sign, text = text[0], text[1:]
    power = ""
    if shortened and (suffixed := _SUFFIXED.fullmatch(text)):
        text, power = suffixed[1], _SUFFIXES[suffixed[2].lower()]
    found = _FORMS[mark].fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]) or (power and found["power"]):
        return None
    whole = found["whole"].replace("," if mark is Decimal.POINT else ".", "")
    return float(f"{sign}{whole or '0'}.{found['fraction'] or '0'}{power or found['power']}")


def _why_not(cell: str, mark: Decimal) -> str:
    if re.fullmatch(r"[-+]?[0-9.,]+", cell):
        return f" where the {mark} is the decimal mark, as in most of the file"
    return ""


def _thousandths(written: Mapping[Role, _Written]) -> tuple[str, ...]:
    """Return a note if every price has exactly three digits after the point, since the point could then group
    thousands."""
    columns = [column.bare for role, column in written.items() if role not in _LARGE]
    if not all(cell == "nan" or _THREE_AFTER_POINT.fullmatch(cell) for cells in columns for cell in cells):
        return ()
    example = next((cell for cells in columns for cell in cells if cell != "nan"), None)
    seen = f"every price has three digits after the point, like {example}: read as a fraction"
    return () if example is None else (f"{seen}; where the point groups thousands, say --decimal comma",)
