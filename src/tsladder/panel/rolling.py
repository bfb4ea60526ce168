"""Rolling statistics over the last D sessions, for every session and stock. Each window is summed afresh.

No rounding error is carried from day to day, so a window of equal values has a standard deviation of exactly 0, and no
value depends on later rows or on other stocks. The result for a window with a NaN is NaN. The D terms are added one
after another, each for all windows at once, so that no array of windows is allocated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsladder.panel.panel import FloatTS

# As in data/rolling: a spread below this share of the largest value in its window is rounding.
_ROUNDING = 1e-9


def lag(x_TS: FloatTS, days: int) -> FloatTS:
    """Return the values of `days` sessions ago; NaN in the first `days` rows."""
    out_TS = np.full_like(x_TS, np.nan)
    if days < len(x_TS):
        out_TS[days:] = x_TS[: len(x_TS) - days]
    return out_TS


def _lags(x_TS: FloatTS, days: int) -> Iterator[FloatTS]:
    """Yield views of the values 0, 1, ... `days` - 1 sessions ago, one row per complete window."""
    for ago in range(days):
        yield x_TS[days - 1 - ago : len(x_TS) - ago]


def _whole(x_TS: FloatTS, days: int, reduce: Callable[[], FloatTS]) -> FloatTS:
    """Return the result of `reduce` in the rows that end a complete window, NaN in the rows before."""
    out_TS = np.full_like(x_TS, np.nan)
    if len(x_TS) >= days:
        out_TS[days - 1 :] = reduce()
    return out_TS


def total(x_TS: FloatTS, days: int) -> FloatTS:
    def reduce() -> FloatTS:
        first, *rest = _lags(x_TS, days)
        sum_TS = first.copy()
        for term_TS in rest:
            sum_TS += term_TS
        return sum_TS

    return _whole(x_TS, days, reduce)


def mean(x_TS: FloatTS, days: int) -> FloatTS:
    return total(x_TS, days) / days


def highest(x_TS: FloatTS, days: int) -> FloatTS:
    def reduce() -> FloatTS:
        first, *rest = _lags(x_TS, days)
        most_TS = first.copy()
        for term_TS in rest:
            np.maximum(most_TS, term_TS, out=most_TS)
        return most_TS

    return _whole(x_TS, days, reduce)


def products(a_TS: FloatTS, b_TS: FloatTS, days: int) -> FloatTS:
    """Return the sum over the window of the products of the deviations of `a_TS` and `b_TS` from their means.

    One of the two may have a single column, which is then paired with every column of the other.
    """
    mean_a_TS, mean_b_TS = (mean(x_TS, days)[days - 1 :] for x_TS in (a_TS, b_TS))
    out_TS = np.full(np.broadcast_shapes(a_TS.shape, b_TS.shape), np.nan)
    if len(a_TS) < days:
        return out_TS
    sum_TS = np.zeros_like(out_TS[days - 1 :])
    for today_a_TS, today_b_TS in zip(_lags(a_TS, days), _lags(b_TS, days), strict=True):
        sum_TS += (today_a_TS - mean_a_TS) * (today_b_TS - mean_b_TS)
    out_TS[days - 1 :] = sum_TS
    return out_TS


def spread(x_TS: FloatTS, days: int) -> FloatTS:
    """Return the standard deviation (divisor `days` - 1); exactly 0 where values differ only by rounding."""
    sd_TS = np.sqrt(products(x_TS, x_TS, days) / (days - 1))
    return np.where(sd_TS <= _ROUNDING * highest(np.abs(x_TS), days), 0.0, sd_TS)


def ratio(a_TS: FloatTS, b_TS: FloatTS, otherwise: float = 0.0) -> FloatTS:
    """Return `a_TS` / `b_TS`, `otherwise` where `b_TS` is 0; NaN where either is NaN."""
    out_TS = np.where(np.isnan(a_TS) | np.isnan(b_TS), np.nan, otherwise)
    return np.divide(a_TS, b_TS, out=out_TS, where=b_TS != 0.0)


def correlation(a_TS: FloatTS, b_TS: FloatTS, days: int) -> FloatTS:
    """Return Pearson's correlation over the window; 0 where one of the two is constant."""
    return ratio(products(a_TS, b_TS, days) / (days - 1), spread(a_TS, days) * spread(b_TS, days))
