"""Oscillators: the place of the price in its recent range, and the balance of rises and falls."""

from __future__ import annotations

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import BOUNDED, RANGE, UNITLESS, Indicator, declare, smoothed, talib
from tsladder.data.rolling import Column, before, mean, ratio


def _high_low_close(bars: Bars) -> tuple[Column, Column, Column]:
    return bars.high_T, bars.low_T, bars.close_T


def stochastic(bars: Bars, days: int) -> tuple[Column, Column]:
    """Return slow %K and %D, both smoothed by plain means of 3 days."""
    lines: tuple[Column, Column] = talib(
        "STOCH", *_high_low_close(bars), fastk_period=days, slowk_period=3, slowd_period=3
    )
    return lines


def _vortex(bars: Bars) -> Column:
    up_T, down_T = talib("VORTEX", *_high_low_close(bars), timeperiod=14)
    return np.asarray(up_T - down_T)


def _relative_vigor(bars: Bars) -> Column:
    body_T, range_T = (
        (x_T + 2.0 * before(x_T, 1) + 2.0 * before(x_T, 2) + before(x_T, 3)) / 6.0
        for x_T in (bars.close_T - bars.open_T, bars.high_T - bars.low_T)
    )
    return ratio(mean(body_T, 10), mean(range_T, 10))


def _macd(bars: Bars, line: int) -> Column:
    lines: tuple[Column, ...] = talib("MACD", bars.close_T, fastperiod=12, slowperiod=26, signalperiod=9)
    return lines[line]


def _hundred(name: str, words: str, look_back: int, function: str, days: int) -> Indicator:
    return declare(
        name,
        BOUNDED,
        f"{words} over {days} days, 0 to 100",
        look_back,
        f"TA-Lib {function}",
        lambda bars: talib(function, *_high_low_close(bars), timeperiod=days),
        scale=100.0,
    )


def _aroon(side: str, days: int) -> Indicator:
    return declare(
        f"aroon_{side}_{days}",
        BOUNDED,
        f"100 for a {'High' if side == 'up' else 'Low'} of {days} days set today, down to 0 for one {days} days ago",
        days,
        "TA-Lib AROON",
        lambda bars: talib("AROON", bars.high_T, bars.low_T, timeperiod=days)[1 if side == "up" else 0],
        scale=100.0,
    )


def _rsi(days: int) -> Indicator:
    return declare(
        f"rsi_{days}",
        BOUNDED,
        f"relative strength index of Close over {days} days, 0 to 100",
        days,
        "TA-Lib RSI",
        lambda bars: talib("RSI", bars.close_T, timeperiod=days),
        scale=100.0,
    )


A50 = (
    declare(
        "cci_14",
        BOUNDED,
        "distance of the typical price from its mean over 14 days in mean deviations / 0.015; 0 where it stands still",
        13,
        "TA-Lib CCI",
        lambda bars: talib("CCI", *_high_low_close(bars), timeperiod=14),
        scale=100.0,
    ),
    declare(
        "williams_r_14",
        BOUNDED,
        "place of Close below the highest High of 14 days, -100 at the lowest Low; 0 where they are one price",
        13,
        "TA-Lib WILLR",
        lambda bars: talib("WILLR", *_high_low_close(bars), timeperiod=14),
        scale=100.0,
    ),
    declare(
        "stoch_k_14",
        BOUNDED,
        "place of Close in the range of 14 days, mean of 3 days, 0 to 100; 0 where there is no range",
        17,
        "TA-Lib STOCH (14, 3, 3), slow %K",
        lambda bars: stochastic(bars, 14)[0],
        scale=100.0,
    ),
    _aroon("up", 14),
    _aroon("down", 14),
)
A100 = (
    declare(
        "stoch_d_14",
        BOUNDED,
        "mean over 3 days of stoch_k_14",
        17,
        "TA-Lib STOCH (14, 3, 3), slow %D",
        lambda bars: stochastic(bars, 14)[1],
        scale=100.0,
    ),
    declare(
        "ultimate_oscillator",
        BOUNDED,
        "buying pressure over true range of 7, 14 and 28 days, weighed 4 : 2 : 1, 0 to 100; a span without range is 0",
        28,
        "TA-Lib ULTOSC (7, 14, 28)",
        lambda bars: talib("ULTOSC", *_high_low_close(bars), timeperiod1=7, timeperiod2=14, timeperiod3=28),
        scale=100.0,
    ),
    declare(
        "trix_15",
        UNITLESS,
        "change in percent per day of Close averaged exponentially (15) three times",
        43,
        "TA-Lib TRIX",
        lambda bars: talib("TRIX", bars.close_T, timeperiod=15),
    ),
    _hundred("plus_di_14", "share of the true range in which Highs rose", 14, "PLUS_DI", 14),
    _hundred("minus_di_14", "share of the true range in which Lows fell", 14, "MINUS_DI", 14),
    declare(
        "macd_histogram",
        RANGE,
        "MACD line (12, 26) less its exponential average of 9 days",
        33,
        "TA-Lib MACD, the histogram",
        lambda bars: _macd(bars, 2),
    ),
)
A200 = (
    _rsi(2),
    _rsi(28),
    _aroon("up", 50),
    _aroon("down", 50),
    _hundred("adxr_14", "mean of the average directional index (14) and that of 13 days before", 40, "ADXR", 14),
    declare(
        "vortex_14",
        UNITLESS,
        "(sum of |High - Low before| - sum of |Low - High before|) / sum of true ranges, 14 days; 0 without a range",
        14,
        "TA-Lib VORTEX, VI+ less VI-",
        _vortex,
    ),
    declare(
        "true_strength_25_13",
        BOUNDED,
        "exponential averages (25, then 13) of Close's daily changes over the same of their sizes, -100 to 100; 0 "
        "where it stands still",
        37,
        "TA-Lib TSI (25, 13)",
        lambda bars: talib("TSI", bars.close_T, firstperiod=25, secondperiod=13),
        scale=100.0,
    ),
    declare(
        "coppock",
        UNITLESS,
        "weighted mean (WMA) over 10 days of the sum of Close's 14- and 11-day changes in percent",
        23,
        "TA-Lib COPPOCK (10, 11, 14)",
        lambda bars: talib("COPPOCK", bars.close_T, wmaperiod=10, roc1period=11, roc2period=14),
    ),
    declare(
        "awesome_oscillator",
        RANGE,
        "mean over 5 days of (High + Low) / 2 less that over 34 days",
        33,
        "TA-Lib AO (5, 34)",
        lambda bars: talib("AO", bars.high_T, bars.low_T, fastperiod=5, slowperiod=34),
    ),
    declare(
        "bull_power_13",
        RANGE,
        "High less the exponential average (13) of Close",
        12,
        "Elder",
        lambda bars: bars.high_T - smoothed("EMA", bars.close_T, 13),
    ),
    declare(
        "bear_power_13",
        RANGE,
        "Low less the exponential average (13) of Close",
        12,
        "Elder",
        lambda bars: bars.low_T - smoothed("EMA", bars.close_T, 13),
    ),
    declare(
        "relative_vigor_10",
        UNITLESS,
        "Close - Open over High - Low, each smoothed over 4 days and averaged over 10; 0 without a range",
        12,
        "Ehlers",
        _relative_vigor,
    ),
)
