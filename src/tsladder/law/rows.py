"""The rows of a table of points: read, checked as a whole, refused with every fault named.

Columns `n_params` and `loss`, optionally `n_data` (or `compute`, from which it follows as C / (6 N)), `group`, `seed`
and `se`, in any order, case and spacing, under the names of `tsladder.law.columns`. As in the scaling.csv of a study,
`horizon` stands for a group that is not there, and a row whose `dropped` is true is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.errors import BadInput
from tsladder.law.columns import COUNTS, NEEDED, OPTIONAL, Columns, count_known, find_columns, role_of
from tsladder.law.ladder import POINT_KEYS
from tsladder.law.numbers import Decimal, Number, decide_mark, is_missing, looks_like_thousands, read_number
from tsladder.law.per_size import not_replicates, settings_of
from tsladder.law.points import size_in_words
from tsladder.law.reading import Reading
from tsladder.law.row import EVERYTHING, Row
from tsladder.law.sheet import Cell, Line, Sheet, cell_at, read_sheet

if TYPE_CHECKING:
    import pandas as pd

AS_IT_COMES = Reading()
DROPPED = "dropped"
_NUMBERS = ("n_params", "loss", "n_data", "compute", "se")
_OF_A_STUDY = frozenset((*POINT_KEYS, "n_seeds", "fitted_loss")) - {"precision", "n_data"}
"""Columns that a study or a fit writes of a point and that are no setting of its run."""

_ONLY_OF_A_STUDY = frozenset(("off_budget", "dropped", "dropped_reason", "n_params_body"))
"""By these its tables are known, older ones too."""

_FLOPS = 6.0
"""FLOPs of training, a parameter and token: 2 forward, 4 backward (Kaplan et al. 2020)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Those that count, and what is to be said of them.

    header       the names of all columns
    ignored      columns that mean nothing here
    known        the roles that are known
    dropped      rows left out because they say so
    read         sound rows, also those that the choice within a size leaves out
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
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_rows(source: Path | str | pd.DataFrame, reading: Reading = AS_IT_COMES) -> Rows:
    """Of a CSV (comma, semicolon, tab or bar; UTF-8) or JSON file, or of a frame. Raises BadInput with every fault at
    once. All rows are there, also where `reading` says which of them count."""
    sheet = read_sheet(source, lambda names: count_known(names, reading.columns))
    columns = find_columns(sheet, reading.columns, reading.ignore)
    if not sheet.rows:
        raise BadInput(f"{sheet.source} has a header and no rows: at least one point is needed")
    kept = _kept(sheet)
    if not kept.rows:
        raise BadInput(f"{sheet.source} has only rows that were dropped: at least one point is needed")
    places = columns.places
    mark = reading.decimal or decide_mark(
        {role: kept.column(places[role]) for role in _NUMBERS if role in places}, sheet.source
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
    reader = _Reader(kept, columns, reading, mark)
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
    )


