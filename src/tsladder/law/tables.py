"""Several tables of points as one: the scaling.csv of several experiments, say, that differ in their data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.law.rows import Row, Rows, read_rows

if TYPE_CHECKING:
    import pandas as pd

Source = Path | str
_SHARED = ("n_data", "group")


def read_tables(source: Source | pd.DataFrame | Sequence[Source]) -> Rows:
    """The rows of all tables together. Raises BadInput, naming the files, for what is wrong with any of them.

    A table alone is read as `read_rows` does. Of several each must be another file, all or none have the columns
    `n_data` and `group`, and no run of one stands in another.
    """
    if isinstance(source, Path | str) or not isinstance(source, Sequence):
        return read_rows(source)
    paths = [Path(each) for each in source]
    if len(paths) == 1:
        return read_rows(paths[0])
    twice = sorted({str(path) for path in paths if sum(path.resolve() == other.resolve() for other in paths) > 1})
    if twice:
        raise BadInput(f"{' and '.join(twice)}: the same table is given twice, and would count twice; give it once")
    tables = _each(paths)
    _refuse_mixture(tables)
    _refuse_repeated(tables)
    return Rows(
        rows=tuple(row for rows in tables.values() for row in rows.rows),
        ignored=tuple(dict.fromkeys(column for rows in tables.values() for column in rows.ignored)),
        known=next(iter(tables.values())).known,
        dropped=sum(rows.dropped for rows in tables.values()),
    )


def _each(paths: Sequence[Path]) -> dict[Path, Rows]:
    tables, refusals = {}, []
    for path in paths:
        try:
            tables[path] = read_rows(path)
        except BadInput as refusal:
            refusals.append(refusal)
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise BadInput(f"{len(refusals)} of {len(paths)} tables cannot be read:", [str(each) for each in refusals])
    return tables


def _refuse_mixture(tables: dict[Path, Rows]) -> None:
    faults = []
    for column in _SHARED:
        having = [str(path) for path, rows in tables.items() if column in rows.known]
        without = [str(path) for path, rows in tables.items() if column not in rows.known]
        if having and without:
            faults.append(f"{column} is known in {', '.join(having)} and not in {', '.join(without)}")
    if faults:
        raise BadInput("tables that are fitted together all have a column, or none has it:", faults)


def _refuse_repeated(tables: dict[Path, Rows]) -> None:
    """A run that stands in two tables: the same seed with the same figures."""
    first: dict[tuple[object, ...], str] = {}
    faults = []
    for path, rows in tables.items():
        for row in rows.rows:
            if row.seed is None and row.se is None:
                continue
            place = f"{path} row {row.number}"
            if (known := first.setdefault(_run(row), place)) != place:
                faults.append(f"{place} repeats {known} (n_params {row.n_params:g}, loss {row.loss:g})")
    if faults:
        raise BadInput("one run counts once, and these stand in two tables; leave them out of one:", faults)


def _run(row: Row) -> tuple[object, ...]:
    return (row.group, row.n_params, row.n_data, row.seed, row.loss, row.se)
