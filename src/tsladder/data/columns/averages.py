"""Features of moving averages: price levels, Close's distance from them, and one average against another."""

from __future__ import annotations

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import PRICE, UNITLESS, Indicator, declare, smoothed, talib
from tsladder.data.rolling import Column, before


def _parabolic(bars: Bars) -> Column:
    stop_T: Column = talib("SAR", bars.high_T, bars.low_T, acceleration=0.02, maximum=0.2)
    return stop_T


def _distance(kind: str, days: int) -> Indicator:
    words = {"SMA": "mean", "EMA": "exponential average"}[kind]
    return declare(
        f"distance_{kind.lower()}_{days}",
        UNITLESS,
        f"Close over its {words} of {days} days, less 1",
        days - 1,
        f"TA-Lib {kind}",
        lambda bars: bars.close_T / smoothed(kind, bars.close_T, days) - 1.0,
    )


def _cross(fast: int, slow: int) -> Indicator:
    return declare(
        f"sma_cross_{fast}_{slow}",
        UNITLESS,
        f"mean of Close over {fast} days over that over {slow} days, less 1",
        slow - 1,
        "TA-Lib SMA",
        lambda bars: smoothed("SMA", bars.close_T, fast) / smoothed("SMA", bars.close_T, slow) - 1.0,
    )


def _sma_return(bars: Bars, days: int, over: int) -> Column:
    average_T = smoothed("SMA", bars.close_T, days)
    return np.asarray(average_T / before(average_T, over) - 1.0)


A50 = tuple(_distance("EMA", days) for days in (20, 50, 200))
A100 = (
    declare(
        "kama_30",
        PRICE,
        "Kaufman's adaptive average of Close: the straighter its way over 30 days, the faster",
        30,
        "TA-Lib KAMA",
        lambda bars: smoothed("KAMA", bars.close_T, 30),
    ),
    declare(
        "tema_30",
        PRICE,
        "triple exponential moving average of Close over 30 days",
        87,
        "TA-Lib TEMA",
        lambda bars: smoothed("TEMA", bars.close_T, 30),
    ),
    declare(
        "wma_30",
        PRICE,
        "mean of Close over 30 days, weights falling to the past in a line",
        29,
        "TA-Lib WMA",
        lambda bars: smoothed("WMA", bars.close_T, 30),
    ),
    declare(
        "hma_20",
        PRICE,
        "Hull's average: WMA (4) of twice the WMA (10) of Close less its WMA (20)",
        22,
        "TA-Lib HMA",
        lambda bars: smoothed("HMA", bars.close_T, 20),
    ),
    _distance("EMA", 10),
    _distance("EMA", 100),
)
A200 = (
    _distance("SMA", 5),
    _cross(50, 200),
    declare(
        "sma_return_200_21",
        UNITLESS,
        "change over 21 days, as a share, of the mean of Close over 200 days",
        220,
        "TA-Lib SMA",
        lambda bars: _sma_return(bars, 200, 21),
    ),
    declare(
        "distance_sar",
        UNITLESS,
        "(Close - parabolic stop (0.02, 0.2)) / Close",
        1,
        "TA-Lib SAR",
        lambda bars: (bars.close_T - _parabolic(bars)) / bars.close_T,
    ),
)
