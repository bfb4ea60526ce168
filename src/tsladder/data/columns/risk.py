"""Features of risk-adjusted return, drawdowns and tails, from Closes and daily returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import UNITLESS, Indicator, declare
from tsladder.data.columns.returns import daily_returns
from tsladder.data.columns.volatility import downside
from tsladder.data.rolling import Column, highest, log_ratio, lowest, mean, ratio, rolling, spread, total

_LIMIT = 10.0


def sharpe(bars: Bars, days: int) -> Column:
    return_T = daily_returns(bars)
    return ratio(mean(return_T, days), spread(return_T, days))


def sortino(bars: Bars, days: int) -> Column:
    return _limited(mean(daily_returns(bars), days), downside(bars, days))


def _limited(gain_T: Column, risk_T: Column) -> Column:
    """Return gain / risk clipped to -10 .. 10, so that a window without a loss has a value, too; 0 / 0 is 0."""
    return ratio(gain_T, np.maximum(risk_T, np.abs(gain_T) / _LIMIT))


def drawdown(bars: Bars, days: int) -> Column:
    """Return Close over the highest Close of the last `days` days, less 1."""
    return np.asarray(bars.close_T / highest(bars.close_T, days) - 1.0)


def max_drawdown(bars: Bars, days: int) -> Column:
    def reduce(close_TD: Column) -> Column:
        return np.asarray((close_TD / np.maximum.accumulate(close_TD, axis=1)).min(axis=1) - 1.0)

    return rolling(days, reduce, bars.close_T)


def _ulcer_index(bars: Bars, days: int) -> Column:
    return np.sqrt(mean(drawdown(bars, days) ** 2, days))


def _gain_share(bars: Bars, days: int) -> Column:
    return_T = daily_returns(bars)
    return ratio(total(np.maximum(return_T, 0.0), days), total(np.abs(return_T), days), 0.5)


def _quantile(level: float) -> Callable[[Column], Column]:
    return lambda x_TD: np.asarray(np.quantile(x_TD, level, axis=1))


def _shortfall(x_TD: Column) -> Column:
    worst = max(x_TD.shape[1] // 20, 1)
    return np.asarray(np.sort(x_TD, axis=1)[:, :worst].mean(axis=1))


def _tail_ratio(bars: Bars, days: int) -> Column:
    return_T = daily_returns(bars)
    right_T, left_T = (np.abs(rolling(days, _quantile(level), return_T)) for level in (0.95, 0.05))
    return ratio(right_T - left_T, right_T + left_T)


def _sharpe(days: int) -> Indicator:
    words = f"mean over standard deviation of daily returns, {days} days; 0 where they do not vary"
    return declare(f"sharpe_{days}", UNITLESS, words, days, "Sharpe 1966, daily", lambda bars: sharpe(bars, days))


def _sortino(days: int) -> Indicator:
    words = f"mean of daily returns over the root mean square of the falls, {days} days, cut at -10 and 10; 0 for 0 / 0"
    return declare(f"sortino_{days}", UNITLESS, words, days, "Sortino, daily", lambda bars: sortino(bars, days))


def _max_drawdown(days: int) -> Indicator:
    return declare(
        f"max_drawdown_{days}",
        UNITLESS,
        f"deepest fall of Close from a Close before it, within the last {days} days, as a share (0 or below)",
        days - 1,
        "definition",
        lambda bars: max_drawdown(bars, days),
    )


A50 = (
    _sharpe(20),
    _sharpe(60),
    _sortino(20),
    _sortino(60),
    declare(
        "drawdown_252",
        UNITLESS,
        "Close over the highest Close of 252 days, less 1",
        251,
        "definition",
        lambda bars: drawdown(bars, 252),
    ),
)
A200 = (
    _sharpe(120),
    _sharpe(252),
    _max_drawdown(63),
    _max_drawdown(252),
    declare(
        "ulcer_index_14",
        UNITLESS,
        "root mean square over 14 days of the fall from the highest Close of 14 days",
        26,
        "Martin",
        lambda bars: _ulcer_index(bars, 14),
    ),
    declare(
        "gain_share_63",
        UNITLESS,
        "sum of the rises over the sum of the sizes of all daily returns, 63 days; one half where Close stood still",
        63,
        "Omega ratio about 0, as a share",
        lambda bars: _gain_share(bars, 63),
    ),
    declare(
        "value_at_risk_63",
        UNITLESS,
        "5 % quantile of the daily returns of 63 days",
        63,
        "historical value at risk",
        lambda bars: rolling(63, _quantile(0.05), daily_returns(bars)),
    ),
    declare(
        "expected_shortfall_126",
        UNITLESS,
        "mean of the worst twentieth (6) of the daily returns of 126 days",
        126,
        "historical expected shortfall",
        lambda bars: rolling(126, _shortfall, daily_returns(bars)),
    ),
    declare(
        "tail_asymmetry_126",
        UNITLESS,
        "(|95 % quantile| - |5 % quantile|) / their sum, of the daily returns of 126 days; 0 where both are 0",
        126,
        "tail ratio, as a difference over the sum",
        lambda bars: _tail_ratio(bars, 126),
    ),
    declare(
        "calmar_126",
        UNITLESS,
        "return over 126 days over the deepest fall within them, cut at -10 and 10; 0 for 0 / 0",
        126,
        "Calmar ratio, not annualised",
        lambda bars: _limited(log_ratio(bars.close_T, 126), -max_drawdown(bars, 127)),
    ),
    declare(
        "rise_from_low_252",
        UNITLESS,
        "Close over the lowest Close of 252 days, less 1",
        251,
        "definition",
        lambda bars: bars.close_T / lowest(bars.close_T, 252) - 1.0,
    ),
)
