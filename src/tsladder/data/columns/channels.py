"""Features of bands, channels and clouds around the price: their width, Close's place in them, their age."""

from __future__ import annotations

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import BOUNDED, UNITLESS, Fill, Indicator, declare, talib
from tsladder.data.formulas import bollinger_b
from tsladder.data.rolling import Column, before, days_since, highest, lowest, mean, ratio

_ICHIMOKU_SHIFT = 26
_NO_RANGE = 1e-9


def _bollinger(bars: Bars, days: int) -> tuple[Column, Column]:
    """Return middle and half-width of the bands 2 sd about the mean."""
    upper_T, middle_T, _ = talib("BBANDS", bars.close_T, timeperiod=days, nbdevup=2.0, nbdevdn=2.0)
    return middle_T, np.asarray(upper_T - middle_T)


def bollinger_width(bars: Bars, days: int) -> Column:
    middle_T, half_T = _bollinger(bars, days)
    return np.asarray(2.0 * half_T / middle_T)


def _keltner(bars: Bars) -> tuple[Column, Column]:
    """Return middle and half-width of the channel; the width is 0 where it is only rounding compared with the price."""
    upper_T, middle_T, _ = talib("KC", bars.high_T, bars.low_T, bars.close_T, timeperiod=20, atrperiod=10, nbdev=2.0)
    half_T: Column = upper_T - middle_T
    return middle_T, np.where(half_T <= _NO_RANGE * bars.close_T, 0.0, half_T)


def _keltner_place(bars: Bars) -> Column:
    middle_T, half_T = _keltner(bars)
    return ratio(bars.close_T - middle_T, half_T)


def _squeeze(bars: Bars) -> Column:
    return ratio(_bollinger(bars, 20)[1], _keltner(bars)[1])


def donchian_place(bars: Bars, days: int) -> Column:
    """Return (Close - lowest Low) / (highest High - lowest Low); one half where the two are equal."""
    high_T, _, low_T = talib("DONCHIAN", bars.high_T, bars.low_T, timeperiod=days)
    return ratio(bars.close_T - low_T, high_T - low_T, 0.5)


def midpoint(bars: Bars, days: int) -> Column:
    """Return the middle between highest High and lowest Low, as used for the lines of Ichimoku."""
    return np.asarray((highest(bars.high_T, days) + lowest(bars.low_T, days)) / 2.0)


def senkou_a(bars: Bars) -> Column:
    """Return the first edge of the cloud over this day, computed 26 days ago from the days up to then."""
    return before((midpoint(bars, 9) + midpoint(bars, 26)) / 2.0, _ICHIMOKU_SHIFT)


def senkou_b(bars: Bars) -> Column:
    """Return the second edge of the cloud over this day, computed 26 days ago from the days up to then."""
    return before(midpoint(bars, 52), _ICHIMOKU_SHIFT)


def _pivot(bars: Bars) -> Column:
    return before((bars.high_T + bars.low_T + bars.close_T) / 3.0, 1)


def _new_extremes(bars: Bars) -> Column:
    """Return the balance over 63 days of days with a new 20-day high and days with a new 20-day low."""
    high_T, low_T = before(highest(bars.high_T, 20), 1), before(lowest(bars.low_T, 20), 1)
    new_T = np.where(np.isnan(high_T), np.nan, (bars.high_T > high_T) * 1.0 - (bars.low_T < low_T) * 1.0)
    return mean(new_T, 63)


def _since(side: str, days: int) -> Indicator:
    return declare(
        f"days_since_{side}_{days}",
        BOUNDED,
        f"days since the {side}est {side.capitalize()} of the last {days} days, the latest where it was met again",
        days - 1,
        "definition",
        lambda bars: days_since(
            bars.high_T if side == "high" else bars.low_T, days, np.argmax if side == "high" else np.argmin
        ),
        scale=float(days - 1),
    )


def _edge(name: str, words: str, look_back: int, source: str, edge: Fill) -> Indicator:
    return declare(
        f"distance_{name}",
        UNITLESS,
        f"Close over {words}, less 1",
        look_back,
        source,
        lambda bars: bars.close_T / edge(bars) - 1.0,
    )


