"""Inspection of valid bars for anomalies that the user should know of: gaps, jumps, days without trade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.data.bars import Bars, share_open_equals_previous_close
from tsladder.data.irregular import JUMP, LONG_GAP_DAYS, Gap, gap_before, jump_rows, long_gap_rows
from tsladder.errors import BadInput
from tsladder.ingest.dates import MOST_DAYS_APART
from tsladder.ingest.weekdays import SUNDAY, weekday

_ENOUGH_ROWS = 3
_WEEKEND_NOTED = 0.05
_REPEATED_OPEN_NOTED = 0.1
_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Jump:
    """Jump of the Close. `ratio`: Close / previous Close; `adjusted_ratio`: the same for Adj Close, None without that
    column."""

    day: str
    row: int
    ratio: float
    adjusted_ratio: float | None

    def to_json(self) -> dict[str, Any]:
        return {"day": self.day, "row": self.row, "ratio": self.ratio, "adjusted_ratio": self.adjusted_ratio}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """Anomalies found in bars. `zero_volume_days` is None without a volume, `longest_gap` None for a single row."""

    longest_gap: Gap | None
    long_gaps: int
    jumps: tuple[Jump, ...]
    zero_volume_days: int | None
    weekend_days: int
    sunday_days: int
    open_equals_previous_close: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "longest_gap": None if self.longest_gap is None else self.longest_gap.to_json(),
            "gaps_above_5_days": self.long_gaps,
            "jumps": [jump.to_json() for jump in self.jumps],
            "zero_volume_days": self.zero_volume_days,
            "weekend_days": self.weekend_days,
            "sunday_days": self.sunday_days,
            "open_equals_previous_close": self.open_equals_previous_close,
        }


def inspect_bars(
    bars: Bars, adjusted_T: NDArray[np.float64] | None, rows_T: NDArray[np.int64], source: str
) -> Inspection:
    """Inspect bars for anomalies. `rows_T` are the row numbers of the days in `source`.

    Raises BadInput for weekly or monthly bars.
    """
    steps = np.diff(bars.dates_T).astype(np.int64)
    if len(bars.dates_T) >= _ENOUGH_ROWS and (median := float(np.median(steps))) > MOST_DAYS_APART:
        words = {7.0: "weekly bars?"}.get(median, "monthly bars?" if 28 <= median <= 31 else "not daily")
        raise BadInput(
            f"{source}: its rows lie {median:g} days apart at the median ({words}); row {rows_T[0]} is "
            f"{bars.dates_T[0]}, row {rows_T[1]} is {bars.dates_T[1]}: daily bars are needed"
        )
    longest = None
    if len(steps):
        longest = gap_before(bars.dates_T, int(steps.argmax()) + 1)
    long_gaps = len(long_gap_rows(bars.dates_T))
    jumps = _jumps(bars, adjusted_T, rows_T)
    zeros = int((bars.volume_T == 0).sum()) if bars.has_volume else None
    weekend = int((~np.is_busday(bars.dates_T)).sum())
    sundays = int((weekday(bars.dates_T) == SUNDAY).sum())
    repeated = share_open_equals_previous_close(bars)
    return Inspection(
        longest_gap=longest,
        long_gaps=long_gaps,
        jumps=jumps,
        zero_volume_days=zeros,
        weekend_days=weekend,
        sunday_days=sundays,
        open_equals_previous_close=repeated,
        warnings=(
            *gap_words(longest, long_gaps),
            *_jump_words(jumps),
            *_volume_words(bars, zeros),
            *weekend_words(weekend, sundays, len(bars.dates_T)),
            *([f"Open repeats the Close of the day before on {repeated:.0%} of the days: gaps mean little there"]
              if repeated > _REPEATED_OPEN_NOTED else []),
        ),
    )  # fmt: skip


def _jumps(bars: Bars, adjusted_T: NDArray[np.float64] | None, rows_T: NDArray[np.int64]) -> tuple[Jump, ...]:
    ratios = bars.close_T[1:] / bars.close_T[:-1]
    adjusted = None if adjusted_T is None else adjusted_T[1:] / adjusted_T[:-1]
    return tuple(
        Jump(
            day=str(bars.dates_T[row]),
            row=int(rows_T[row]),
            ratio=float(ratios[row - 1]),
            adjusted_ratio=None if adjusted is None else float(adjusted[row - 1]),
        )
        for row in jump_rows(bars.close_T).tolist()
    )


def gap_words(longest: Gap | None, long_gaps: int) -> list[str]:
    if longest is None or long_gaps == 0:
        return []
    others = f"{long_gaps} gaps are" if long_gaps > 1 else "1 gap is"
    span = f"{longest.days} days, {longest.after} to {longest.before}"
    return [f"{others} longer than {LONG_GAP_DAYS} calendar days; the longest is {span}"]


def _jump_words(jumps: tuple[Jump, ...]) -> list[str]:
    if not jumps:
        return []
    told = ", ".join(f"{jump.day} (row {jump.row}) by a factor of {jump.ratio:.4g}" for jump in jumps[:_SHOWN])
    more = f" and {len(jumps) - _SHOWN} more" if len(jumps) > _SHOWN else ""
    if jumps[0].adjusted_ratio is None:
        way = "this file has no Adj Close: bring one that has, or adjusted prices"
    elif any(abs((jump.adjusted_ratio or 0.0) - 1.0) > JUMP for jump in jumps):
        way = "Adj Close jumps too: look these days up"
    else:
        way = "Adj Close does not jump: set data.adjust: true in params.yaml"
    return [f"CLOSE JUMPS by more than {JUMP:.0%}: {told}{more}. Splits that are not adjusted for? {way}"]


def _volume_words(bars: Bars, zeros: int | None) -> list[str]:
    days = len(bars.dates_T)
    if zeros is None:
        return ["no Volume: a study of these bars needs data.volume: false, which leaves out every column made of it"]
    if days > 1 and bars.volume_T.max() == bars.volume_T.min():
        same = f"Volume is {bars.volume_T[0]:g} on every day"
        return [f"{same}, which tells nothing: data.volume: false leaves out every column made of it"]
    return [f"Volume is 0 on {zeros} of {days} days"] if zeros else []


def weekend_words(weekend: int, sundays: int, days: int) -> list[str]:
    if weekend == 0:
        return []
    if weekend < _WEEKEND_NOTED * days:
        return [
            f"{weekend} of {days} days lie on a Saturday or Sunday: is the order of day and month, or the zone, right?"
        ]
    saturdays = weekend - sundays
    shares = (
        f"{sundays} of {days} days ({sundays / days:.0%}) are Sundays, {saturdays} ({saturdays / days:.0%}) Saturdays"
    )
    if sundays and saturdays <= _WEEKEND_NOTED * days:
        return [f"{shares}: short bars of a market that opens on Sunday evening? they count as days like any other"]
    if sundays > _WEEKEND_NOTED * days:
        return [f"{shares}: a market without weekends"]
    return [f"{shares}: a market with a Saturday session?"]
