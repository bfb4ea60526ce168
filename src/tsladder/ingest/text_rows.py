"""Parsing of the text of a CSV file into rows of cells, each with the line on which it ends."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Sequence

from tsladder.errors import BadInput

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
_MOST_ARE = 0.5


def top_rows(text: str, delimiter: str, count: int) -> list[list[str]]:
    """Parse the first `count` rows, or those above the first malformed one."""
    rows: list[list[str]] = []
    stream = io.StringIO(_evened(text[:_TOP_CHARACTERS], delimiter), newline="")
    with contextlib.suppress(csv.Error):
        rows.extend(itertools.islice(csv.reader(stream, delimiter=delimiter), count))
    return _unquoted(rows, delimiter)


_TOP_CHARACTERS = 200_000


def all_rows(text: str, delimiter: str, source: str) -> tuple[list[list[str]], list[int]]:
    """Parse all rows; return them and the line on which each ends. Raises BadInput if the text is not valid CSV."""
    text = _evened(text, delimiter)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows = list(reader)
        if reader.line_num == len(rows):
            return _unquoted(rows, delimiter), list(range(1, len(rows) + 1))
    # Some row stands on several lines, or is broken: which one?
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        start = lines[-1] + 1 if lines else 1
        raise BadInput(
            f"{source} is not valid CSV: row {start}: {error} (perhaps an unclosed quotation mark)"
        ) from None
    return _unquoted(rows, delimiter), lines


def _evened(text: str, delimiter: str) -> str:
    """Normalise the text for a CSV reader: one blank between columns that are aligned by blanks, and no semicolons
    behind quoted lines."""
    if delimiter == " ":
        return re.sub(r"^ +| +$|(?<= ) +", "", text, flags=re.MULTILINE)
    # A program that separates by semicolons puts them behind lines that it has quoted as a whole.
    if delimiter == "," and re.match(r'"[^\r\n]*";+\r?$', text, flags=re.MULTILINE):
        return re.sub(r'(?<=");+(?=\r?$)', "", text, flags=re.MULTILINE)
    return text


def _unquoted(rows: list[list[str]], delimiter: str) -> list[list[str]]:
    """Split the cells of lines that a program has put into quotation marks as a whole."""
    wrapped = [_is_wrapped(row, delimiter) for row in rows[:1000]]
    if delimiter == " " or sum(wrapped) <= _MOST_ARE * len(wrapped):
        return rows
    return [_split(row[0], delimiter) if _is_wrapped(row, delimiter) else row for row in rows]


def _is_wrapped(row: Sequence[str], delimiter: str) -> bool:
    return bool(row) and delimiter in row[0] and not any(row[1:])


def _split(cell: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([cell], delimiter=delimiter), [])
    except csv.Error:
        return [cell]
