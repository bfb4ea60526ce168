"""Building blocks of a report, independent of its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """Labelled facts, one per line; an item with an empty label has no label."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """Image file beside the report; `words` is its alternative text."""

    file: str
    words: str


class Tone(StrEnum):
    """Colour of a table entry, which repeats what the entry's words say."""

    GOOD = "good"
    MIXED = "mixed"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    numeric: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Table of formatted text, with as many entries per row as columns.

    `name` is unique within a report and names the table's CSV file; `caption` says what the rows are. A line break
    within an entry only affects its display. `tones`: (row, column) -> colour, counted from 0.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    tones: Mapping[tuple[int, int], Tone] = field(default_factory=dict)


Block = Heading | Paragraph | Points | Picture | Table


def table(
    name: str,
    caption: str,
    *,
    text: Sequence[str] = (),
    numbers: Sequence[str] = (),
    after: Sequence[str] = (),
    rows: Sequence[Sequence[str]],
    tones: Mapping[tuple[int, int], Tone] | None = None,
) -> Table:
    """Build a table with text columns, then numeric columns, then text columns again."""
    columns = [*(Column(t) for t in text), *(Column(t, numeric=True) for t in numbers), *(Column(t) for t in after)]
    return Table(
        name=name,
        caption=caption,
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        tones=tones or {},
    )


def or_sentence(rows: Table, otherwise: str) -> list[Block]:
    """Return the table, or the sentence `otherwise` where the table has no row."""
    return [rows] if rows.rows else [Paragraph(otherwise)]
