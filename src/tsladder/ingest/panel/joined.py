"""Join the rows of all files in one table, sorted by stock and day, in which each pair occurs once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices
from tsladder.ingest.names import Role
from tsladder.ingest.panel.rows import StockRows
from tsladder.ingest.sheet import ROWS_SHOWN

# If conflicting rows are more than this share of all pairs of stock and day, the rows are not daily.
_INTRADAY_SHARE = 0.5


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Joined:
    """R rows of all files, sorted by stock and day.

    `stocks_R`: indices into `symbols_S`, which is sorted. `files_R`: indices into `sources`. `lines_R`: number of each
    row in its file. `values`: missing numbers are NaN.
    """

    symbols_S: tuple[str, ...]
    sources: tuple[str, ...]
    stocks_R: NDArray[np.int64]
    days_R: NDArray[np.datetime64]
    files_R: NDArray[np.int64]
    lines_R: NDArray[np.int64]
    values: Mapping[Role, NDArray[np.float64]]
    sectors_R: NDArray[np.object_] | None
    members_R: NDArray[np.bool_] | None

    @property
    def starts_R(self) -> NDArray[np.bool_]:
        """True at the first row of each stock."""
        starts_R = np.ones(len(self.stocks_R), dtype=np.bool_)
        starts_R[1:] = self.stocks_R[1:] != self.stocks_R[:-1]
        return starts_R

    def keep(self, kept_R: NDArray[np.bool_]) -> Joined:
        """Return the table without the rows that are False in `kept_R`, and without stocks that have no row left."""
        if kept_R.all():
            return self
        places = self.stocks_R[kept_R]
        left = np.unique(places)
        return replace(
            self,
            symbols_S=tuple(self.symbols_S[stock] for stock in left.tolist()),
            stocks_R=np.searchsorted(left, places),
            days_R=self.days_R[kept_R],
            files_R=self.files_R[kept_R],
            lines_R=self.lines_R[kept_R],
            values={role: column[kept_R] for role, column in self.values.items()},
            sectors_R=None if self.sectors_R is None else self.sectors_R[kept_R],
            members_R=None if self.members_R is None else self.members_R[kept_R],
        )

    def where(self, row: int) -> str:
        """Return stock, day, file and number of a row in words: `AAPL 2018-01-05 (a.csv row 7)`."""
        return f"{self.symbols_S[int(self.stocks_R[row])]} {self.days_R[row]} ({self.line(row)})"

    def line(self, row: int) -> str:
        return f"{self.sources[int(self.files_R[row])]} row {self.lines_R[row]}"


def joined(parts: Sequence[StockRows]) -> Joined:
    """Join the rows of all files. Raises BadInput where some files have an adjusted close and others have none."""
    _refuse_mixed_adjustment(parts)
    names = sorted({symbol for part in parts for symbol in set(part.symbols_R.tolist())})
    number = {name: place for place, name in enumerate(names)}
    stocks_R = np.concatenate(
        [np.fromiter(map(number.__getitem__, part.symbols_R), np.int64, len(part.symbols_R)) for part in parts]
    )
    days_R = np.concatenate([part.days_R for part in parts])
    files_R = np.repeat(np.arange(len(parts)), [len(part.days_R) for part in parts])
    lines_R = np.concatenate([part.lines_R for part in parts])
    order = np.lexsort((lines_R, files_R, days_R, stocks_R))
    roles = [role for role in Role if any(role in part.values for part in parts)]
    return Joined(
        symbols_S=tuple(names),
        sources=tuple(part.source for part in parts),
        stocks_R=stocks_R[order],
        days_R=days_R[order],
        files_R=files_R[order],
        lines_R=lines_R[order],
        values={role: _stacked(parts, role)[order] for role in roles},
        sectors_R=_sectors(parts, order),
        members_R=_members(parts, order),
    )


def _stacked(parts: Sequence[StockRows], role: Role) -> NDArray[np.float64]:
    return np.concatenate([part.values.get(role, np.full(len(part.days_R), np.nan)) for part in parts])


def _sectors(parts: Sequence[StockRows], order: NDArray[np.int64]) -> NDArray[np.object_] | None:
    if all(part.sectors_R is None for part in parts):
        return None
    nothing = ([""] * len(part.days_R) for part in parts)
    return np.concatenate(
        [
            np.array(none, dtype=object) if part.sectors_R is None else part.sectors_R
            for part, none in zip(parts, nothing, strict=True)
        ]
    )[order]


def _members(parts: Sequence[StockRows], order: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    if all(part.members_R is None for part in parts):
        return None
    return np.concatenate(
        [np.zeros(len(part.days_R), np.bool_) if part.members_R is None else part.members_R for part in parts]
    )[order]


def _refuse_mixed_adjustment(parts: Sequence[StockRows]) -> None:
    with_one = [part.source for part in parts if Role.ADJ_CLOSE in part.values]
    without = [part.source for part in parts if Role.ADJ_CLOSE not in part.values]
    if with_one and without:
        raise BadInput(
            f"{with_one[0]} has an adjusted close and {without[0]} has none ({len(with_one)} and {len(without)} "
            "files), and adjusted and raw prices do not mix: bring an adjusted close for all files, or leave it out "
            "with --column 'Adj Close='"
        )


def each_day_once(table: Joined, choices: Choices) -> tuple[Joined, tuple[tuple[str, int], ...]]:
    """Drop rows that repeat another row exactly; return the table, and the reasons and numbers of rows left out.

    Raises BadInput for rows of the same stock and day that contradict each other. With `drop_faulty_rows` they are left
    out instead, unless there are so many that the rows are not daily.
    """
    same_R = (table.stocks_R[1:] == table.stocks_R[:-1]) & (table.days_R[1:] == table.days_R[:-1])
    repeated = np.flatnonzero(same_R) + 1
    if len(repeated) == 0:
        return table, ()
    equal = np.ones(len(repeated), dtype=np.bool_)
    for column in table.values.values():
        here, before = column[repeated], column[repeated - 1]
        equal &= (here == before) | (np.isnan(here) & np.isnan(before))
    for flags in (table.sectors_R, table.members_R):
        if flags is not None:
            equal &= np.asarray(flags[repeated] == flags[repeated - 1], dtype=np.bool_)
    conflicts = repeated[~equal]
    kept_R = np.ones(len(table.days_R), dtype=np.bool_)
    kept_R[repeated[equal]] = False
    left_out = [("repeats another row exactly", int(equal.sum()))] if equal.any() else []
    if len(conflicts):
        if not choices.drop_faulty_rows or len(conflicts) > _INTRADAY_SHARE * (len(kept_R) - len(repeated)):
            raise _contradiction(table, conflicts)
        pair = table.stocks_R.astype(np.int64) * 10**7 + table.days_R.astype(np.int64)
        contradicted_R = np.isin(pair, pair[conflicts])
        kept_R &= ~contradicted_R
        left_out.append(("contradicts another row of its day and stock", int(contradicted_R.sum())))
    return table.keep(kept_R), tuple(left_out)


def _contradiction(table: Joined, conflicts: NDArray[np.int64]) -> BadInput:
    rows = len(table.days_R)
    if len(conflicts) > _INTRADAY_SHARE * (rows - len(conflicts)):
        place = int(conflicts[0])
        return BadInput(
            f"a panel needs one row per day and stock, and the files have several: {table.where(place - 1)} and "
            f"{table.line(place)}: aggregate them, or export daily rows"
        )
    lines = []
    for place in conflicts[:ROWS_SHOWN].tolist():
        names = [
            f"{role} {column[place - 1]:g} and {column[place]:g}"
            for role, column in table.values.items()
            if not (column[place] == column[place - 1] or np.isnan(column[[place - 1, place]]).all())
        ]
        other = f"{', '.join(names) or 'the sector or the membership differs'}"
        lines.append(f"{table.where(place - 1)} and {table.line(place)}: {other}")
    if len(conflicts) > ROWS_SHOWN:
        lines.append(f"and {len(conflicts) - ROWS_SHOWN} more")
    stocks = len(np.unique(table.stocks_R[conflicts]))
    counted = "1 row contradicts" if len(conflicts) == 1 else f"{len(conflicts)} rows of {stocks} stocks contradict"
    return BadInput(
        f"{counted} another one of the same day and stock; nothing was written: keep the right row of each pair, or "
        "leave out both with --drop-faulty-rows:",
        lines,
    )
