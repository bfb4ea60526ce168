"""Volatility from the day's range. Not annualised; 0 where Open, High, Low and Close are one price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import UNITLESS, Indicator, declare, talib
from tsladder.data.rolling import Column, before, mean, ratio, share_at_most, spread

_LN2 = float(np.log(2.0))


def _high_low(bars: Bars) -> Column:
    return np.asarray(np.log(bars.high_T / bars.low_T))


def parkinson(bars: Bars, days: int) -> Column:
    return np.sqrt(mean(_high_low(bars) ** 2, days) / (4.0 * _LN2))


def garman_klass(bars: Bars, days: int) -> Column:
    body_T = np.log(bars.close_T / bars.open_T)
    day_T = 0.5 * _high_low(bars) ** 2 - (2.0 * _LN2 - 1.0) * body_T**2
    # Never negative while the body lies within the range, which files break by a rounding error.
    return np.sqrt(np.maximum(mean(day_T, days), 0.0))


def _rogers_satchell_day(bars: Bars) -> Column:
    high_T, low_T = np.log(bars.high_T / bars.open_T), np.log(bars.low_T / bars.open_T)
    close_T = np.log(bars.close_T / bars.open_T)
    return np.asarray(high_T * (high_T - close_T) + low_T * (low_T - close_T))


def yang_zhang(bars: Bars, days: int) -> Column:
    night_T = np.log(bars.open_T / before(bars.close_T, 1))
    day_T = np.log(bars.close_T / bars.open_T)
    k = 0.34 / (1.34 + (days + 1) / (days - 1))
    within_T = mean(_rogers_satchell_day(bars), days)
    return np.sqrt(np.maximum(spread(night_T, days) ** 2 + k * spread(day_T, days) ** 2 + (1.0 - k) * within_T, 0.0))


def corwin_schultz(bars: Bars, days: int) -> Column:
    """Return the mean estimated bid-ask spread; two-day estimates below 0 count as 0."""
    square_T = _high_low(bars) ** 2
    beta_T = square_T + before(square_T, 1)
    span_T = np.log(np.maximum(bars.high_T, before(bars.high_T, 1)) / np.minimum(bars.low_T, before(bars.low_T, 1)))
    root = 3.0 - 2.0 * np.sqrt(2.0)
    alpha_T = (np.sqrt(2.0 * beta_T) - np.sqrt(beta_T)) / root - np.sqrt(span_T**2 / root)
    return mean(np.maximum(2.0 * np.tanh(alpha_T / 2.0), 0.0), days)


def true_range(bars: Bars) -> Column:
    """Return the true range of each day, in units of price; NaN on the first day."""
    range_T: Column = talib("TRANGE", bars.high_T, bars.low_T, bars.close_T)
    return range_T


def _range(
    name: str, days: int, words: str, look_back: int, source: str, fill: Callable[[Bars, int], Column]
) -> Indicator:
    return declare(f"{name}_{days}", UNITLESS, words, look_back, source, lambda bars: fill(bars, days))


def _parkinson(days: int) -> Indicator:
    words = f"volatility from log(High / Low) over {days} days"
    return _range("parkinson", days, words, days - 1, "Parkinson 1980", parkinson)


def _garman_klass(days: int) -> Indicator:
    words = f"volatility from Open, High, Low and Close over {days} days, without drift and gaps"
    return _range("garman_klass", days, words, days - 1, "Garman and Klass 1980", garman_klass)


A50 = (_parkinson(21), _garman_klass(21))
A100 = (
    _range(
        "yang_zhang",
        21,
        "volatility from Open, High, Low and Close over 21 days with the gaps between days",
        21,
        "Yang and Zhang 2000",
        yang_zhang,
    ),
    declare(
        "range_expansion_5_20",
        UNITLESS,
        "mean true range of 5 days over that of 20 days; 1 where there was none",
        20,
        "definition on TA-Lib TRANGE",
        lambda bars: ratio(mean(true_range(bars), 5), mean(true_range(bars), 20), 1.0),
    ),
)
A200 = (
    _parkinson(5),
    declare(
        "true_range",
        UNITLESS,
        "true range of the day over the Close before",
        1,
        "TA-Lib TRANGE",
        lambda bars: true_range(bars) / before(bars.close_T, 1),
    ),
    declare(
        "chaikin_volatility_10",
        UNITLESS,
        "change over 10 days, in percent, of the exponential average (10) of High - Low; 0 where that was 0",
        19,
        "TA-Lib CVI (10, 10)",
        lambda bars: talib("CVI", bars.high_T, bars.low_T, timeperiod=10, rocperiod=10),
    ),
    declare(
        "mass_index_25",
        UNITLESS,
        "sum over 25 days of the exponential average (9) of High - Low over that average's own average (9); a day of "
        "0 / 0 counts as 1",
        40,
        "TA-Lib MASSI (9, 25)",
        lambda bars: talib("MASSI", bars.high_T, bars.low_T, fastperiod=9, slowperiod=25),
    ),
    declare(
        "range_percentile_63",
        UNITLESS,
        "share of the last 63 days on which log(High / Low) was at most today's",
        62,
        "definition",
        lambda bars: share_at_most(_high_low(bars), 63),
    ),
    _range(
        "corwin_schultz",
        21,
        "mean bid-ask spread over 21 days as estimated from two days' Highs and Lows, estimates below 0 counted as 0",
        21,
        "Corwin and Schultz 2012, without the correction for gaps",
        corwin_schultz,
    ),
)
