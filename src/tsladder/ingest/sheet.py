"""A table as it stood in a file: columns of text or of numbers, and where each row stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

Cells = list[str] | NDArray[np.float64]
"""One column: text as it was written, stripped ("" where there is nothing), or numbers of a typed file."""

ROWS_SHOWN = 20
_MISSING = frozenset(("", "null", "nan", "n/a", "na", "none", "nil", "-", "--", "—", "–", ".", "#n/a", "nat", "<na>"))
_LONGEST_MISSING = max(map(len, _MISSING))


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """The name over a column, and the symbol it belongs to where the header says one."""

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
    """How a file was read: its kind, and for text its encoding and delimiter."""

    kind: str
    encoding: str | None = None
    delimiter: str | None = None
    compressed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sheet:
    """R rows of a file. `rows_R` numbers them as the file does: lines of a text (the header is one of them), rows of a
    Parquet table from 1 on."""

    source: str
    form: FileForm
    headings: tuple[Heading, ...]
    columns: tuple[Cells, ...]
    rows_R: NDArray[np.int64]
    dropped: tuple[Dropped, ...] = ()

    def keep(self, kept_R: NDArray[np.bool_], reason: str) -> Sheet:
        """Without the rows that are False in `kept_R`; they are accounted for under `reason`."""
        if kept_R.all():
            return self
        places = np.flatnonzero(kept_R)
        return replace(
            self,
            columns=tuple(take(column, places) for column in self.columns),
            rows_R=self.rows_R[places],
            dropped=(*self.dropped, Dropped(reason=reason, rows=tuple(self.rows_R[~kept_R].tolist()))),
        )


def take(column: Cells, places: NDArray[np.int64]) -> Cells:
    return [column[place] for place in places] if isinstance(column, list) else column[places]


def missing(column: Cells) -> NDArray[np.bool_]:
    """Which cells say that there is no value."""
    if isinstance(column, list):
        return np.array([is_missing(cell) for cell in column], dtype=np.bool_)
    return np.isnan(column)


def is_missing(cell: str) -> bool:
    return len(cell) <= _LONGEST_MISSING and cell.lower() in _MISSING


def shown(value: object) -> str:
    """A cell in a message: quoted, on one line, not endless."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}...{text[-1]}"


Fault = tuple[int, str]
"""A row of the sheet (counted from 0) and what is wrong with it."""


def refusal(sheet: Sheet, faults: Sequence[Fault], days: NDArray[np.datetime64] | None = None) -> BadInput:
    """Every fault by the number of its row in the file, at most 20, with its day where `days` knows one."""
    ordered = sorted(faults, key=lambda fault: fault[0])
    lines = []
    for place, words in ordered[:ROWS_SHOWN]:
        day = "" if days is None or np.isnat(days[place]) else f" ({days[place]})"
        lines.append(f"row {sheet.rows_R[place]}{day}: {words}")
    if len(ordered) > ROWS_SHOWN:
        lines.append(f"and {len(ordered) - ROWS_SHOWN} more")
    plural = "s" if len(ordered) > 1 else ""
    return BadInput(f"{sheet.source} has {len(ordered)} fault{plural} in its rows; nothing was written:", lines)
