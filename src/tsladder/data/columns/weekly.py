"""Features of weekly closes, of completed weeks only: they change on the first day of the next week."""

from __future__ import annotations

from tsladder.data.columns.declaration import UNITLESS, Indicator, declare, smoothed
from tsladder.data.formulas import on_completed_weeks
from tsladder.data.rolling import Column, log_ratio, spread

_WEEK = 5


def _return(weeks: int) -> Indicator:
    return declare(
        f"weekly_return_{weeks}",
        UNITLESS,
        f"return over {weeks} week{'s' if weeks > 1 else ''} of weekly closes, weeks that have ended only",
        (weeks + 1) * _WEEK,
        "definition on ISO weeks",
        lambda bars: on_completed_weeks(bars, lambda close_W: log_ratio(close_W, weeks)),
    )


def _distance(close_W: Column) -> Column:
    return close_W / smoothed("SMA", close_W, 10) - 1.0


A200 = (
    *(_return(weeks) for weeks in (1, 4, 13)),
    declare(
        "weekly_vol_13",
        UNITLESS,
        "standard deviation of 13 weekly returns, weeks that have ended only",
        14 * _WEEK,
        "definition on ISO weeks",
        lambda bars: on_completed_weeks(bars, lambda close_W: spread(log_ratio(close_W, 1), 13)),
    ),
    declare(
        "weekly_distance_sma_10",
        UNITLESS,
        "weekly close over its mean of 10 weeks, less 1, weeks that have ended only",
        10 * _WEEK,
        "TA-Lib SMA on ISO weeks",
        lambda bars: on_completed_weeks(bars, _distance),
    ),
)
