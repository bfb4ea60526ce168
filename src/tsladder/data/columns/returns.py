"""Features of returns of Close over one day to one year. All are logarithms, and exactly 0 between equal Closes."""

from __future__ import annotations

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import UNITLESS, Indicator, declare
from tsladder.data.rolling import Column, before, change, highest, log_ratio, lowest

MONTH, YEAR = 21, 252


def daily_returns(bars: Bars) -> Column:
    return log_ratio(bars.close_T, 1)


def _return(days: int) -> Indicator:
    return declare(
        f"return_{days}",
        UNITLESS,
        f"logarithm of Close over the Close {days} day{'s' if days > 1 else ''} before",
        days,
        "definition",
        lambda bars: log_ratio(bars.close_T, days),
    )


def _acceleration(days: int) -> Indicator:
    return declare(
        f"acceleration_{days}",
        UNITLESS,
        f"return over {days} days less the return over the {days} days before those",
        2 * days,
        "definition",
        lambda bars: change(log_ratio(bars.close_T, days), days),
    )


A50 = tuple(_return(days) for days in (1, 5, MONTH, 63, YEAR))
A100 = (
    *(_return(days) for days in (2, 10, 126)),
    declare(
        "momentum_252_21",
        UNITLESS,
        "return of the year that ended 21 days ago: the last month, which tends to turn back, is left out",
        YEAR,
        "Jegadeesh and Titman 1993, as used by Fama and French",
        lambda bars: before(log_ratio(bars.close_T, YEAR - MONTH), MONTH),
    ),
)
A200 = (
    *(_return(days) for days in (42, 189)),
    *(_acceleration(days) for days in (5, MONTH)),
    declare(
        "best_day_21",
        UNITLESS,
        "largest daily return of the last 21 days",
        MONTH,
        "Bali, Cakici and Whitelaw 2011 (MAX)",
        lambda bars: highest(daily_returns(bars), MONTH),
    ),
    declare(
        "worst_day_21",
        UNITLESS,
        "smallest daily return of the last 21 days",
        MONTH,
        "definition",
        lambda bars: lowest(daily_returns(bars), MONTH),
    ),
)