class _Reader:
    """Reads the rows of one table, whose columns and decimal mark are known. `incomplete`: a row without its amount of
    data was among them."""

    complete = (
        "all rows need an amount of data, or none: fill it in, drop these rows, or leave data out by --columns n_data="
    )

    def __init__(self, sheet: Sheet, columns: Columns, reading: Reading, mark: Decimal) -> None:
        self._at = columns.places
        self._scales = columns.scales
        self._mark = mark
        self._width = len(sheet.header)
        self._step = _last_digit(sheet.column(self._at["loss"]), mark)
        self._further = _further(sheet, columns, reading)
        self.incomplete = False

    def read(self, line: Line) -> tuple[Row | None, list[str]]:
        """The row, or None and what is wrong with it."""
        number, cells = line
        wrong = []
        if any(not is_missing(cell) for cell in cells[self._width :]):
            comma = "; a decimal comma needs columns separated by semicolons" if self._mark is Decimal.POINT else ""
            wrong.append(f"has {len(cells)} cells, the header {self._width}{comma}")
        values: dict[str, float] = {}
        for role in _NUMBERS:
            if role not in self._at:
                continue
            cell = cell_at(cells, self._at[role])
            if role == "se" and is_missing(cell):
                continue
            value, fault = self._positive(cell, role)
            if value is None:
                wrong.append(f"{role} {fault}")
            else:
                values[role] = value
        n_data = values.get("n_data")
        if {"compute", "n_params"} <= values.keys():
            n_data = values["compute"] / (_FLOPS * values["n_params"])
            if n_data < 1.0:
                wrong.append(
                    f"compute {values['compute']:g} is less than 6 FLOPs a parameter, so n_data = C / (6 N) would be "
                    "below one: is it in FLOPs? Leave it out by --columns n_data="
                )
        group = self._text(cells, "group") if "group" in self._at else EVERYTHING
        if not group:
            wrong.append("group is missing; every row needs one, or no row")
        if wrong or not all(role in values for role in NEEDED):
            return None, wrong
        return (
            Row(
                number=number,
                n_params=values["n_params"],
                loss=values["loss"],
                n_data=n_data,
                group=group,
                seed=self._text(cells, "seed") or None,
                se=values.get("se"),
                loss_step=self._step,
                further=self._other(cells),
            ),
            [],
        )

    def _text(self, cells: Sequence[Cell], role: str) -> str:
        return "" if role not in self._at else str(cell_at(cells, self._at[role])).strip()

    def _other(self, cells: Sequence[Cell]) -> dict[str, float | str]:
        found: dict[str, float | str] = {}
        for name, place in self._further.items():
            cell = cell_at(cells, place)
            if not is_missing(cell):
                number = read_number(cell, self._mark)
                found[name] = str(cell) if number is None else number.value
        return found

    def _positive(self, cell: Cell, role: str) -> tuple[float | None, str]:
        """The number that a cell holds, or what is wrong with it."""
        if is_missing(cell):
            told = f" ({cell!r})" if cell != "" else ""
            if role in ("n_data", "compute"):
                self.incomplete = True
                return None, f"is missing{told}, and other rows have it"
            return None, f"is missing{told}; it {_WHY[role]}"
        number = read_number(cell, self._mark)
        if number is None or (number.unit and role not in COUNTS):
            marked = f" (the {self._mark} is the decimal mark)" if "," in str(cell) else ""
            return None, f"is {cell!r}; it {_WHY[role]}{marked}"
        scale = self._scales.get(role, 1.0)
        if number.unit and scale != 1.0:
            return None, f"is {cell!r} in a column whose heading has a unit; one of the two is too much"
        if not _LEAST <= number.value * scale <= _MOST:
            return None, f"is {cell}; it {_WHY[role]}"
        return number.value * scale, ""


_LEAST, _MOST = 1e-30, 1e30
_POSITIVE = f"must be a positive number (within {_LEAST:g} and {_MOST:g})"
_WHY = {
    "n_params": _POSITIVE,
    "n_data": _POSITIVE,
    "compute": _POSITIVE,
    "loss": f"{_POSITIVE}: a law is fitted to its logarithm",
    "se": f"{_POSITIVE}, or empty where it is not known",
}


def _further(sheet: Sheet, columns: Columns, reading: Reading) -> dict[str, int]:
    """Name -> place of the columns that may say how a run differs from another.

    Not another loss of the same run, nor what a study writes of its points, nor what --ignore names.
    """
    skipped = {name.casefold() for name in reading.ignore} | {DROPPED}
    names = [name.casefold() for name in sheet.header]
    if set(names) >= _ONLY_OF_A_STUDY:
        skipped |= _OF_A_STUDY
    found: dict[str, int] = {}
    for place, name in enumerate(sheet.header):
        role = role_of(name)
        another_loss = role is not None and role[0] == "loss"
        if place not in columns.places.values() and names[place] not in skipped and not another_loss:
            found.setdefault(name, place)
    return found


def _last_digit(cells: Iterable[Cell], mark: Decimal) -> float | None:
    """Unit of the last digit that a column shows anywhere: 0.4 beside 0.397 is 0.400."""
    numbers: list[Number] = [number for cell in cells if (number := read_number(cell, mark)) is not None]
    return float(f"1e{-max(number.decimals for number in numbers)}") if numbers else None


def _understood(sheet: Sheet, columns: Columns, mark: Decimal, rows: Sequence[Row]) -> str:
    told = []
    for role, place in columns.places.items():
        words = f"{role} from {sheet.header[place]!r}"
        if role in columns.scales:
            words += f" times {columns.scales[role]:g}"
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
    """What two rows share that are the same run written twice."""
    further: Mapping[str, float | str] = row.further
    return (
        row.group, row.n_params, row.n_data, row.seed, row.loss, row.se, *(further.get(name) for name in settings)
    )  # fmt: skip


def _repeated(rows: Iterable[Row], settings: Sequence[str]) -> list[str]:
    """Rows that say again what another says of the same seed: the same run, counted twice."""
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
