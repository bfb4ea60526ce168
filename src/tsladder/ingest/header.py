"""Header of a table of text: find it and read its headings; for a file without one, recognise the layout."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.headers import count_known, is_known, split_prefixes
from tsladder.ingest.layouts import known_layout, proposed_header
from tsladder.ingest.names import RANKS, Role, bare
from tsladder.ingest.sheet import Heading, is_missing, is_number_like, shown

HEADER_WITHIN = 30
LEAST_KNOWN = 2
_LEAVE_OUT = ("-", "_", "")


def known_names(row: Sequence[str], choices: Choices) -> int:
    """Count the columns of daily bars that the row seems to name, including those that the user named."""
    told = {name.strip().casefold() for name in choices.columns.values() if name}
    return count_known(row) + sum(cell.strip().casefold() in told and not is_known(cell) for cell in row)


def header_place(rows: Sequence[Sequence[str]], choices: Choices) -> tuple[int, int]:
    """Find the header among the first rows: return (the number of columns that the best row names, its index)."""
    known = [known_names(row, choices) for row in rows[:HEADER_WITHIN]]
    best = max(known, default=0)
    return best, known.index(best) if known else 0


def wide_header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """Place of the header of a table with a column of days and one for each of two or more stocks: a row without a day
    above rows of its length that begin with one. None where there is no such row."""
    filled = [(place, row) for place, row in enumerate(rows[:HEADER_WITHIN]) if any(map(str.strip, row))]
    for number, (place, row) in enumerate(filled):
        below = [cells for _, cells in filled[number + 1 : number + 1 + _ROWS_BELOW]]
        first = next((column for column, name in enumerate(row[:_FIRST_COLUMNS]) if _names_days(name)), 0)
        if looks_like_a_day(row[0].strip()) or len(row) < first + 3 or not all(map(str.strip, row[first + 1 :])):
            continue
        if below and all(len(cells) == len(row) and looks_like_a_day(cells[first].strip()) for cells in below):
            return place
    return None


def undated_header_place(rows: Sequence[Sequence[str]]) -> int | None:
    """Find the header of a table with a column for each stock and none of days: the first row, of names that all
    differ, above rows of numbers. None where there is no such row."""
    filled = [(place, row) for place, row in enumerate(rows[:HEADER_WITHIN]) if any(map(str.strip, row))]
    if len(filled) < 2:
        return None
    place, names = filled[0]
    told = [name.strip() for name in names]
    # Codes may be digits; numbers with a decimal mark are a row of values.
    if len(told) < 2 or len(set(told)) < len(told) or all(any(mark in name for mark in ".,") for name in told):
        return None
    below = [cells for _, cells in filled[1 : 1 + _ROWS_BELOW]]
    numbers = all(is_missing(cell.strip()) or is_number_like(cell.strip()) for cells in below for cell in cells)
    return place if numbers and all(len(cells) == len(told) for cells in below) else None


_ROWS_BELOW, _FIRST_COLUMNS = 3, 3


def _names_days(name: str) -> bool:
    return any(role is Role.DATE for role, _ in RANKS.get(bare(name), ())) and len(bare(name)) > 1


def headings_below(rows: Sequence[Sequence[str]], header: int) -> tuple[tuple[Heading, ...], int]:
    """Return the headings, and the index of the first row below the whole header.

    yfinance writes three header rows: fields, tickers, and the name of the index, with the first two in either order. R
    gives no name to the column of row names. `header` may be the row of the tickers, where tickers are also names of
    columns.
    """
    beside = (row for row in (header - 1, header + 1) if 0 <= row < len(rows))
    header = next((row for row in beside if _names_only_fields(rows[row], rows[header])), header)
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
        headings = split_prefixes(names)
        return (Heading(name=""), *headings) if _lacks_row_names(names, rows[first:]) else headings, first
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
    """Check whether `row` names tickers; one may equal a field's name (LOW, C, V) if `names` are fields alone."""
    if not len(row) == len(names) > 1 or bare(row[0]) not in ("ticker", "tickers", "symbol"):
        return False
    return not is_known(row[1]) or _names_only_fields(names, row)


