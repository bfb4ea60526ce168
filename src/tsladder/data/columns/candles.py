"""Features of a day's candle: body, shadows, gaps, and how often each occurred lately."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import BOUNDED, UNITLESS, Indicator, declare, talib
from tsladder.data.columns.ranges import true_range
from tsladder.data.rolling import Column, before, change, mean, ratio, total

_LONGEST_STREAK = 10


def _of_range(part_T: Column, bars: Bars, otherwise: float = 0.0) -> Column:
    return ratio(part_T, bars.high_T - bars.low_T, otherwise)


def body(bars: Bars) -> Column:
    part_T: Column = talib("BOP", bars.open_T, bars.high_T, bars.low_T, bars.close_T)
    return part_T


def close_place(bars: Bars) -> Column:
    return _of_range(bars.close_T - bars.low_T, bars, 0.5)


def upper_shadow(bars: Bars) -> Column:
    return _of_range(bars.high_T - np.maximum(bars.open_T, bars.close_T), bars)


def lower_shadow(bars: Bars) -> Column:
    return _of_range(np.minimum(bars.open_T, bars.close_T) - bars.low_T, bars)


def gap(bars: Bars) -> Column:
    return np.asarray(np.log(bars.open_T / before(bars.close_T, 1)))


def streak(bars: Bars) -> Column:
    """Count the days in a row, this one included, on which Close rose (above 0) or fell (below 0); an unchanged Close
    ends both."""
    out_T = np.full(len(bars.close_T), np.nan)
    run = 0.0
    for day, side in enumerate(np.sign(change(bars.close_T)).tolist()[1:], start=1):
        run = run + side if run * side > 0.0 else side
        out_T[day] = run
    return np.asarray(np.clip(out_T, -_LONGEST_STREAK, _LONGEST_STREAK))


def heikin_ashi_body(bars: Bars) -> Column:
    """Return (close - open) / Close of the Heikin-Ashi candle."""
    close_T = (bars.open_T + bars.high_T + bars.low_T + bars.close_T) / 4.0
    opens = [float(bars.open_T[0] + bars.close_T[0]) / 2.0] if len(close_T) else []
    for close in close_T.tolist()[:-1]:
        opens.append((opens[-1] + close) / 2.0)
    return np.asarray((close_T - np.array(opens)) / bars.close_T)


def _gap_filled(bars: Bars, days: int) -> Column:
    """Return the share of the last days' gaps that were closed on the day itself, back to the previous Close."""
    closed_T = before(bars.close_T, 1)
    up_T, down_T = bars.open_T > closed_T, bars.open_T < closed_T
    filled_T = (up_T & (bars.low_T <= closed_T)) | (down_T & (bars.high_T >= closed_T))
    return ratio(total(_from_second(filled_T), days), total(_from_second(up_T | down_T), days))


def _from_second(true_T: NDArray[np.bool_]) -> Column:
    """Return 1 where true and 0 where not, from the second day on; NaN on the first, which has no day before."""
    out_T = true_T.astype(np.float64)
    out_T[:1] = np.nan
    return out_T


def _share(name: str, days: int, words: str, source: str, holds: Callable[[Bars], NDArray[np.bool_]]) -> Indicator:
    return declare(
        f"{name}_{days}",
        UNITLESS,
        f"share of the last {days} days {words}",
        days,
        source,
        lambda bars: mean(_from_second(holds(bars)), days),
    )


def _inside(bars: Bars) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (bars.high_T < before(bars.high_T, 1)) & (bars.low_T > before(bars.low_T, 1))
    return inside


A50 = (
    declare(
        "gap",
        UNITLESS,
        "logarithm of Open over the Close before",
        1,
        "definition",
        gap,
    ),
    declare(
        "close_place",
        UNITLESS,
        "place of Close between the day's Low (0) and High (1); one half where they are one price",
        0,
        "close location value",
        close_place,
    ),
    declare(
        "candle_body",
        UNITLESS,
        "(Close - Open) / (High - Low); 0 where High = Low",
        0,
        "TA-Lib BOP",
        body,
    ),
)
A100 = (
    declare(
        "upper_shadow",
        UNITLESS,
        "(High - the higher of Open and Close) / (High - Low); 0 where High = Low",
        0,
        "definition",
        upper_shadow,
    ),
    declare(
        "lower_shadow",
        UNITLESS,
        "(the lower of Open and Close - Low) / (High - Low); 0 where High = Low",
        0,
        "definition",
        lower_shadow,
    ),
    declare(
        "range_to_atr_14",
        UNITLESS,
        "true range of the day over the average true range of 14 days; 0 where that is 0",
        14,
        "TA-Lib TRANGE and ATR",
        lambda bars: ratio(true_range(bars), talib("ATR", bars.high_T, bars.low_T, bars.close_T, timeperiod=14)),
    ),
    _share(
        "up_days",
        21,
        "whose Close was above the Close before",
        "definition",
        lambda bars: bars.close_T > before(bars.close_T, 1),
    ),
    declare(
        "streak",
        BOUNDED,
        f"days in a row that Close rose (above 0) or fell (below 0), at most {_LONGEST_STREAK}",
        1,
        "Connors",
        streak,
        scale=float(_LONGEST_STREAK),
    ),
)
A200 = (
    declare(
        "candle_body_mean_5",
        UNITLESS,
        "mean of candle_body over 5 days",
        4,
        "definition",
        lambda bars: mean(body(bars), 5),
    ),
    declare(
        "close_place_mean_10",
        UNITLESS,
        "mean of close_place over 10 days",
        9,
        "definition",
        lambda bars: mean(close_place(bars), 10),
    ),
    declare(
        "upper_shadow_mean_10",
        UNITLESS,
        "mean of upper_shadow over 10 days",
        9,
        "definition",
        lambda bars: mean(upper_shadow(bars), 10),
    ),
    declare(
        "lower_shadow_mean_10",
        UNITLESS,
        "mean of lower_shadow over 10 days",
        9,
        "definition",
        lambda bars: mean(lower_shadow(bars), 10),
    ),
    _share("inside_days", 20, "that stayed within the range of the day before", "inside bars", _inside),
    _share(
        "higher_highs",
        20,
        "whose High was above the High before",
        "definition",
        lambda bars: bars.high_T > before(bars.high_T, 1),
    ),
    _share(
        "higher_lows",
        20,
        "whose Low was above the Low before",
        "definition",
        lambda bars: bars.low_T > before(bars.low_T, 1),
    ),
    declare(
        "gap_size_mean_21",
        UNITLESS,
        "mean size of the gap over 21 days",
        21,
        "definition",
        lambda bars: mean(np.abs(gap(bars)), 21),
    ),
    declare(
        "gap_filled_21",
        UNITLESS,
        "share of the gaps of 21 days that the same day traded back; 0 where there was none",
        21,
        "definition",
        lambda bars: _gap_filled(bars, 21),
    ),
    declare(
        "heikin_ashi_body",
        UNITLESS,
        "(close - open) of the Heikin-Ashi candle over Close",
        0,
        "Heikin-Ashi",
        heikin_ashi_body,
    ),
)
