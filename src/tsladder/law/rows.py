"""The rows of a table of points: read, checked as a whole, refused with every fault named.

Columns `n_params` and `loss`, optionally `n_data`, `group`, `seed` and `se`, in any order, case and spacing; others are
ignored and named. Sizes and amounts of data are numbers or budgets (750k, 2M, 1.5B). As in the scaling.csv of a study,
`horizon` stands for a group that is not there, and a row whose `dropped` is true is left out.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.vocabulary import parse_budget

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("n_params", "loss")
OPTIONAL = ("n_data", "group", "seed", "se")
_MEANT = (*NEEDED, *OPTIONAL)
_OF_A_STUDY = ("horizon", "dropped")
EVERYTHING = "all"
"""The one group of a table without the column."""

_DELIMITERS = ",;\t"
_HEADER_ROW = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One sound row. `number` counts as the file does: the header is row 1."""

    number: int
    n_params: float
    loss: float
    n_data: float | None = None
    group: str = EVERYTHING
    seed: str | None = None
    se: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """`ignored`: columns that mean nothing here. `known`: those of NEEDED and OPTIONAL that are there and filled.
    `dropped`: rows left out because they say so."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...]
    known: tuple[str, ...]
    dropped: int


def read_rows(source: Path | str | pd.DataFrame) -> Rows:
    """Of a CSV file (comma, semicolon or tab; UTF-8) or of a frame. Raises BadInput with every fault at once."""
    if isinstance(source, Path | str):
        name = str(source)
        lines = _cells(Path(source))
    else:
        name = "the frame"
        lines = _frame_cells(source)
    if not lines:
        raise BadInput(f"{name} is empty: a CSV with a header and the columns n_params and loss is needed")
    (_, header), *body = lines
    return _checked(name, header, body)


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """(row number, cells) of every line that is not blank, the header first."""
    if not path.exists():
        raise BadInput(f"{path} does not exist: give a CSV of points with the columns n_params and loss")
    if not path.is_file():
        raise BadInput(f"{path} is not a file: give a CSV of points with the columns n_params and loss")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a CSV: it is no UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise BadInput(f"{path} is not a CSV: it holds zero bytes, as binary files do")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines.extend((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells))
    except csv.Error as error:
        raise BadInput(f"{path} is not a CSV: row {reader.line_num}: {error}") from None
    return lines


def _frame_cells(frame: pd.DataFrame) -> list[tuple[int, list[str]]]:
    import pandas as pd

    body = [
        (number, ["" if pd.isna(value) else str(value) for value in values])
        for number, values in enumerate(frame.itertuples(index=False, name=None), start=_HEADER_ROW + 1)
    ]
    return [(_HEADER_ROW, [str(name) for name in frame.columns]), *body]


def _checked(name: str, header: Sequence[str], body: Sequence[tuple[int, list[str]]]) -> Rows:
    names = [cell.strip().lower() for cell in header]
    twice = sorted({column for column in (*NEEDED, *OPTIONAL) if names.count(column) > 1})
    if twice:
        raise BadInput(f"{name} has the column {twice[0]} twice: which one counts cannot be known")
    at = {column: names.index(column) for column in (*NEEDED, *OPTIONAL) if column in names}
    missing = [column for column in NEEDED if column not in at]
    of_study = {column: names.index(column) for column in _OF_A_STUDY if column in names}
    if "group" not in at and "horizon" in of_study:
        at["group"] = of_study["horizon"]
    had = ", ".join(cell.strip() for cell in header)
    faults = [f"the column {column} is missing; the header (row 1) has: {had[:200]}" for column in missing]
    if not body and not faults:
        raise BadInput(f"{name} has a header and no rows: at least one point is needed")
    rows_before = len(body)
    if "dropped" in of_study:
        body = [line for line in body if _cell(line[1], of_study["dropped"]).lower() != "true"]
        if not body and not faults:
            raise BadInput(f"{name} has only rows that were dropped: at least one point is needed")
    width = len(header)
    for column in ("n_data", "seed", "se"):
        if column in at and not any(_cell(cells, at[column]) for _, cells in body):
            del at[column]
    rows: list[Row] = []
    for number, cells in body:
        row, wrong = _row(number, cells, at, width)
        faults += [f"row {number}: {fault}" for fault in wrong]
        if row is not None:
            rows.append(row)
    faults += _repeated(rows)
    if faults:
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}"
        raise BadInput(f"{name} has {count} (rows counted as in the file, the header is row 1):", faults)
    used = {*at.values(), *([of_study["dropped"]] if "dropped" in of_study else [])}
    ignored = [cell.strip() for place, cell in enumerate(header) if place not in used and names[place] not in _MEANT]
    return Rows(rows=tuple(rows), ignored=tuple(ignored), known=tuple(at), dropped=rows_before - len(body))


def _row(number: int, cells: Sequence[str], at: dict[str, int], width: int) -> tuple[Row | None, list[str]]:
    wrong = []
    if any(cell.strip() for cell in cells[width:]):
        wrong.append(f"has {len(cells)} cells, the header {width}")
    values: dict[str, float] = {}
    for column in ("n_params", "loss", "n_data", "se"):
        if column not in at:
            continue
        text = _cell(cells, at[column])
        if column == "se" and not text:
            continue
        value, fault = _positive(text, column)
        if value is None:
            wrong.append(f"{column} {fault}")
        else:
            values[column] = value
    group = _cell(cells, at["group"]) if "group" in at else EVERYTHING
    if not group:
        wrong.append("group is missing; every row needs one, or no row")
    if wrong or not all(column in values for column in NEEDED):
        return None, wrong
    return (
        Row(
            number=number,
            n_params=values["n_params"],
            loss=values["loss"],
            n_data=values.get("n_data"),
            group=group,
            seed=(_cell(cells, at["seed"]) or None) if "seed" in at else None,
            se=values.get("se"),
        ),
        [],
    )


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


_LEAST, _MOST = 1e-30, 1e30
_POSITIVE = f"must be a positive number (within {_LEAST:g} and {_MOST:g})"
_WHY = {
    "n_params": _POSITIVE,
    "n_data": _POSITIVE,
    "loss": f"{_POSITIVE}: a law is fitted to its logarithm",
    "se": f"{_POSITIVE}, or empty where it is not known",
}


def _positive(text: str, column: str) -> tuple[float | None, str]:
    """The number that a cell holds, or what is wrong with it."""
    if not text:
        return None, f"is missing; it {_WHY[column]}"
    try:
        value = float(text)
    except ValueError:
        try:
            value = float(parse_budget(text)) if column in ("n_params", "n_data") else math.nan
        except ValueError:
            value = math.nan
        if math.isnan(value):
            return None, f"is {text!r}; it {_WHY[column]}"
    if not _LEAST <= value <= _MOST:
        return None, f"is {text}; it {_WHY[column]}"
    return value, ""


def _repeated(rows: Iterable[Row]) -> list[str]:
    """Rows that say again what another says of the same seed: the same run, counted twice."""
    first: dict[tuple[object, ...], int] = {}
    faults = []
    for row in rows:
        if row.seed is None:
            continue
        key = (row.group, row.n_params, row.n_data, row.seed, row.loss, row.se)
        if key in first:
            faults.append(
                f"row {row.number}: repeats row {first[key]} (n_params {row.n_params:g}, loss {row.loss:g}, seed "
                f"{row.seed}); one run counts once"
            )
        else:
            first[key] = row.number
    return faults