def _names_only_fields(names: Sequence[str], tickers: Sequence[str]) -> bool:
    """Check whether all `names` are known names of fields, and some of the `tickers` are not."""
    return len(names) == len(tickers) and all(map(is_known, names[1:])) and not all(map(is_known, tickers[1:]))


def _lacks_row_names(names: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Check whether every row has one cell more than the header, and the first cell is a row name, as R writes them."""
    rows = [row for row in below[:HEADER_WITHIN] if any(map(str.strip, row))]
    if (
        not names
        or not names[-1].strip()
        or not rows
        or not all(len(row) == len(names) + 1 for row in rows[:-1] or rows)
    ):
        return False
    dated = any(bare(name) in ("date", "datetime", "time", "timestamp", "index") for name in names)
    firsts = [row[0].strip() for row in rows[:-1] or rows]
    return all(cell.isdigit() for cell in firsts) if dated else all(map(looks_like_a_day, firsts))


def told_headings(
    rows: Sequence[Sequence[str]], header: Sequence[str], source: str
) -> tuple[tuple[Heading, ...], int, tuple[str, ...]]:
    """Return the headings given by `--header`, the index of the first row of data, and notes.

    Raises BadInput if the rows have another number of cells.
    """
    filled = [row for row in rows if any(map(str.strip, row))]
    width = max((len(row) for row in filled[:HEADER_WITHIN]), default=0)
    while width and all(len(row) < width or not row[width - 1].strip() for row in filled) and width > len(header):
        width -= 1
    if width != len(header):
        raise BadInput(
            f"--header names {len(header)} columns, and {source} has {width}: row 1 is "
            f"{shown(','.join(rows[0]) if rows else '')}; write - for a column to leave out"
        )
    first = 0
    while first < min(len(rows), HEADER_WITHIN) and not any(looks_like_a_day(cell.strip()) for cell in rows[first]):
        if sum(is_number_like(cell.strip()) for cell in rows[first]) >= min(4, width):
            break
        first += 1
    first = 0 if first == min(len(rows), HEADER_WITHIN) else first
    names = ["" if name.strip() in _LEAVE_OUT else name.strip() for name in header]
    return (
        tuple(Heading(name=name or f"({place + 1})") for place, name in enumerate(names)),
        first,
        ("columns are named by --header",),
    )


def headings_without(
    rows: Sequence[Sequence[str]], source: str, choices: Choices
) -> tuple[tuple[Heading, ...], tuple[str, ...]]:
    """Return the headings of a file without a header. Raises BadInput if it does not fit the layout of a known
    program."""
    layout = known_layout(rows)
    if layout is not None:
        names = (name or f"({place + 1})" for place, name in enumerate(layout.names))
        said = ", ".join(name for name in layout.names if name)
        return tuple(Heading(name=name) for name in names), (
            f"no header: its columns are those of {layout.program}: {said}",
        )
    raise no_header(rows, source, choices)


def no_header(rows: Sequence[Sequence[str]], source: str, choices: Choices) -> BadInput:
    first = next((row for row in rows if any(map(str.strip, row))), [])
    if choices.of_stocks and not any(looks_like_a_day(cell.strip()) for row in rows[:HEADER_WITHIN] for cell in row):
        return BadInput(
            f"{source} has no column of dates; row 1 is {shown(','.join(first))}: rows without dates cannot be split "
            "by date: bring a file with a day in every row, or lay the rows of a table with a column for each stock on "
            "the sessions of an exchange: --field close --sessions XNYS --last-day 1984-12-31"
        )
    if any(looks_like_a_day(cell.strip()) for cell in first[:4]):
        way = (
            "add a header line, or name the columns in their order (- skips one): "
            f"--header {proposed_header(first, rows[:HEADER_WITHIN])}"
        )
    else:
        columns = "Date, Symbol, Close" if choices.of_stocks else "Date, Open, High, Low, Close, Volume"
        way = (
            f"columns {columns} are needed, separated by comma, semicolon, tab or blank; "
            "where they are there under other names, say --column Date=NAME --column Open=NAME and so on"
        )
    return BadInput(
        f"{source} has no header of daily bars in its first {HEADER_WITHIN} rows; row 1 is "
        f"{shown(','.join(first))}: {way}"
    )
