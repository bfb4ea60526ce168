"""Irregular days of a symbol's bars, found in the bars as the study reads them and in the record of their ingestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.data.bars import Bars
from tsladder.data.irregular import Gap, gap_before, jump_rows, long_gap_rows
from tsladder.data.used_days import Days, as_days

REPAIR_RANGE = "--repair range"
VOLUME_ZERO = "--missing-volume zero"
VOLUME_DROP = "--missing-volume drop"
DROP_FAULTY = "--drop-faulty-rows"


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump:
    """A jump of Close. `ratio`: Close of `day` over the previous Close."""

    day: str
    ratio: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LeftOut:
    """Days that an option of `tsladder ingest` left out. `unknown`: number of rows among them whose day could not be
    read."""

    option: str
    days: Days
    unknown: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class IrregularDays:
    """The irregular days of a symbol. `jump_way`: advice on jumps. `idle`: days without trade, of which `repeating`
    repeat the previous Close.

    `widened`: days whose High or Low was moved, by the shares `steps`. `volume_zero`: days whose missing volume was
    taken as 0; they are among `idle`.
    """

    jumps: tuple[Jump, ...]
    jump_way: str
    gaps: tuple[Gap, ...]
    idle: Days
    repeating: Days
    widened: Days
    steps: NDArray[np.float64]
    volume_zero: Days
    left_out: tuple[LeftOut, ...]


def irregular_days(
    bars: Bars, adjusted: Bars | None, record: Mapping[str, Any], *, is_adjusted: bool = False
) -> IrregularDays:
    """Find the irregular days of a symbol.

    `adjusted`: the same bars rescaled to Adj Close, None where the file has none. `record`: of their ingestion, empty
    where there is none. `is_adjusted`: `bars` are already rescaled. Raises KeyError, TypeError or ValueError for a
    record that `tsladder ingest` did not write.
    """
    rows = jump_rows(bars.close_T)
    jumps = tuple(
        Jump(day=str(bars.dates_T[row]), ratio=float(bars.close_T[row] / bars.close_T[row - 1])) for row in rows
    )
    # An index has 0 throughout, which says that there is no volume.
    idle_T = bars.volume_T == 0 if bars.has_volume and bool((bars.volume_T > 0).any()) else np.zeros(len(bars.dates_T))
    idle_T = idle_T.astype(np.bool_)
    repeats_T = np.concatenate(([False], bars.close_T[1:] == bars.close_T[:-1]))
    repairs: Sequence[Mapping[str, Any]] = record.get("repairs", ())
    widened = [row for repair in repairs if repair["kind"] == "range" for row in repair["rows"]]
    volumes = [row for repair in repairs if repair["kind"] == "missing-volume" for row in repair["rows"]]
    dropped = [row for repair in repairs if repair["kind"] == "drop-faulty-rows" for row in repair["rows"]]
    left = {
        DROP_FAULTY: dropped,
        VOLUME_DROP: [row for row in volumes if "left out" in row["why"]],
    }
    return IrregularDays(
        jumps=jumps,
        jump_way=_jump_way(rows, adjusted, is_adjusted=is_adjusted),
        gaps=tuple(gap_before(bars.dates_T, row) for row in long_gap_rows(bars.dates_T).tolist()),
        idle=bars.dates_T[idle_T],
        repeating=bars.dates_T[idle_T & repeats_T],
        widened=as_days([row["day"] for row in widened]),
        steps=np.array([_step(row) for row in widened], dtype=np.float64),
        volume_zero=as_days([row["day"] for row in volumes if "left out" not in row["why"]]),
        left_out=tuple(_left_out(option, found) for option, found in left.items() if found),
    )


def _jump_way(rows: NDArray[np.int64], adjusted: Bars | None, *, is_adjusted: bool) -> str:
    if is_adjusted:
        return "look these days up: Adj Close, which data.adjust takes, jumps there"
    if adjusted is None:
        return "ingest adjusted prices, or a file with Adj Close and data.adjust: true"
    if len(np.intersect1d(rows, jump_rows(adjusted.close_T))):
        return "look these days up: Adj Close jumps there, too"
    return "set data.adjust: true in params.yaml, for Adj Close does not jump there"


def _step(row: Mapping[str, Any]) -> float:
    """Return the share by which High or Low was moved, the larger of the two."""
    (high, higher), (low, lower) = row["high"], row["low"]
    return float(max(higher / high, low / lower) - 1.0)


def _left_out(option: str, rows: Sequence[Mapping[str, Any]]) -> LeftOut:
    known = [row["day"] for row in rows if row["day"] is not None]
    return LeftOut(option=option, days=np.sort(as_days(known)), unknown=len(rows) - len(known))
