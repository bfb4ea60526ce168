"""Which columns each feature tier has; every column is declared once, with its unit, look-back and formula.

Definitions are TA-Lib's (https://ta-lib.org/functions/) unless a column's `source` says otherwise. A larger
tier is a smaller one plus further declarations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tsladder.market.bars import Bars
from tsladder.market.features import ColumnKind, FeatureColumn
from tsladder.market.formulas import Column, bollinger_b, on_completed_weeks, stoch_rsi, vwap
from tsladder.params import DataParams

_WEEK = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Indicator:
    """A column and the function that fills it: T bars in, T values out, NaN before the first."""

    column: FeatureColumn
    fill: Callable[[Bars], Column]
    needs_volume: bool = False


def tier_indicators(data: DataParams) -> tuple[Indicator, ...]:
    """The columns of `data.tier` in order: its indicators, then OHLCV while `data.ohlcv`."""
    return TIERS[data.tier] + (OHLCV if data.ohlcv else ())


def _talib(function: str, *series: Column, **options: int) -> Any:
    """TA-Lib, imported when a column is filled: it brings pandas along, and naming columns must stay fast."""
    import talib

    return getattr(talib, function)(*series, **options)


def _declare(
    name: str,
    kind: ColumnKind,
    words: str,
    look_back: int,
    source: str,
    fill: Callable[[Bars], Column],
    *,
    scale: float = 1.0,
    needs_volume: bool = False,
) -> Indicator:
    column = FeatureColumn(name=name, kind=kind, words=words, look_back=look_back, source=source, scale=scale)
    return Indicator(column=column, fill=fill, needs_volume=needs_volume)


def _dema(days: int) -> Indicator:
    return _declare(
        f"dema_{days}",
        ColumnKind.PRICE,
        f"double exponential moving average of Close over {days} days",
        2 * (days - 1),
        "TA-Lib DEMA",
        lambda bars: _talib("DEMA", bars.close_T, timeperiod=days),
    )


def _sma(days: int) -> Indicator:
    return _declare(
        f"sma_{days}",
        ColumnKind.PRICE,
        f"mean of Close over {days} days",
        days - 1,
        "TA-Lib SMA",
        lambda bars: _talib("SMA", bars.close_T, timeperiod=days),
    )


def _rsi(close_T: Column) -> Column:
    rsi_T: Column = _talib("RSI", close_T, timeperiod=14)
    return rsi_T


_MOMENTUM = (
    _declare(
        "rsi_14",
        ColumnKind.BOUNDED,
        "relative strength index of Close over 14 days, 0 to 100",
        14,
        "TA-Lib RSI",
        lambda bars: _rsi(bars.close_T),
        scale=100.0,
    ),
    _declare(
        "stochrsi_14",
        ColumnKind.BOUNDED,
        "place of the RSI (14) in its range of 5 days, fast-K, 0 to 100",
        20,
        "TA-Lib STOCHRSI (14, 5, 3)",
        lambda bars: stoch_rsi(bars.close_T),
        scale=100.0,
    ),
    _declare(
        "weekly_rsi_14",
        ColumnKind.BOUNDED,
        "RSI (14) of weekly closes, weeks that have ended only",
        15 * _WEEK,
        "TA-Lib RSI on ISO weeks",
        lambda bars: on_completed_weeks(bars, _rsi),
        scale=100.0,
    ),
    _declare(
        "weekly_stochrsi_14",
        ColumnKind.BOUNDED,
        "StochRSI fast-K (14, 5, 3) of weekly closes, weeks that have ended only",
        21 * _WEEK,
        "TA-Lib STOCHRSI on ISO weeks",
        lambda bars: on_completed_weeks(bars, stoch_rsi),
        scale=100.0,
    ),
)

_TREND_AND_VOLUME = (
    _declare(
        "macd",
        ColumnKind.RANGE,
        "exponential average of Close over 12 days less that over 26 (signal 9)",
        33,
        "TA-Lib MACD, the line",
        lambda bars: _talib("MACD", bars.close_T, fastperiod=12, slowperiod=26, signalperiod=9)[0],
    ),
    _declare(
        "obv",
        ColumnKind.VOLUME,
        "on-balance volume: Volume added on rising and taken off on falling Closes",
        0,
        "TA-Lib OBV",
        lambda bars: _talib("OBV", bars.close_T, bars.volume_T),
        needs_volume=True,
    ),
    _declare(
        "adosc",
        ColumnKind.VOLUME,
        "Chaikin oscillator: accumulation line, fast (3) less slow (10) average",
        9,
        "TA-Lib ADOSC",
        lambda bars: _talib("ADOSC", bars.high_T, bars.low_T, bars.close_T, bars.volume_T, fastperiod=3, slowperiod=10),
        needs_volume=True,
    ),
    _declare(
        "atr_14",
        ColumnKind.RANGE,
        "average true range over 14 days",
        14,
        "TA-Lib ATR",
        lambda bars: _talib("ATR", bars.high_T, bars.low_T, bars.close_T, timeperiod=14),
    ),
    _declare(
        "adx_14",
        ColumnKind.BOUNDED,
        "average directional index over 14 days, 0 to 100",
        27,
        "TA-Lib ADX",
        lambda bars: _talib("ADX", bars.high_T, bars.low_T, bars.close_T, timeperiod=14),
        scale=100.0,
    ),
    _declare(
        "bollinger_b",
        ColumnKind.BOUNDED,
        "place of Close between its Bollinger bands (20 days, 2 sd): 0 lower, 1 upper",
        19,
        "TA-Lib BBANDS",
        bollinger_b,
    ),
    _declare(
        "vwap_20",
        ColumnKind.PRICE,
        "sum of Close x Volume over sum of Volume, 20 days",
        19,
        "definition",
        vwap,
        needs_volume=True,
    ),
)


def _raw(name: str) -> Indicator:
    traded = name == "volume"
    return _declare(
        name,
        ColumnKind.VOLUME if traded else ColumnKind.PRICE,
        f"{name.capitalize()} of the day",
        0,
        "bars",
        lambda bars: getattr(bars, f"{name}_T"),
        needs_volume=traded,
    )


A20 = (
    *(_dema(days) for days in (9, 10, 20, 25, 90)),
    *(_sma(days) for days in (12, 50, 100, 200)),
    *_MOMENTUM,
    *_TREND_AND_VOLUME,
)
OHLCV = tuple(_raw(name) for name in ("open", "high", "low", "close", "volume"))
# a25 is a20 counted together with OHLCV, which `data.ohlcv` adds to every tier.
TIERS = {"a20": A20, "a25": A20}
