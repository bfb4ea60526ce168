"""Reader of one row of a table of points from its cells, with a list of its faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tsladder.artifacts.law import POINT_KEYS
from tsladder.law.reading.columns import COUNTS, NEEDED, Columns, role_of
from tsladder.law.reading.numbers import Decimal, Number, is_missing, read_number
from tsladder.law.reading.options import Reading
from tsladder.law.reading.row import EVERYTHING, Row
from tsladder.law.reading.sheet import Cell, Line, Sheet, cell_at

DROPPED = "dropped"
"""Column of a study's table that marks a row without a loss."""

NUMBERS = ("n_params", "loss", "n_data", "compute", "se")
"""Roles whose cells are numbers."""

_OF_A_STUDY = frozenset((*POINT_KEYS, "n_seeds", "fitted_loss")) - {"precision", "n_data"}
"""Columns that a study or a fit writes about a point and that are no settings of its run."""

_ONLY_OF_A_STUDY = frozenset(("off_budget", "dropped", "dropped_reason", "n_params_body"))
"""Columns that identify the table of a study, older ones included."""

_FLOPS = 6.0
"""FLOPs of training for each parameter and token: 2 forward, 4 backward (Kaplan et al. 2020)."""


class RowReader:
    """A reader of the rows of one table whose columns and decimal mark are known. `incomplete`: a row without an amount
    of data has been read."""

    complete = (
        "all rows need an amount of data, or none: fill it in, drop these rows, or leave data out by --columns n_data="
    )

    def __init__(self, sheet: Sheet, columns: Columns, reading: Reading, mark: Decimal) -> None:
        self._at = columns.places
        self._scales = columns.scales
        self._mark = mark
        self._width = len(sheet.header)
        self._rank_ic = columns.rank_ic
        self._step = _last_digit(sheet.column(self._at["loss"]), mark)
        self._further = _further(sheet, columns, reading)
        self.incomplete = False

    def read(self, line: Line) -> tuple[Row | None, list[str]]:
        """Return the row and its faults; the row is None where it has any."""
        number, cells = line
        wrong = []
        if any(not is_missing(cell) for cell in cells[self._width :]):
            comma = "; a decimal comma needs columns separated by semicolons" if self._mark is Decimal.POINT else ""
            wrong.append(f"has {len(cells)} cells, the header {self._width}{comma}")
        values: dict[str, float] = {}
        for role in NUMBERS:
            if role not in self._at:
                continue
            cell = cell_at(cells, self._at[role])
            if role == "se" and is_missing(cell):
                continue
            of_rank_ic = role == "loss" and self._rank_ic
            value, fault = self._of_rank_ic(cell) if of_rank_ic else self._positive(cell, role)
            if value is None:
                wrong.append(f"{'rank_ic' if of_rank_ic else role} {fault}")
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

    def _of_rank_ic(self, cell: Cell) -> tuple[float | None, str]:
        """Return the loss of a cell with a RankIC, or None and what is wrong with the cell."""
        must = "must be a RankIC: a number from -1 to below 1"
        if is_missing(cell):
            return None, f"is missing; it {must}"
        number = read_number(cell, self._mark)
        if number is None or number.unit or not -1.0 <= number.value < 1.0:
            return None, f"is {cell!r}; it {must}"
        return 1.0 - number.value, ""

    def _positive(self, cell: Cell, role: str) -> tuple[float | None, str]:
        """Return the number of a cell, or None and what is wrong with the cell."""
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
    """Return name -> index of the columns that may tell one run from another.

    Left out are further losses of the same run, columns that a study writes about its points, and those of --ignore.
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
    """Return the unit of the last digit that a column shows anywhere: 0.4 beside 0.397 is 0.400."""
    numbers: list[Number] = [number for cell in cells if (number := read_number(cell, mark)) is not None]
    return float(f"1e{-max(number.decimals for number in numbers)}") if numbers else None
