"""Volatility of daily returns: its level, slope, sides and jumps. Not annualised; 0 where Close is constant."""

from __future__ import annotations

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import UNITLESS, Indicator, declare
from tsladder.data.columns.returns import daily_returns
from tsladder.data.rolling import (
    Column,
    before,
    exponential_mean,
    ratio,
    rolling,
    root_mean_square,
    share_at_most,
    slope,
    spread,
    total,
)


def realised(bars: Bars, days: int) -> Column:
    """Return the standard deviation of the daily returns of the last `days` days."""
    return spread(daily_returns(bars), days)


def _realised(days: int) -> Indicator:
    return declare(
        f"realised_vol_{days}",
        UNITLESS,
        f"standard deviation of daily returns over {days} days",
        days,
        "definition",
        lambda bars: realised(bars, days),
    )


def _realised_slope(days: int) -> Indicator:
    return declare(
        f"realised_vol_slope_{days}",
        UNITLESS,
        f"least-squares slope per day, over {days} days, of the realised volatility of {days} days",
        2 * days - 1,
        "definition",
        lambda bars: slope(realised(bars, days), days),
    )


def _ratio(fast: int, slow: int) -> Indicator:
    return declare(
        f"realised_vol_ratio_{fast}_{slow}",
        UNITLESS,
        f"realised volatility of {fast} days over that of {slow} days; 0 where Close stood still for {slow} days",
        slow,
        "definition",
        lambda bars: ratio(realised(bars, fast), realised(bars, slow)),
    )


def _ewma(decay: float) -> Indicator:
    return declare(
        f"ewma_vol_{decay * 100:.0f}",
        UNITLESS,
        f"root of the mean squared daily return, weights falling by {decay:g} a day",
        1,
        "RiskMetrics 1996",
        lambda bars: np.sqrt(exponential_mean(daily_returns(bars) ** 2, decay)),
    )


def upside(bars: Bars, days: int) -> Column:
    """Return the root mean square of the rises; falls count as 0."""
    return root_mean_square(np.maximum(daily_returns(bars), 0.0), days)


def downside(bars: Bars, days: int) -> Column:
    """Return the root mean square of the falls; rises count as 0."""
    return root_mean_square(np.minimum(daily_returns(bars), 0.0), days)


def _asymmetry(bars: Bars, days: int) -> Column:
    up_T, down_T = upside(bars, days), downside(bars, days)
    return ratio(up_T - down_T, up_T + down_T)


def _jump_share(bars: Bars, days: int) -> Column:
    return_T = daily_returns(bars)
    neighbours_T = np.abs(return_T) * np.abs(before(return_T, 1))
    smooth_T = np.pi / 2.0 * total(neighbours_T, days)
    whole_T = total(return_T**2, days)
    return np.maximum(ratio(whole_T - smooth_T, whole_T), 0.0)


def _typical(x_TD: Column) -> Column:
    return np.asarray(np.median(np.abs(x_TD), axis=1))


A50 = (_realised(21), _realised(63), _realised_slope(21))
A100 = (
    _realised(5),
    _realised(126),
    _ratio(5, 63),
    _ewma(0.94),
    declare(
        "downside_vol_21",
        UNITLESS,
        "root of the mean squared daily return over 21 days, rises counted as 0",
        21,
        "semideviation about 0",
        lambda bars: downside(bars, 21),
    ),
    declare(
        "vol_of_vol_21",
        UNITLESS,
        "standard deviation over 21 days of the realised volatility of 5 days",
        25,
        "definition",
        lambda bars: spread(realised(bars, 5), 21),
    ),
)
A200 = (
    _realised(10),
    _realised(252),
    _realised_slope(63),
    declare(
        "realised_vol_percentile_126",
        UNITLESS,
        "share of the last 126 days on which the realised volatility of 21 days was at most today's",
        146,
        "definition",
        lambda bars: share_at_most(realised(bars, 21), 126),
    ),
    declare(
        "typical_move_63",
        UNITLESS,
        "median size of the daily return over 63 days",
        63,
        "definition",
        lambda bars: rolling(63, _typical, daily_returns(bars)),
    ),
    declare(
        "vol_asymmetry_63",
        UNITLESS,
        "(upside - downside) / (upside + downside) volatility of 63 days; 0 where Close stood still",
        63,
        "definition",
        lambda bars: _asymmetry(bars, 63),
    ),
    declare(
        "jump_share_21",
        UNITLESS,
        "share of 21 days' squared returns that neighbouring days do not confirm: 1 - bipower / realised variation, "
        "not below 0; 0 where Close stood still",
        22,
        "Barndorff-Nielsen and Shephard 2004",
        lambda bars: _jump_share(bars, 21),
    ),
    _ratio(21, 252),
)
