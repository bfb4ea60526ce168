"""Numbers as they are written in tables: units, groups of digits, a decimal comma, and the number of digits shown.

The decimal mark is decided over all numbers of a table, as `tsladder ingest` does. A number decides by itself if it has
two different marks, the same mark several times, or a single mark without a group of three digits behind it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tsladder.errors import BadInput
from tsladder.law.reading.sheet import Cell


class Decimal(StrEnum):
    """The decimal mark, before the fraction; the other mark may group the digits."""

    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A number read from a cell. `decimals`: digits behind the decimal mark of a plain number; negative where the last
    digits are not shown (1.2e6 has -5). `unit`: whether k, M, B or T followed the number."""

    value: float
    decimals: int
    unit: bool = False


_SUFFIXES = {"k": 3, "m": 6, "b": 9, "bn": 9, "t": 12}
_SUFFIXED = re.compile(r"(?P<number>.*[0-9.,])(?P<unit>k|m|bn|b|t)", re.IGNORECASE)
_GROUPED = r"[0-9]{1,3}(?:M[0-9]{3})+|[0-9]{1,3}(?:M[0-9]{2})+M[0-9]{3}"  # 1,234,567 and, in India, 12,34,567
_FORMS = {
    decimal: re.compile(
        rf"(?P<sign>[+-]?)(?P<whole>{_GROUPED.replace('M', group)}|[0-9]*)(?:{mark}(?P<fraction>[0-9]*))?"
        r"(?:e(?P<power>[+-]?[0-9]{1,3}))?",
        re.IGNORECASE,
    )
    for decimal, mark, group in ((Decimal.POINT, r"\.", ","), (Decimal.COMMA, ",", r"\."))
}
_LONE = r"[+-]?(?:(?:0[0-9]*|[0-9]{4,})?M[0-9]*|[0-9]*M(?![0-9]{3}(?![0-9]))[0-9]*)(?![0-9.,])"
_SPEAKING = re.compile(
    rf"(?P<point>[^.]*,[^,]*\.[^.,]*$|[^.,]*,[^.]*,[^.]*$|{_LONE.replace('M', '[.]')})"
    rf"|(?P<comma>[^,]*\.[^.]*,[^.,]*$|[^.,]*\.[^,]*\.[^,]*$|{_LONE.replace('M', ',')})"
)
_THOUSANDTHS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_BLANKS = "_\u0020\u00a0\u202f\u2009\u2007'’"
_STRAY_BLANK = re.compile(rf"[0-9][{_BLANKS}]+(?![0-9]{{3}}(?![0-9]))[0-9]")
_MISSING = frozenset(("", "null", "nan", "n/a", "na", "none", "nil", "-", "--", "—", "–", ".", "#n/a", "nat", "<na>"))


def is_missing(cell: Cell) -> bool:
    """Check whether a cell holds no value."""
    return cell.strip().lower() in _MISSING if isinstance(cell, str) else math.isnan(cell)


def read_number(cell: Cell, mark: Decimal) -> Number | None:
    """Read the number of a cell; None for text that is no number.

    A number that came as one, from JSON or a frame, is taken with its shortest digits.
    """
    if not isinstance(cell, str):
        cell, mark = repr(cell), Decimal.POINT
        if cell in ("inf", "-inf"):
            return Number(value=float(cell), decimals=0)
    text, power, unit = _bare(cell), 0, False
    if (suffixed := _SUFFIXED.fullmatch(text)) is not None:
        text, power, unit = suffixed["number"], _SUFFIXES[suffixed["unit"].lower()], True
    found = _FORMS[mark].fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]) or (unit and found["power"]):
        return None
    whole = re.sub("[.,]", "", found["whole"]) or "0"
    fraction = found["fraction"] or ""
    power += int(found["power"] or 0)
    value = float(f"{found['sign']}{whole}.{fraction or '0'}e{power}")
    return Number(value=value, decimals=len(fraction) - power, unit=unit)


def decide_mark(columns: Mapping[str, Sequence[Cell]], source: str) -> Decimal:
    """Return the decimal mark of the text in `columns`; the point where no number contains a comma or several points.

    Raises BadInput, with both readings, where nothing decides, as in a table whose only marks are those of "1,234".
    """
    written = {role: [_bare(cell) for cell in cells if isinstance(cell, str)] for role, cells in columns.items()}
    texts = [text for cells in written.values() for text in cells if not is_missing(text)]
    if not any("," in text for text in texts) and not any(text.count(".") > 1 for text in texts):
        return Decimal.POINT
    votes = Counter(match.lastgroup for match in map(_SPEAKING.match, texts) if match)
    if votes["point"] != votes["comma"]:
        return Decimal.POINT if votes["point"] > votes["comma"] else Decimal.COMMA
    role, text = next((r, t) for r, cells in written.items() for t in cells if "," in t or t.count(".") > 1)
    readings = {mark: read_number(text, mark) for mark in Decimal}
    faults = [
        f"--decimal {mark}: {text} ({role}) is {'no number' if read is None else f'{read.value:.10g}'}"
        for mark, read in readings.items()
    ]
    raise BadInput(f"{source}: nothing tells whether the comma or the point is the decimal mark; say which:", faults)


def looks_like_thousands(cells: Sequence[Cell]) -> bool:
    """Check whether every number has exactly three digits behind its point, as if the point grouped thousands."""
    texts = [cell.strip() for cell in cells if not is_missing(cell) and isinstance(cell, str)]
    return bool(texts) and all(_THOUSANDTHS.fullmatch(text) for text in texts)


def _bare(cell: str) -> str:
    """Strip the characters other than a mark that group digits, and write a minus sign as `-`."""
    text = cell.strip().replace("−", "-")
    if _STRAY_BLANK.search(text) is not None:
        return text
    return re.sub(rf"(?<=[0-9.,])[{_BLANKS}]+(?=[0-9A-Za-z])", "", text)
