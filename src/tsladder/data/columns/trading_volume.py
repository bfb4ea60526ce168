"""Features of volume against its own past and with the price, free of its unit and defined on days without trade."""

from __future__ import annotations

import numpy as np

from tsladder.artifacts.features import ColumnKind
from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import BOUNDED, UNITLESS, Fill, Indicator, declare, smoothed, talib
from tsladder.data.columns.returns import daily_returns
from tsladder.data.rolling import (
    Column,
    change,
    correlation,
    days_since,
    mean,
    ratio,
    share_at_most,
    spread,
    total,
)


def _declare(
    name: str, words: str, look_back: int, source: str, fill: Fill, *, kind: ColumnKind = UNITLESS, scale: float = 1.0
) -> Indicator:
    return declare(name, kind, words, look_back, source, fill, scale=scale, needs_volume=True)


def relative_volume(bars: Bars, days: int) -> Column:
    return ratio(bars.volume_T, mean(bars.volume_T, days), 1.0)


def signed_volume_share(bars: Bars, days: int) -> Column:
    """Return the change of on-balance volume over the volume of the same days."""
    signed_T = np.sign(change(bars.close_T)) * bars.volume_T
    return ratio(total(signed_T, days), total(bars.volume_T, days))


def _force(bars: Bars) -> Column:
    force_T = change(bars.close_T) * bars.volume_T
    return ratio(smoothed("EMA", force_T, 13), smoothed("EMA", np.abs(force_T), 13))


def _volume_weighted_return(bars: Bars, days: int) -> Column:
    return ratio(total(daily_returns(bars) * bars.volume_T, days), total(bars.volume_T, days))


def _amihud_ratio(bars: Bars, fast: int, slow: int) -> Column:
    """Return the illiquidity |return| / (Close x Volume) of few days against that of more; a day without trade counts
    as 0."""
    illiquid_T = ratio(np.abs(daily_returns(bars)), bars.close_T * bars.volume_T)
    return ratio(mean(illiquid_T, fast), mean(illiquid_T, slow), 1.0)


def _ease_of_movement(bars: Bars) -> Column:
    middle_T = (bars.high_T + bars.low_T) / 2.0
    moved_T = change(middle_T) / bars.close_T * (bars.high_T - bars.low_T) / bars.close_T
    return mean(ratio(moved_T, relative_volume(bars, 60)), 14)


def _return_on(bars: Bars, days: int, *, busier: bool) -> Column:
    """Return the sum of the returns of the days with more (or less) volume than the day before."""
    more_T = change(bars.volume_T)
    chosen_T = more_T > 0.0 if busier else more_T < 0.0
    return total(daily_returns(bars) * chosen_T, days)


A50 = (
    _declare(
        "volume_ratio_20",
        "Volume over its mean of 20 days; 1 where nothing was traded",
        19,
        "relative volume",
        lambda bars: relative_volume(bars, 20),
    ),
    _declare(
        "mfi_14",
        "share of the money flow of 14 days that came on days of a rising typical price, 0 to 100; 0 where none flowed",
        14,
        "TA-Lib MFI",
        lambda bars: talib("MFI", bars.high_T, bars.low_T, bars.close_T, bars.volume_T, timeperiod=14),
        kind=BOUNDED,
        scale=100.0,
    ),
)
A100 = (
    _declare(
        "volume_ratio_5",
        "Volume over its mean of 5 days; 1 where nothing was traded",
        4,
        "relative volume",
        lambda bars: relative_volume(bars, 5),
    ),
    _declare(
        "volume_trend_5_60",
        "mean Volume of 5 days over that of 60 days; 1 where nothing was traded",
        59,
        "definition",
        lambda bars: ratio(mean(bars.volume_T, 5), mean(bars.volume_T, 60), 1.0),
    ),
    _declare(
        "chaikin_money_flow_20",
        "Volume weighed by the place of Close in the day's range (-1 to 1) over Volume, 20 days; 0 where none traded",
        19,
        "TA-Lib CMF",
        lambda bars: talib("CMF", bars.high_T, bars.low_T, bars.close_T, bars.volume_T, timeperiod=20),
    ),
    _declare(
        "signed_volume_20",
        "Volume of rising less that of falling days over all Volume, 20 days (OBV's change); 0 where none traded",
        20,
        "Granville, as a share",
        lambda bars: signed_volume_share(bars, 20),
    ),
    _declare(
        "force_index_13",
        "exponential average (13) of the change of Close times Volume over that of its size; 0 where there was none",
        13,
        "Elder, as a share",
        _force,
    ),
)
A200 = (
    _declare(
        "volume_trend_20_120",
        "mean Volume of 20 days over that of 120 days; 1 where nothing was traded",
        119,
        "definition",
        lambda bars: ratio(mean(bars.volume_T, 20), mean(bars.volume_T, 120), 1.0),
    ),
    _declare(
        "volume_variation_20",
        "standard deviation over mean of Volume, 20 days; 0 where nothing was traded",
        19,
        "coefficient of variation",
        lambda bars: ratio(spread(bars.volume_T, 20), mean(bars.volume_T, 20)),
    ),
    _declare(
        "volume_percentile_126",
        "share of the last 126 days whose Volume was at most today's",
        125,
        "definition",
        lambda bars: share_at_most(bars.volume_T, 126),
    ),
    _declare(
        "return_volume_correlation_21",
        "correlation of daily return and Volume over 21 days; 0 where one stands still",
        21,
        "Pearson",
        lambda bars: correlation(daily_returns(bars), bars.volume_T, 21),
    ),
    _declare(
        "move_volume_correlation_63",
        "correlation of the size of the daily return and Volume over 63 days; 0 where one stands still",
        63,
        "Pearson",
        lambda bars: correlation(np.abs(daily_returns(bars)), bars.volume_T, 63),
    ),
    _declare(
        "amihud_ratio_5_63",
        "mean of |return| / (Close x Volume) over 5 days against that over 63 days; a day without trade counts as 0; "
        "1 where all are",
        63,
        "Amihud 2002, as a ratio",
        lambda bars: _amihud_ratio(bars, 5, 63),
    ),
    _declare(
        "ease_of_movement_14",
        "mean over 14 days of (change of (High + Low) / 2) x (High - Low) / Close^2 over relative Volume (60 days); a "
        "day without trade counts as 0",
        72,
        "Arms, in shares of the price",
        _ease_of_movement,
    ),
    _declare(
        "volume_weighted_return_21",
        "mean daily return of 21 days weighed by Volume; 0 where nothing was traded",
        21,
        "price and volume trend, as a mean",
        lambda bars: _volume_weighted_return(bars, 21),
    ),
    _declare(
        "busy_day_return_63",
        "sum of the daily returns of those of 63 days that saw more Volume than the day before",
        63,
        "positive volume index, its change",
        lambda bars: _return_on(bars, 63, busier=True),
    ),
    _declare(
        "quiet_day_return_63",
        "sum of the daily returns of those of 63 days that saw less Volume than the day before",
        63,
        "negative volume index, its change",
        lambda bars: _return_on(bars, 63, busier=False),
    ),
    _declare(
        "days_since_volume_high_63",
        "days since the largest Volume of the last 63 days, the latest where it was met again",
        62,
        "definition",
        lambda bars: days_since(bars.volume_T, 63, np.argmax),
        kind=BOUNDED,
        scale=62.0,
    ),
)
