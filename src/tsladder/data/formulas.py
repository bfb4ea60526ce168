"""Formulas of indicators that take more than one call of TA-Lib."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tsladder.data.bars import Bars
from tsladder.data.rolling import Column

# Narrower bands, relative to their middle, are rounding of TA-Lib's rolling sums: the quotient would be noise.
_FLAT_BAND_WIDTH = 1e-7


def stoch_rsi(close_T: Column) -> Column:
    """Return fast %K of StochRSI (14, 5, 3), 0 to 100; TA-Lib gives 0 where the RSI is constant (0/0)."""
    import talib

    fast_k_T, _ = talib.STOCHRSI(close_T, timeperiod=14, fastk_period=5, fastd_period=3)
    return fast_k_T


def bollinger_b(bars: Bars, days: int = 20) -> Column:
    """Return (Close - lower) / (upper - lower) of the bands 2 sd about the mean; one half where the bands coincide."""
    import talib

    upper_T, middle_T, lower_T = talib.BBANDS(bars.close_T, timeperiod=days, nbdevup=2.0, nbdevdn=2.0)
    width_T = upper_T - lower_T
    flat_T = width_T <= _FLAT_BAND_WIDTH * middle_T
    return np.where(flat_T, 0.5, (bars.close_T - lower_T) / np.where(flat_T, 1.0, width_T))


def vwap(bars: Bars, days: int = 20) -> Column:
    """Return the sum of Close x Volume over the sum of Volume; the plain mean of Close where nothing was traded."""
    vwap_T = np.full(len(bars.close_T), np.nan)
    if len(bars.close_T) < days:
        return vwap_T
    close_TD = sliding_window_view(bars.close_T, days)
    volume_TD = sliding_window_view(bars.volume_T, days)
    traded_T = volume_TD.sum(axis=1)
    quiet_T = traded_T == 0.0
    weighted_T = (close_TD * volume_TD).sum(axis=1) / np.where(quiet_T, 1.0, traded_T)
    vwap_T[days - 1 :] = np.where(quiet_T, close_TD.mean(axis=1), weighted_T)
    return vwap_T


def on_completed_weeks(bars: Bars, indicator: Callable[[Column], Column]) -> Column:
    """Return `indicator` of the weekly closes, as known on each day: the value of the last ISO week before the day's
    own.

    A week counts as completed on the first trading day of a later week. Its own last trading day cannot be told from a
    day before a holiday without looking forward, so that day still shows the week before.
    """
    # Day 0 of datetime64 is a Thursday: three days on, whole sevens begin on Mondays.
    week_T = (bars.dates_T.astype("datetime64[D]").astype(np.int64) + 3) // 7
    starts = np.flatnonzero(np.diff(week_T, prepend=week_T[:1] - 1))
    closes_W = bars.close_T[np.append(starts[1:], len(week_T)) - 1]
    known_W = np.concatenate([[np.nan], indicator(closes_W)[:-1]])
    return np.repeat(known_W, np.diff(np.append(starts, len(week_T))))
