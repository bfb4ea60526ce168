"""The rows of a table of points: read, checked as a whole, and refused with every fault named.

Columns are `n_params` and `loss` (or `rank_ic`, of which it is 1 - RankIC), optionally `n_data` (or `compute`, from
which it follows as C / (6 N)), `group`, `seed` and `se`, in any order, case and spacing, under the names of
`tsladder.law.reading.columns`. As in the scaling.csv of a study, `horizon` serves as the group where there is none, and
a row whose `dropped` is true is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.law.points import size_in_words
from tsladder.law.reading.columns import ANY_LOSS, NEEDED, OPTIONAL, Columns, count_known, find_columns
from tsladder.law.reading.numbers import Decimal, decide_mark, is_missing, looks_like_thousands
from tsladder.law.reading.options import Reading
from tsladder.law.reading.per_size import not_replicates, settings_of
from tsladder.law.reading.row import Row
from tsladder.law.reading.row_reader import DROPPED, NUMBERS, RowReader
from tsladder.law.reading.sheet import Sheet, cell_at, read_sheet

if TYPE_CHECKING:
    import pandas as pd

AS_IT_COMES = Reading()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows that count, and what is known about the table.

    header       names of all columns
    ignored      columns without a role
    known        roles that have a column
    dropped      number of rows left out because their `dropped` is true
    read         number of valid rows, including those that the choice within a size leaves out
    metric       name of the loss
    understood   (table, what was taken from which column) of each table, in words
    notes        group -> sentences on the choice within a size
    """

    rows: tuple[Row, ...]
    header: tuple[str, ...]
    ignored: tuple[str, ...]
    known: tuple[str, ...]
    dropped: int
    read: int
    understood: tuple[tuple[str, str], ...]
    metric: str = ANY_LOSS
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_rows(source: Path | str | pd.DataFrame, reading: Reading = AS_IT_COMES) -> Rows:
    """Read the rows of a CSV file (comma, semicolon, tab or bar; UTF-8), a JSON file or a frame.

    Raises BadInput with every fault at once. All rows are returned, even where `reading` chooses among them.
    """
    sheet = read_sheet(source, lambda names: count_known(names, reading.columns))
    columns = find_columns(sheet, reading.columns, reading.ignore)
    if not sheet.rows:
        raise BadInput(f"{sheet.source} has a header and no rows: at least one point is needed")
    kept = _kept(sheet)
    if not kept.rows:
        raise BadInput(f"{sheet.source} has only rows that were dropped: at least one point is needed")
    places = columns.places
    mark = reading.decimal or decide_mark(
        {role: kept.column(places[role]) for role in NUMBERS if role in places}, sheet.source
    )
    return _checked(sheet, kept, columns, reading, mark)


def _kept(sheet: Sheet) -> Sheet:
    names = [name.casefold() for name in sheet.header]
    if DROPPED not in names:
        return sheet
    place = names.index(DROPPED)
    rows = tuple(line for line in sheet.rows if str(cell_at(line[1], place)).lower() != "true")
    return Sheet(source=sheet.source, title=sheet.title, header=sheet.header, rows=rows, counting=sheet.counting)


def _checked(sheet: Sheet, kept: Sheet, columns: Columns, reading: Reading, mark: Decimal) -> Rows:
    reader = RowReader(kept, columns, reading, mark)
    rows: list[Row] = []
    faults: list[str] = []
    for line in kept.rows:
        row, wrong = reader.read(line)
        faults += [f"row {line[0]}: {fault}" for fault in wrong]
        if row is not None:
            rows.append(row)
    settings = settings_of(rows)
    faults += _repeated(rows, settings)
    different, ways = ([], "") if reading.per_size else not_replicates(rows)
    faults += different
    if faults:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
        told = [*faults, *([reader.complete] if reader.incomplete else []), *([ways] if ways else [])]
        raise BadInput(f"{sheet.source} has {count} ({sheet.counting}):", told)
    places = columns.places
    used = {*places.values(), *(place for place, name in enumerate(sheet.header) if name.casefold() == DROPPED)}
    empty = {place for place in range(len(sheet.header)) if all(is_missing(cell) for cell in sheet.column(place))}
    ignored = [
        name or "(no name)"
        for place, name in enumerate(sheet.header)
        if place not in used and not (place in empty and name.casefold() in (*NEEDED, *OPTIONAL))
    ]
    return Rows(
        rows=tuple(rows),
        header=sheet.header,
        read=len(rows),
        ignored=tuple(ignored),
        known=tuple(role for role in (*NEEDED, *OPTIONAL) if role in places),
        dropped=len(sheet.rows) - len(kept.rows),
        understood=((sheet.title, _understood(kept, columns, mark, rows)),),
        metric=columns.metric,
    )


def _understood(sheet: Sheet, columns: Columns, mark: Decimal, rows: Sequence[Row]) -> str:
    told = []
    for role, place in columns.places.items():
        words = f"{role} from {sheet.header[place]!r}"
        if role in columns.scales:
            words += f" times {columns.scales[role]:g}"
        if role == "loss" and columns.rank_ic:
            words = f"loss = 1 - RankIC with RankIC from {sheet.header[place]!r}"
        if role == "compute":
            words = f"n_data = C / (6 N) with C from {sheet.header[place]!r}"
        if role in ("n_params", "n_data", "compute"):
            values = [row.n_params if role == "n_params" else row.n_data or 0.0 for row in rows]
            words += f" ({_range(values)})"
        told.append(words)
    told += [f"no {role}, as asked" for role in columns.left_out]
    if mark is Decimal.COMMA:
        told.append("decimal comma")
    for role in ("n_params", "n_data"):
        if (
            mark is Decimal.POINT
            and role in columns.places
            and looks_like_thousands(sheet.column(columns.places[role]))
        ):
            told.append(f"the point in {role} as a decimal mark (where it groups thousands: --decimal comma)")
    return ", ".join(told)


def _range(values: Sequence[float]) -> str:
    low, high = size_in_words(min(values)), size_in_words(max(values))
    return low if low == high else f"{low} to {high}"


def run_key(row: Row, settings: Iterable[str]) -> tuple[object, ...]:
    """Return the key that two rows share if they are the same run written twice."""
    further: Mapping[str, float | str] = row.further
    return (
        row.group, row.n_params, row.n_data, row.seed, row.loss, row.se, *(further.get(name) for name in settings)
    )  # fmt: skip


def _repeated(rows: Iterable[Row], settings: Sequence[str]) -> list[str]:
    """Return a fault for each row that repeats another row of the same seed: the same run, counted twice."""
    first: dict[tuple[object, ...], int] = {}
    faults = []
    for row in rows:
        if row.seed is None:
            continue
        key = run_key(row, settings)
        if key in first:
            faults.append(
                f"row {row.number}: repeats row {first[key]} (n_params {row.n_params:g}, loss {row.loss:g}, seed "
                f"{row.seed}); one run counts once"
            )
        else:
            first[key] = row.number
    return faults
