"""What a report is made of, whatever its format."""

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
    """Labelled facts, one a line; an empty label stands for a plain item."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A file beside the report; `words` says what it shows to whom cannot see it."""

    file: str
    words: str


class Tone(StrEnum):
    """What an entry's colour says again; its words say it first."""

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
    """Rows of finished text, as many entries a row as columns.

    `name` is unique within a report and names the table's CSV file; `caption` says what the rows are. A line break
    within an entry is one for the eye only. `tones`: (row, column) -> colour, counted from 0.
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
    """Columns of text, of numbers, of text again."""
    columns = [*(Column(t) for t in text), *(Column(t, numeric=True) for t in numbers), *(Column(t) for t in after)]
    return Table(
        name=name,
        caption=caption,
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        tones=tones or {},
    )


def or_words(rows: Table, otherwise: str) -> list[Block]:
    """The table; a sentence where it has no row."""
    return [rows] if rows.rows else [Paragraph(otherwise)]
