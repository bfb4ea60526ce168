"""Features of the shape of a stretch of days: skewness, order, memory, trend."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import UNITLESS, Indicator, declare, smoothed
from tsladder.data.columns.returns import daily_returns
from tsladder.data.rolling import (
    Column,
    before,
    change,
    correlation,
    log_ratio,
    mean,
    ratio,
    rolling,
    slope_of,
    spread,
    spread_of,
)


def permutation_entropy(x_T: Column, days: int, order: int) -> Column:
    """Return the entropy, 0 to 1, of the order patterns of `order` neighbouring values over the last `days` of them.

    Equal values are ordered by time. Bandt and Pompe 2002.
    """
    patterns = {pattern: number for number, pattern in enumerate(itertools.permutations(range(order)))}
    pattern_T = rolling(order, lambda x_TD: _pattern_numbers(x_TD, patterns), x_T)

    def entropy(pattern_TD: Column) -> Column:
        share_PT = np.stack([(pattern_TD == number).mean(axis=1) for number in range(len(patterns))])
        logs_PT = np.log(share_PT, out=np.zeros_like(share_PT), where=share_PT > 0.0)
        return np.asarray(0.0 - (share_PT * logs_PT).sum(axis=0) / np.log(len(patterns)))

    return rolling(days, entropy, pattern_T)


def _pattern_numbers(x_TD: Column, patterns: dict[tuple[int, ...], int]) -> Column:
    base = x_TD.shape[1]
    codes = np.full(base**base, np.nan)
    for pattern, number in patterns.items():
        codes[sum(place * base**power for power, place in enumerate(pattern))] = number
    ranks_TD = np.argsort(x_TD, axis=1, kind="stable")
    numbers_T: Column = codes[(ranks_TD * base ** np.arange(base)).sum(axis=1)]
    return numbers_T


def autocorrelation(x_T: Column, days: int) -> Column:
    """Return the correlation of `days` pairs of a value and the one before; 0 where the values are constant."""
    return correlation(x_T, before(x_T, 1), days)


def standard_moment(x_T: Column, days: int, power: Literal[3, 4]) -> Column:
    """Return the mean of the `power`-th power over that power of the standard deviation; 0 where the values are
    constant."""

    def reduce(x_TD: Column) -> Column:
        centred_TD = x_TD - x_TD.mean(axis=1, keepdims=True)
        raised_TD = centred_TD * centred_TD
        # Products: numpy's power of three takes ten times as long.
        raised_TD = raised_TD * (centred_TD if power == 3 else raised_TD)
        return ratio(raised_TD.mean(axis=1), spread_of(x_TD, 0) ** power)

    return rolling(days, reduce, x_T)


def _log_path(close_TD: Column) -> Column:
    """Return the log prices of a window relative to its last; exactly 0 throughout where Close is constant."""
    return np.asarray(np.log(close_TD / close_TD[:, -1:]))


def trend(close_T: Column, days: int) -> Column:
    return rolling(days, lambda close_TD: slope_of(_log_path(close_TD)), close_T)


def trend_fit(close_T: Column, days: int) -> Column:
    """Return R² of the line through log Close; 0 where Close is constant."""

    def reduce(close_TD: Column) -> Column:
        path_TD = _log_path(close_TD)
        line_T = slope_of(path_TD) * np.arange(days).std()
        return ratio(line_T**2, spread_of(path_TD, 0) ** 2)

    return rolling(days, reduce, close_T)


def variance_ratio(bars: Bars, step: int, days: int) -> Column:
    """Return the variance of `step`-day returns over `step` times that of daily ones, less 1; 0 where Close is
    constant."""
    long_T, short_T = spread(log_ratio(bars.close_T, step), days), spread(daily_returns(bars), days)
    return ratio(long_T**2 - step * short_T**2, step * short_T**2)


def _turns(close_T: Column, days: int) -> Column:
    """Return the share of days on which the day before turns out to have been a peak or a trough of Close."""
    moved_T = change(close_T)
    both_T = moved_T * before(moved_T, 1)
    return mean(np.where(np.isnan(both_T), np.nan, both_T < 0.0), days)


def _entropy(days: int, order: int) -> Indicator:
    return declare(
        f"permutation_entropy_{days}",
        UNITLESS,
        f"entropy of the order patterns of {order} neighbouring Closes over {days} patterns, 0 to 1",
        days + order - 2,
        "Bandt and Pompe 2002",
        lambda bars: permutation_entropy(bars.close_T, days, order),
    )


def _autocorrelation(days: int) -> Indicator:
    return declare(
        f"autocorrelation_{days}",
        UNITLESS,
        f"correlation of a daily return and the one before, {days} pairs; 0 where they stand still",
        days + 1,
        "Pearson",
        lambda bars: autocorrelation(daily_returns(bars), days),
    )


def _moment(name: str, power: Literal[3, 4], days: int, words: str) -> Indicator:
    return declare(
        f"{name}_{days}",
        UNITLESS,
        f"{words} of the daily returns of {days} days; 0 where they stand still",
        days,
        "definition",
        lambda bars: standard_moment(daily_returns(bars), days, power),
    )


def _efficiency(days: int) -> Indicator:
    return declare(
        f"efficiency_ratio_{days}",
        UNITLESS,
        f"size of Close's change over {days} days over the summed sizes of its daily changes; 1 where it stands still",
        days,
        "TA-Lib ER",
        lambda bars: smoothed("ER", bars.close_T, days),
    )


def _trend_fit(days: int) -> Indicator:
    return declare(
        f"trend_fit_{days}",
        UNITLESS,
        f"R² of a line through the logarithms of {days} Closes; 0 where Close stands still",
        days - 1,
        "least squares",
        lambda bars: trend_fit(bars.close_T, days),
    )


A100 = (_entropy(63, 3), _autocorrelation(21), _efficiency(10))
A200 = (
    _moment("skew", 3, 21, "skewness"),
    _moment("skew", 3, 126, "skewness"),
    _moment("kurtosis", 4, 63, "kurtosis (3 for a normal distribution)"),
    _entropy(126, 4),
    _autocorrelation(63),
    declare(
        "move_autocorrelation_63",
        UNITLESS,
        "correlation of the size of a daily return and the one before, 63 pairs; 0 where they stand still",
        64,
        "Pearson",
        lambda bars: autocorrelation(np.abs(daily_returns(bars)), 63),
    ),
    declare(
        "variance_ratio_5_63",
        UNITLESS,
        "variance of 5-day returns over 5 times that of daily returns, 63 of each, less 1; 0 where Close stands still",
        67,
        "Lo and MacKinlay 1988",
        lambda bars: variance_ratio(bars, 5, 63),
    ),
    _efficiency(63),
    declare(
        "trend_63",
        UNITLESS,
        "least-squares slope per day of the logarithm of Close over 63 days",
        62,
        "least squares",
        lambda bars: trend(bars.close_T, 63),
    ),
    _trend_fit(21),
    _trend_fit(63),
    declare(
        "turns_21",
        UNITLESS,
        "share of the last 21 days on which Close moved against the move of the day before",
        22,
        "definition",
        lambda bars: _turns(bars.close_T, 21),
    ),
)
