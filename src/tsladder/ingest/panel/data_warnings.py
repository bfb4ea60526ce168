"""Warnings about a panel that is accepted: jumps of prices, gaps, days with few stocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.data.irregular import JUMP, gap_before, long_gap_rows
from tsladder.ingest.inspection import gap_words, weekend_words
from tsladder.ingest.panel.joined import Joined
from tsladder.ingest.weekdays import SUNDAY, weekday

JUMPS_SHOWN = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class StockJump:
    """Jump of a stock's Close. `ratio`: Close divided by the last Close before it."""

    symbol: str
    day: str
    ratio: float

    def to_json(self) -> dict[str, Any]:
        return {"symbol": self.symbol, "day": self.day, "ratio": self.ratio}

    def __str__(self) -> str:
        return f"{self.symbol} {self.day} by a factor of {self.ratio:.4g}"


def find_jumps(table: Joined, close_R: NDArray[np.float64]) -> tuple[StockJump, ...]:
    """Find changes of a stock's Close by more than JUMP between two days with a price, sorted by day and stock."""
    traded = np.flatnonzero(~np.isnan(close_R))
    here, before = traded[1:], traded[:-1]
    ratio = np.ones(len(here))
    same = table.stocks_R[here] == table.stocks_R[before]
    ratio[same] = close_R[here[same]] / close_R[before[same]]
    found = np.flatnonzero(np.abs(ratio - 1.0) > JUMP)
    jumps = [
        StockJump(
            symbol=table.symbols_S[int(table.stocks_R[here[place]])],
            day=str(table.days_R[here[place]]),
            ratio=float(ratio[place]),
        )
        for place in found.tolist()
    ]
    return tuple(sorted(jumps, key=lambda jump: (jump.day, jump.symbol)))


def warnings_of(
    jumps: tuple[StockJump, ...],
    sessions_T: NDArray[np.datetime64],
    counts_T: NDArray[np.int64],
    least_stocks: int,
    *,
    has_adjusted: bool,
) -> tuple[str, ...]:
    """Return the warnings in words: jumps, gaps, days with fewer than `least_stocks` stocks, days of a weekend."""
    rows = long_gap_rows(sessions_T)
    longest = None
    if len(rows):
        longest = gap_before(sessions_T, int(np.diff(sessions_T).astype(np.int64).argmax()) + 1)
    weekend = int((~np.is_busday(sessions_T)).sum())
    sundays = int((weekday(sessions_T) == SUNDAY).sum())
    return (
        *_jump_words(jumps, has_adjusted=has_adjusted),
        *gap_words(longest, len(rows)),
        *_thin_words(sessions_T, counts_T, least_stocks),
        *weekend_words(weekend, sundays, len(sessions_T)),
    )


def _jump_words(jumps: tuple[StockJump, ...], *, has_adjusted: bool) -> list[str]:
    if not jumps:
        return []
    largest = sorted(jumps, key=lambda jump: (-abs(np.log(jump.ratio)), jump.day, jump.symbol))[:JUMPS_SHOWN]
    listed = ", ".join(map(str, largest))
    more = f" and {len(jumps) - JUMPS_SHOWN} smaller ones" if len(jumps) > JUMPS_SHOWN else ""
    way = "look these days up" if has_adjusted else "bring adjusted prices where you have them"
    plural = "" if len(jumps) == 1 else "S"
    return [
        f"{len(jumps)} JUMP{plural} of a Close by more than {JUMP:.0%}: {listed}{more}. Splits not adjusted for? {way}"
    ]


def _thin_words(sessions_T: NDArray[np.datetime64], counts_T: NDArray[np.int64], least_stocks: int) -> list[str]:
    thin = np.flatnonzero(counts_T < least_stocks)
    if len(thin) == 0:
        return []
    days = f"{len(thin)} of {len(sessions_T)} days have" if len(thin) > 1 else f"1 of {len(sessions_T)} days has"
    first = f"the first is {sessions_T[thin[0]]} with {counts_T[thin[0]]}"
    return [f"{days} fewer than {least_stocks} stocks with a price ({first}): no sample of a study"]
