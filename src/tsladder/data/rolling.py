"""Statistics over the last D days of a series, for every day: the basis of all features except the recursive ones.

Each window is summed anew, row by row: no rounding is carried along from day to day, so a window of equal values has a
spread of exactly 0, and a value does not depend on how many days follow. Leading days without a finite value count as
absent; a day without a whole window is NaN. Axis letters: T days of the series, D days of a window.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Column = NDArray[np.float64]

# A spread below this share of the largest value in its window is rounding, and so is a difference of two values.
_ROUNDING = 1e-9


def rolling(days: int, reduce: Callable[..., Column], *series_T: Column) -> Column:
    """Apply `reduce` to the windows x_TD of each series; one value per window, on the window's last day."""
    total = len(series_T[0])
    out_T = np.full(total, np.nan)
    first = max(_first_finite(x_T) for x_T in series_T)
    if total - first >= days:
        windows = [np.ascontiguousarray(sliding_window_view(x_T[first:], days)) for x_T in series_T]
        out_T[first + days - 1 :] = reduce(*windows)
    return out_T


def _first_finite(x_T: Column) -> int:
    finite_T = np.isfinite(x_T)
    return int(finite_T.argmax()) if finite_T.any() else len(x_T)


def mean(x_T: Column, days: int) -> Column:
    return rolling(days, lambda x_TD: x_TD.mean(axis=1), x_T)


def total(x_T: Column, days: int) -> Column:
    return rolling(days, lambda x_TD: x_TD.sum(axis=1), x_T)


def highest(x_T: Column, days: int) -> Column:
    return rolling(days, lambda x_TD: x_TD.max(axis=1), x_T)


def lowest(x_T: Column, days: int) -> Column:
    return rolling(days, lambda x_TD: x_TD.min(axis=1), x_T)


def spread(x_T: Column, days: int, ddof: int = 1) -> Column:
    """Return the standard deviation; exactly 0 where the values differ only by rounding."""
    return rolling(days, lambda x_TD: spread_of(x_TD, ddof), x_T)


def spread_of(x_TD: Column, ddof: int = 1) -> Column:
    """Return `spread` of given windows."""
    centred_TD = x_TD - x_TD.mean(axis=1, keepdims=True)
    sd_T: Column = np.sqrt((centred_TD * centred_TD).sum(axis=1) / (x_TD.shape[1] - ddof))
    return np.where(sd_T <= _ROUNDING * np.abs(x_TD).max(axis=1), 0.0, sd_T)


def root_mean_square(x_T: Column, days: int) -> Column:
    return rolling(days, lambda x_TD: np.sqrt((x_TD * x_TD).mean(axis=1)), x_T)


def correlation(a_T: Column, b_T: Column, days: int) -> Column:
    """Return Pearson's correlation; 0 where one of the two is constant."""

    def reduce(a_TD: Column, b_TD: Column) -> Column:
        moves_TD = (a_TD - a_TD.mean(axis=1, keepdims=True)) * (b_TD - b_TD.mean(axis=1, keepdims=True))
        return ratio(moves_TD.mean(axis=1), spread_of(a_TD, 0) * spread_of(b_TD, 0))

    return rolling(days, reduce, a_T, b_T)


def slope(x_T: Column, days: int) -> Column:
    """Return the least-squares slope per day."""
    return rolling(days, slope_of, x_T)


def slope_of(x_TD: Column) -> Column:
    """Return `slope` of given windows."""
    weights_D = _centred_days(x_TD.shape[1])
    # Relative to the last day, so that equal values cancel exactly.
    moved_TD = x_TD - x_TD[:, -1:]
    slope_T: Column = (moved_TD * weights_D).sum(axis=1) / (weights_D * weights_D).sum()
    return slope_T


def _centred_days(days: int) -> Column:
    return np.arange(days, dtype=np.float64) - (days - 1) / 2.0


def share_at_most(x_T: Column, days: int) -> Column:
    """Return the share of the last `days` days, this one included, whose value is at most this day's: above 0, at most
    1."""
    return rolling(days, lambda x_TD: (x_TD <= _raised(x_TD[:, -1:])).mean(axis=1), x_T)


def _raised(x: Column) -> Column:
    # Two values that differ by rounding alone are one value, in whatever unit the prices are.
    return np.asarray(x + _ROUNDING * np.abs(x))


def days_since(x_T: Column, days: int, extreme: Callable[..., NDArray[np.intp]]) -> Column:
    """Return the days since the latest `extreme` (np.argmax or np.argmin) of the last `days` days: 0 today, `days` - 1
    at most."""
    return rolling(days, lambda x_TD: extreme(x_TD[:, ::-1], axis=1).astype(np.float64), x_T)


def before(x_T: Column, days: int) -> Column:
    """Return the value of `days` days ago."""
    return np.concatenate([np.full(min(days, len(x_T)), np.nan), x_T[: max(len(x_T) - days, 0)]])


def change(x_T: Column, days: int = 1) -> Column:
    """Return the value less that of `days` days ago."""
    return np.asarray(x_T - before(x_T, days))


def log_ratio(x_T: Column, days: int) -> Column:
    """Return the logarithm of the value over that of `days` days ago; exactly 0 between equal values."""
    return np.asarray(np.log(x_T / before(x_T, days)))


def ratio(a_T: Column, b_T: Column, otherwise: float = 0.0) -> Column:
    """Return a / b, and `otherwise` where b is 0; NaN where either is."""
    out_T = np.where(np.isnan(a_T), np.nan, otherwise)
    return np.divide(a_T, b_T, out=out_T, where=b_T != 0.0)


def exponential_mean(x_T: Column, decay: float) -> Column:
    """Return the mean with weights 1, `decay`, `decay`^2, ... into the past, over their sum: no start value is
    needed."""
    out_T = np.full(len(x_T), np.nan)
    weighted = weight = 0.0
    for day, value in enumerate(x_T.tolist()):
        if weight == 0.0 and not np.isfinite(value):
            continue
        weighted = decay * weighted + value
        weight = decay * weight + 1.0
        out_T[day] = weighted / weight
    return out_T