_SENKOU_A_DAYS, _SENKOU_B_DAYS = 25 + _ICHIMOKU_SHIFT, 51 + _ICHIMOKU_SHIFT

A50 = (
    declare(
        "bollinger_width_20",
        UNITLESS,
        "upper less lower Bollinger band (20 days, 2 sd) over the middle",
        19,
        "TA-Lib BBANDS",
        lambda bars: bollinger_width(bars, 20),
    ),
    declare(
        "donchian_place_55",
        UNITLESS,
        "place of Close between the lowest Low (0) and highest High (1) of 55 days; one half where they are one price",
        54,
        "TA-Lib DONCHIAN",
        lambda bars: donchian_place(bars, 55),
    ),
)
A100 = (
    _edge("high_20", "the highest High of 20 days", 19, "Donchian", lambda bars: highest(bars.high_T, 20)),
    _edge("low_20", "the lowest Low of 20 days", 19, "Donchian", lambda bars: lowest(bars.low_T, 20)),
    declare(
        "keltner_place_20",
        UNITLESS,
        "(Close - exponential average (20) of the typical price) over twice the average true range (10); 0 where none",
        19,
        "TA-Lib KC (20, 10, 2)",
        _keltner_place,
    ),
    _edge("tenkan_9", "the middle of High and Low of 9 days", 8, "Ichimoku", lambda bars: midpoint(bars, 9)),
    _edge("kijun_26", "the middle of High and Low of 26 days", 25, "Ichimoku", lambda bars: midpoint(bars, 26)),
    _edge("senkou_a", "the cloud's first edge, made 26 days ago", _SENKOU_A_DAYS, "Ichimoku (9, 26)", senkou_a),
    _edge("senkou_b", "the cloud's second edge, made 26 days ago", _SENKOU_B_DAYS, "Ichimoku (52)", senkou_b),
    _since("high", 63),
    _since("low", 63),
)
A200 = (
    declare(
        "bollinger_width_50",
        UNITLESS,
        "upper less lower Bollinger band (50 days, 2 sd) over the middle",
        49,
        "TA-Lib BBANDS",
        lambda bars: bollinger_width(bars, 50),
    ),
    declare(
        "bollinger_b_50",
        UNITLESS,
        "place of Close between its Bollinger bands (50 days, 2 sd): 0 lower, 1 upper, one half where it stands still",
        49,
        "TA-Lib BBANDS",
        lambda bars: bollinger_b(bars, 50),
    ),
    declare(
        "squeeze_20",
        UNITLESS,
        "width of the Bollinger bands (20 days, 2 sd) over that of Keltner's channel (twice ATR 10); 0 without a range",
        19,
        "Carter's squeeze, as a ratio of TA-Lib BBANDS and KC",
        _squeeze,
    ),
    declare(
        "donchian_place_20",
        UNITLESS,
        "place of Close between the lowest Low (0) and highest High (1) of 20 days; one half where they are one price",
        19,
        "TA-Lib DONCHIAN",
        lambda bars: donchian_place(bars, 20),
    ),
    declare(
        "donchian_width_126",
        UNITLESS,
        "logarithm of the highest High over the lowest Low of 126 days",
        125,
        "Donchian",
        lambda bars: np.log(highest(bars.high_T, 126) / lowest(bars.low_T, 126)),
    ),
    _since("high", 252),
    _since("low", 252),
    declare(
        "ichimoku_cross",
        UNITLESS,
        "middle of High and Low of 9 days over that of 26 days, less 1",
        25,
        "Ichimoku",
        lambda bars: midpoint(bars, 9) / midpoint(bars, 26) - 1.0,
    ),
    declare(
        "ichimoku_cloud",
        UNITLESS,
        "the cloud's first edge over its second, less 1, as made 26 days ago",
        _SENKOU_B_DAYS,
        "Ichimoku (9, 26, 52)",
        lambda bars: senkou_a(bars) / senkou_b(bars) - 1.0,
    ),
    _edge("pivot", "the mean of yesterday's High, Low and Close", 1, "floor traders' pivot", _pivot),
    declare(
        "new_extremes_63",
        UNITLESS,
        "share of the last 63 days that set a new high of 20 days less the share that set a new low",
        82,
        "high-low index of one symbol",
        _new_extremes,
    ),
)
