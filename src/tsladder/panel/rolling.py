"""Rolling statistics over the last D sessions, for every session and stock. Each window is summed afresh.

No rounding error is carried from day to day, so a window of equal values has a standard deviation of exactly 0, and no
value depends on later rows or on other stocks. The result for a window with a NaN is NaN. The D terms are added one
after another, each for a block of windows at once, so that no array of windows is allocated and the sums stay in the
processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tsladder.panel.panel import FloatTS

# As in data/rolling: a spread below this share of the largest value in its window is rounding.
_ROUNDING = 1e-9

# Values of a block: three arrays of them fit into the second-level cache of common processors.
_BLOCK = 16384


def lag(x_TS: FloatTS, days: int) -> FloatTS:
    """Return the values of `days` sessions ago; NaN in the first `days` rows."""
    out_TS = np.full_like(x_TS, np.nan)
    if days < len(x_TS):
        out_TS[days:] = x_TS[: len(x_TS) - days]
    return out_TS


def _lags(x_TS: FloatTS, days: int, rows: slice) -> Iterator[FloatTS]:
    """Yield views of the values 0, 1, ... `days` - 1 sessions ago; `rows` end complete windows."""
    for ago in range(days):
        yield x_TS[rows.start - ago : rows.stop - ago]


def _by_block(out_TS: FloatTS, days: int, reduce: Callable[[slice], FloatTS]) -> FloatTS:
    """Fill the rows of `out_TS` that end a complete window with `reduce` of each block of rows, the rows before with
    NaN."""
    out_TS[: days - 1] = np.nan
    at_once = max(1, _BLOCK // max(1, out_TS.shape[1]))
    for first in range(days - 1, len(out_TS), at_once):
        rows = slice(first, min(first + at_once, len(out_TS)))
        out_TS[rows] = reduce(rows)
    return out_TS


def total(x_TS: FloatTS, days: int) -> FloatTS:
    def reduce(rows: slice) -> FloatTS:
        first, *rest = _lags(x_TS, days, rows)
        sum_TS = first.copy()
        for term_TS in rest:
            sum_TS += term_TS
        return sum_TS

    return _by_block(np.empty_like(x_TS), days, reduce)


def mean(x_TS: FloatTS, days: int) -> FloatTS:
    return total(x_TS, days) / days


def highest(x_TS: FloatTS, days: int) -> FloatTS:
    def reduce(rows: slice) -> FloatTS:
        first, *rest = _lags(x_TS, days, rows)
        most_TS = first.copy()
        for term_TS in rest:
            np.maximum(most_TS, term_TS, out=most_TS)
        return most_TS

    return _by_block(np.empty_like(x_TS), days, reduce)


def products(a_TS: FloatTS, b_TS: FloatTS, days: int) -> FloatTS:
    """Return the sum over the window of the products of the deviations of `a_TS` and `b_TS` from their means.

    One of the two may have a single column, which is then paired with every column of the other.
    """
    same = a_TS is b_TS
    mean_a_TS = mean(a_TS, days)
    mean_b_TS = mean_a_TS if same else mean(b_TS, days)

    def reduce(rows: slice) -> FloatTS:
        sum_TS = np.zeros((rows.stop - rows.start, out_TS.shape[1]))
        for today_a_TS, today_b_TS in zip(_lags(a_TS, days, rows), _lags(b_TS, days, rows), strict=True):
            off_a_TS = today_a_TS - mean_a_TS[rows]
            sum_TS += off_a_TS * (off_a_TS if same else today_b_TS - mean_b_TS[rows])
        return sum_TS

    out_TS: FloatTS = np.empty(np.broadcast_shapes(a_TS.shape, b_TS.shape))
    return _by_block(out_TS, days, reduce)


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
