"""One table of points, or several read as one, such as the scaling.csv of experiments that differ in their data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.law.reading.columns import nearest
from tsladder.law.reading.options import Reading
from tsladder.law.reading.per_size import choose, not_replicates, settings_of
from tsladder.law.reading.rows import AS_IT_COMES, Rows, read_rows, run_key

if TYPE_CHECKING:
    import pandas as pd

Source = Path | str
_SHARED = ("n_data", "group")


def read_tables(source: Source | pd.DataFrame | Sequence[Source], reading: Reading = AS_IT_COMES) -> Rows:
    """Read the rows that count of all tables together. Raises BadInput, naming the files, for faults in any of them.

    Several tables must be different files, all or none must have the columns `n_data` and `group`, and no run may stand
    in two of them. Rows of one size are replicates, or `reading` says which of them count.
    """
    if isinstance(source, str) or not isinstance(source, Sequence):
        rows = read_rows(source, reading)
    elif len(source) == 1:
        rows = read_rows(source[0], reading)
    else:
        rows = _together([Path(each) for each in source], reading)
    _refuse_unknown(reading.ignore, rows)
    if not reading.per_size:
        return rows
    kept, notes = choose(rows.rows, reading.per_size)
    named = {pick.column.casefold() for pick in reading.per_size if pick.column is not None}
    ignored = tuple(name for name in rows.ignored if name.casefold() not in named)
    return replace(rows, rows=kept, ignored=ignored, notes=notes)


def _together(paths: Sequence[Path], reading: Reading) -> Rows:
    twice = sorted({str(path) for path in paths if sum(path.resolve() == other.resolve() for other in paths) > 1})
    if twice:
        raise BadInput(f"{' and '.join(twice)}: the same table is given twice, and would count twice; give it once")
    tables = _each(paths, reading)
    rows = tuple(row for table in tables.values() for row in table.rows)
    _refuse_mixture(tables)
    _refuse_repeated(tables)
    different, ways = ([], "") if reading.per_size else not_replicates(rows)
    if different:
        raise BadInput(
            "rows of one size that stand in several tables are replicates only where they are alike:",
            [*different, ways],
        )
    each = list(tables.values())
    return Rows(
        rows=rows,
        header=tuple(dict.fromkeys(name for table in each for name in table.header)),
        ignored=tuple(dict.fromkeys(name for table in each for name in table.ignored)),
        known=each[0].known,
        dropped=sum(table.dropped for table in each),
        read=len(rows),
        understood=tuple(told for table in each for told in table.understood),
        metric=each[0].metric,
    )


def _each(paths: Sequence[Path], reading: Reading) -> dict[Path, Rows]:
    tables, refusals = {}, []
    for path in paths:
        try:
            table = read_rows(path, reading)
        except BadInput as refusal:
            refusals.append(refusal)
        else:
            tables[path] = replace(table, rows=tuple(replace(row, table=str(path)) for row in table.rows))
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise BadInput(f"{len(refusals)} of {len(paths)} tables cannot be read:", [str(each) for each in refusals])
    return tables


def _refuse_unknown(ignored: Sequence[str], rows: Rows) -> None:
    names = {name.casefold() for name in rows.header}
    faults = [
        f"there is no column {name!r}{nearest(name, rows.header)}" for name in ignored if name.casefold() not in names
    ]
    if faults:
        had = ", ".join(name or "(no name)" for name in rows.header)
        raise BadInput(f"--ignore takes names of columns; the table has: {had[:300]}", faults)


def _refuse_mixture(tables: dict[Path, Rows]) -> None:
    faults = []
    for column in _SHARED:
        roles = ("n_data", "compute") if column == "n_data" else (column,)
        having = [str(path) for path, rows in tables.items() if any(role in rows.known for role in roles)]
        without = [str(path) for path in tables if str(path) not in having]
        if having and without:
            faults.append(f"{column} is known in {', '.join(having)} and not in {', '.join(without)}")
    if len({rows.metric for rows in tables.values()}) > 1:
        losses = "; ".join(f"{path} a {rows.metric.replace('_', ' ')}" for path, rows in tables.items())
        raise BadInput(f"tables that are fitted together have one loss, and of these each has its own: {losses}")
    if faults:
        way = "--columns n_data= and group= leave them out"
        raise BadInput(f"tables that are fitted together all have a column, or none has it ({way}):", faults)


def _refuse_repeated(tables: dict[Path, Rows]) -> None:
    """Raise BadInput where a run occurs in two tables: the same seed with the same figures."""
    settings = settings_of([row for rows in tables.values() for row in rows.rows])
    first: dict[tuple[object, ...], str] = {}
    faults = []
    for path, rows in tables.items():
        for row in rows.rows:
            if row.seed is None and row.se is None:
                continue
            place = f"{path} row {row.number}"
            if (known := first.setdefault(run_key(row, settings), place)) != place:
                faults.append(f"{place} repeats {known} (n_params {row.n_params:g}, loss {row.loss:g})")
    if faults:
        raise BadInput("one run counts once, and these stand in two tables; leave them out of one:", faults)
