"""Conversion of rows of text (a CSV file, a workbook) to a sheet: find the delimiter and the header, and number the
rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.encoding import Decoded
from tsladder.ingest.header import (
    HEADER_WITHIN,
    LEAST_KNOWN,
    header_place,
    headings_below,
    headings_without,
    no_header,
    told_headings,
    undated_header_place,
    wide_header_place,
)
from tsladder.ingest.sheet import Dropped, Fault, FileForm, Heading, Sheet, is_number_like, shown
from tsladder.ingest.text_rows import DELIMITERS, all_rows, top_rows

REMARK = "no day below the last day (a total or a remark)"
_REMARKS = 20
_LEAST_NUMBERS = 4
"""Fewest numbers in a row that may be a bar, and fewest known names in a header that is separated by blanks, as prose
is."""


def sheet_of_text(decoded: Decoded, source: str, choices: Choices) -> Sheet:
    """Convert the text of a file to a sheet.

    Raises BadInput for a text without rows or without a header of daily bars.
    """
    if not decoded.text.strip():
        raise BadInput(f"{source} holds no text: daily bars as CSV or Parquet are needed")
    delimiter = _find_delimiter(decoded.text, source, choices)
    rows, lines = all_rows(decoded.text, delimiter, source)
    form = FileForm(
        kind="csv", encoding=decoded.encoding, delimiter=DELIMITERS[delimiter], compressed=decoded.compressed
    )
    return sheet_of_rows(rows, lines, source, form, choices)


def sheet_of_rows(rows: list[list[str]], lines: Sequence[int], source: str, form: FileForm, choices: Choices) -> Sheet:
    """Convert rows of text to a sheet. `lines` are their row numbers in the file.

    Raises BadInput if no row is a header of daily bars and the rows do not fit the layout of a known program.
    """
    notes: tuple[str, ...] = ()
    if choices.header is not None:
        headings, first, notes = told_headings(rows, choices.header, source)
        above = first
    else:
        known, above = header_place(rows[:HEADER_WITHIN], choices)
        if known >= (_LEAST_NUMBERS if form.delimiter == DELIMITERS[" "] else LEAST_KNOWN):
            headings, first = headings_below(rows, above)
        elif choices.of_stocks and (place := _stocks_header(rows, choices)) is not None:
            above, first = place, place + 1
            headings = tuple(Heading(name=name.strip()) for name in rows[place])
        else:
            headings, notes = headings_without(rows, source, choices)
            above = first = 0
    said = tuple(line for row, line in zip(rows[:above], lines, strict=False) if any(map(str.strip, row)))
    dropped = [Dropped(reason="stands above the header", rows=said)] if said else []
    body, numbers = rows[first:], np.asarray(lines[first:], dtype=np.int64)
    empty_R = np.array([not (row and row[0].strip()) and not any(map(str.strip, row)) for row in body], dtype=np.bool_)
    if empty_R.any():
        dropped.append(Dropped(reason="empty", rows=tuple(numbers[empty_R].tolist())))
        body, numbers = list(itertools.compress(body, ~empty_R)), numbers[~empty_R]
    remarks = _remarks_below(body, len(headings))
    if remarks:
        dropped.append(Dropped(reason=REMARK, rows=tuple(numbers[len(body) - remarks :].tolist())))
        body, numbers = body[: len(body) - remarks], numbers[: len(numbers) - remarks]
    faults = _even_out(body, len(headings))
    columns = [list(map(str.strip, column)) for column in zip(*body, strict=True)] if body else [[] for _ in headings]
    sheet = Sheet(
        source=source,
        form=form,
        headings=headings,
        columns=tuple(columns),
        rows_R=numbers,
        dropped=tuple(dropped),
        faults=tuple(faults),
        notes=notes,
    )
    return _without_repeated_headers(sheet)


def _find_delimiter(text: str, source: str, choices: Choices) -> str:
    """Find the delimiter under which the top of the file names most columns of daily bars; else one that gives rows of
    equal width.

    Raises BadInput if there is none.
    """
    tops = {delimiter: top_rows(text, delimiter, HEADER_WITHIN) for delimiter in DELIMITERS}
    if choices.header is None:
        known = {delimiter: header_place(rows, choices)[0] for delimiter, rows in tops.items()}
        best = max(known, key=lambda delimiter: known[delimiter])
        if known[best] >= (_LEAST_NUMBERS if best == " " else LEAST_KNOWN):
            return best
        if choices.of_stocks:
            wide = [delimiter for delimiter, rows in tops.items() if _stocks_header(rows, choices) is not None]
            if wide:
                return max(wide, key=lambda delimiter: max(map(len, tops[delimiter])))
    wanted = None if choices.header is None else len(choices.header)
    steady = [delimiter for delimiter, rows in tops.items() if _is_steady(rows, wanted)]
    if not steady:
        steady = [delimiter for delimiter, rows in tops.items() if _is_steady(rows, None)]
    if not steady:
        rows = next((rows for rows in tops.values() if any(len(row) > 1 for row in rows)), tops[","])
        raise no_header(rows, source, choices)
    return steady[0]


def _stocks_header(rows: Sequence[Sequence[str]], choices: Choices) -> int | None:
    """Find the header of a table with a column for each stock; None where there is none."""
    place = wide_header_place(rows)
    return undated_header_place(rows) if place is None and choices.sessions is not None else place


def _is_steady(rows: Sequence[Sequence[str]], width: int | None) -> bool:
    """Check whether most rows have the same number of cells, five or more, and `width` if that is given."""
    widths = [len(row) for row in rows if any(map(str.strip, row))]
    common = max(set(widths), key=widths.count, default=0)
    return common > _LEAST_NUMBERS and widths.count(common) * 2 > len(widths) and width in (None, common)


def _remarks_below(body: Sequence[Sequence[str]], width: int) -> int:
    """Count the lines of prose at the end of the file; 0 unless one of them has more cells than the table has
    columns."""
    count = 0
    while count < min(_REMARKS, len(body)) and _is_prose(body[len(body) - 1 - count]):
        count += 1
    wide = any(len(row) > width and any(map(str.strip, row[width:])) for row in body[len(body) - count :])
    return count if wide else 0


def _is_prose(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row]
    return not any(map(looks_like_a_day, cells)) and sum(map(is_number_like, cells)) < _LEAST_NUMBERS


def _even_out(body: list[list[str]], width: int) -> list[Fault]:
    """Give every row `width` cells, in place; return as faults the rows with more cells, unless the further cells are
    empty.

    A row that is too short lacks its last values, and is judged by that.
    """
    faults: list[Fault] = []
    for place, row in enumerate(body):
        if len(row) == width:
            continue
        if any(map(str.strip, row[width:])):
            faults.append(
                (place, f"has {len(row)} cells where the header has {width}: {shown(row[-1].strip())} is one too many")
            )
        body[place] = row[:width] + [""] * (width - len(row))
    return faults


def _without_repeated_headers(sheet: Sheet) -> Sheet:
    """Leave out repetitions of the header, as in files that were concatenated."""
    names = [heading.name for heading in sheet.headings]
    kept_R = np.ones(len(sheet.rows_R), dtype=np.bool_)
    for place in (place for place, cell in enumerate(sheet.columns[0]) if cell == names[0] != ""):
        kept_R[place] = any(column[place] != name for column, name in zip(sheet.columns, names, strict=True))
    return sheet.keep(kept_R, "repeats the header")
