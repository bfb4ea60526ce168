"""What a report is made of, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of finished text, as many entries a row as columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Points | Picture | Table


def table(
    text: Sequence[str], numbers: Sequence[str], rows: Sequence[Sequence[str]], after: Sequence[str] = ()
) -> Table:
    """Columns of text, of numbers, of text again."""
    columns = [*(Column(t) for t in text), *(Column(t, numeric=True) for t in numbers), *(Column(t) for t in after)]
    return Table(tuple(columns), tuple(tuple(row) for row in rows))


def or_words(rows: Table, otherwise: str) -> list[Block]:
    """The table; a sentence where it has no row."""
    return [rows] if rows.rows else [Paragraph(otherwise)]
