"""Sheet: a table as it stood in a file, with columns of text or of numbers, and the row numbers of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

Cells = list[str] | NDArray[np.float64]
"""One column: text as it was written, stripped ("" for an empty cell), or numbers of a typed file."""

ROWS_SHOWN = 20
_MISSING = frozenset(
    (
        "",
        "null",
        "nan",
        "n/a",
        "na",
        "none",
        "nil",
        "-",
        "--",
        "—",
        "–",
        ".",
        "#n/a",
        "nat",
        "<na>",
        "#value!",
        "#ref!",
        "#div/0!",
        "#name?",
        "#num!",
        "#null!",
    )
)  # the last six: a spreadsheet's errors
_NUMBER_LIKE = re.compile(r"[^A-Za-z:%/]*[0-9][^A-Za-z:%/]*(?:[eE][+-]?[0-9]+)?[kKmMbBtT]?n?")
_LONGEST_MISSING = max(map(len, _MISSING))


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """Heading of a column, and the symbol that the column belongs to if the header names one."""

    name: str
    symbol: str | None = None

    def __str__(self) -> str:
        return self.name if self.symbol is None else f"{self.name} ({self.symbol})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """Rows that were left out, by their numbers in the file."""

    reason: str
    rows: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        return {"reason": self.reason, "count": len(self.rows), "rows": list(self.rows[:ROWS_SHOWN])}


@dataclass(frozen=True, kw_only=True, slots=True)
class FileForm:
    """Format of a file: its kind, and for text its encoding and delimiter."""

    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    compressed: bool = False


Fault = tuple[int, str]
"""Row of the sheet (counted from 0) and the fault in it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sheet:
    """R rows of a file.

    `rows_R`: their numbers in the file, which are lines of a text (the header is one of them), or rows of a Parquet
    table from 1 on. `faults`: rows that do not fit the table; `notes`: how the table was recognised.
    `number_headings`: headings that were numbers in a workbook; `number_columns`: those above a column with numbers.
    """

    source: str
    form: FileForm
    headings: tuple[Heading, ...]
    columns: tuple[Cells, ...]
    rows_R: NDArray[np.int64]
    dropped: tuple[Dropped, ...] = ()
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    number_headings: frozenset[str] = frozenset()
    number_columns: frozenset[str] = frozenset()

    def keep(self, kept_R: NDArray[np.bool_], reason: str) -> Sheet:
        """Leave out the rows that are False in `kept_R`, and record them under `reason`."""
        if kept_R.all():
            return self
        places = np.flatnonzero(kept_R)
        now = np.cumsum(kept_R) - 1
        return replace(
            self,
            faults=tuple((int(now[place]), words) for place, words in self.faults if kept_R[place]),
            columns=tuple(take(column, places) for column in self.columns),
            rows_R=self.rows_R[places],
            dropped=(*self.dropped, Dropped(reason=reason, rows=tuple(self.rows_R[~kept_R].tolist()))),
        )


def take(column: Cells, places: NDArray[np.int64]) -> Cells:
    return [column[place] for place in places] if isinstance(column, list) else column[places]


def missing(column: Cells) -> NDArray[np.bool_]:
    """Mark the cells without a value."""
    if isinstance(column, list):
        return np.array([is_missing(cell) for cell in column], dtype=np.bool_)
    return np.isnan(column)


def is_missing(cell: str) -> bool:
    return len(cell) <= _LONGEST_MISSING and cell.lower() in _MISSING


def shown(value: object) -> str:
    """Format a cell for a message: quoted, on one line, shortened."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}...{text[-1]}"


def is_number_like(cell: str) -> bool:
    """Check whether the cell could be a number in some notation: digits, no words."""
    return _NUMBER_LIKE.fullmatch(cell) is not None


# What differs between rows with the same fault: cells, numbers and days in it.
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|[-+]?[0-9][0-9.,:e+-]*")
_OTHERS_SHOWN = 10


def refusal(
    sheet: Sheet,
    faults: Sequence[Fault],
    days: NDArray[np.datetime64] | None = None,
    *,
    ways: Sequence[str] = (),
    symbols: Sequence[str] | None = None,
) -> BadInput:
    """Build the error that refuses a file: every cause once, with its first row (its day, if `days` has it, and its
    stock, if `symbols` are given) and the numbers of the other rows.

    `ways`: options with which the file would be accepted all the same.
    """
    causes: dict[str, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: fault[0]):
        causes.setdefault(_PARTICULARS.sub("_", fault[1]), []).append(fault)
    lines = []
    for alike in list(causes.values())[:ROWS_SHOWN]:
        place, words = alike[0]
        day = "" if days is None or np.isnat(days[place]) else str(days[place])
        whose = ", ".join(filter(None, (day, "" if symbols is None else symbols[place])))
        where = f"row {sheet.rows_R[place]}" + (f" ({whose})" if whose else "")
        lines.append(f"{where}: {words}{_others(sheet, alike)}")
    if len(causes) > ROWS_SHOWN:
        lines.append(f"and {len(causes) - ROWS_SHOWN} more kinds of fault")
    plural = "s" if len(faults) > 1 else ""
    after = f"; {'; '.join(ways)}" if ways else ""
    return BadInput(f"{sheet.source} has {len(faults)} fault{plural} in its rows; nothing was written{after}:", lines)


def _others(sheet: Sheet, alike: Sequence[Fault]) -> str:
    first, *others = (str(sheet.rows_R[place]) for place, _ in alike)
    rows = [row for row in dict.fromkeys(others) if row != first]
    if not rows:
        return ""
    more = ", ..." if len(rows) > _OTHERS_SHOWN else ""
    plural = "s" if len(rows) > 1 else ""
    return f"; and so in {len(rows)} more row{plural} ({', '.join(rows[:_OTHERS_SHOWN])}{more})"
