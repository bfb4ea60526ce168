"""From the text of a CSV file to a sheet: its delimiter, where the header stands, and every row with its line."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Sequence

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.encoding import Decoded
from tsladder.ingest.headers import bare, count_known, is_known, split_prefixes
from tsladder.ingest.sheet import Dropped, Fault, FileForm, Heading, Sheet, refusal, shown

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HEADER_WITHIN = 30
_LEAST_KNOWN = 2


def sheet_of_text(decoded: Decoded, source: str) -> Sheet:
    """Raises BadInput for a text without a header of daily bars, without rows, or with rows of another width."""
    if not decoded.text.strip():
        raise BadInput(f"{source} holds no text: daily bars as CSV or Parquet are needed")
    delimiter, header = _find_header(decoded.text, source)
    rows, lines = _rows(decoded.text, delimiter, source)
    headings, first = _headings(rows, header)
    form = FileForm(
        kind="csv", encoding=decoded.encoding, delimiter=DELIMITERS[delimiter], compressed=decoded.compressed
    )
    dropped = _before_the_header(rows, lines, header)
    body, numbers = rows[first:], np.asarray(lines[first:], dtype=np.int64)
    empty_R = np.array([not (row and row[0].strip()) and not any(map(str.strip, row)) for row in body], dtype=np.bool_)
    if empty_R.any():
        dropped.append(Dropped(reason="empty", rows=tuple(numbers[empty_R].tolist())))
        body, numbers = list(itertools.compress(body, ~empty_R)), numbers[~empty_R]
    width = len(headings)
    faults = _even_out(body, width)
    columns = [list(map(str.strip, column)) for column in zip(*body, strict=True)] if body else [[] for _ in headings]
    sheet = Sheet(
        source=source,
        form=form,
        headings=headings,
        columns=tuple(columns),
        rows_R=numbers,
        dropped=tuple(dropped),
    )
    if faults:
        raise refusal(sheet, faults)
    return _without_repeated_headers(sheet)


def _find_header(text: str, source: str) -> tuple[str, int]:
    """The delimiter under which the top of the file names most columns of daily bars, and the header's place."""
    best, where = 0, (",", 0)
    for delimiter in DELIMITERS:
        for place, row in enumerate(_top(text, delimiter)):
            known = count_known(row)
            if known > best:
                best, where = known, (delimiter, place)
    if best >= _LEAST_KNOWN:
        return where
    first = next((line for line in text.splitlines() if line.strip()), "")
    cells = next(([cell.strip() for cell in first.split(mark)] for mark in DELIMITERS if mark in first), [first])
    ways = (
        "put a header over the columns: Date, Open, High, Low, Close, Volume"
        if any(map(looks_like_a_day, cells))
        else "columns Date, Open, High, Low, Close, Volume are needed, separated by comma, semicolon or tab"
    )
    raise BadInput(
        f"{source} has no header of daily bars in its first {_HEADER_WITHIN} rows; row 1 is {shown(first)}: {ways}"
    )


def _top(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _HEADER_WITHIN):
            rows.append(row)  # noqa: PERF402
    except csv.Error:
        return rows
    return rows


def _rows(text: str, delimiter: str, source: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows = list(reader)
        if reader.line_num == len(rows):
            return rows, list(range(1, len(rows) + 1))
    # Some row stands on several lines, or is broken: which one?
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        start = lines[-1] + 1 if lines else 1
        raise BadInput(f"{source} is no sound CSV: row {start}: {error} (a quotation mark without its pair?)") from None
    return rows, lines


def _headings(rows: Sequence[Sequence[str]], header: int) -> tuple[tuple[Heading, ...], int]:
    """The headings, and the place of the first row below all of the header.

    yfinance writes three header rows: fields, tickers, and the name of the index; in either order of the first two.
    """
    names = rows[header]
    below = rows[header + 1] if header + 1 < len(rows) else []
    above = rows[header - 1] if header else []
    first = header + 1
    tickers: Sequence[str] | None = None
    if _is_ticker_row(below, names):
        tickers, first = below, header + 2
    elif _is_ticker_row(above, names):
        tickers = above
    if tickers is None:
        return split_prefixes(names), first
    index = rows[first] if first < len(rows) else []
    corner = names[0]
    if index and is_known(index[0]) and not any(map(str.strip, index[1:])):
        corner, first = index[0], first + 1
    fields = (
        Heading(name=name.strip(), symbol=ticker.strip() or None)
        for name, ticker in zip(names[1:], tickers[1:], strict=True)
    )
    return (Heading(name=corner.strip() if is_known(corner) and bare(corner) != "price" else "Date"), *fields), first


def _is_ticker_row(row: Sequence[str], names: Sequence[str]) -> bool:
    return len(row) == len(names) > 1 and bare(row[0]) in ("ticker", "tickers", "symbol") and not is_known(row[1])


def _before_the_header(rows: Sequence[Sequence[str]], lines: Sequence[int], header: int) -> list[Dropped]:
    said = tuple(line for row, line in zip(rows[:header], lines, strict=False) if any(map(str.strip, row)))
    return [Dropped(reason="stands above the header", rows=said)] if said else []


def _even_out(body: list[list[str]], width: int) -> list[Fault]:
    """Give every row `width` cells, in place; rows that have more, and not for a delimiter at their end, are faults.

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
    """Files that were strung together repeat it."""
    names = [heading.name for heading in sheet.headings]
    kept_R = np.ones(len(sheet.rows_R), dtype=np.bool_)
    for place in (place for place, cell in enumerate(sheet.columns[0]) if cell == names[0] != ""):
        kept_R[place] = any(column[place] != name for column, name in zip(sheet.columns, names, strict=True))
    return sheet.keep(kept_R, "repeats the header")
