"""The twenty columns of the smallest tier, and OHLCV. Definitions are TA-Lib's (https://ta-lib.org/functions/) unless a
column's `source` says otherwise."""

from __future__ import annotations

from tsladder.data.columns.declaration import BOUNDED, PRICE, RANGE, VOLUME, Indicator, declare, talib
from tsladder.data.formulas import bollinger_b, on_completed_weeks, stoch_rsi, vwap
from tsladder.data.rolling import Column

_WEEK = 5


def _dema(days: int) -> Indicator:
    return declare(
        f"dema_{days}",
        PRICE,
        f"double exponential moving average of Close over {days} days",
        2 * (days - 1),
        "TA-Lib DEMA",
        lambda bars: talib("DEMA", bars.close_T, timeperiod=days),
    )


def _sma(days: int) -> Indicator:
    return declare(
        f"sma_{days}",
        PRICE,
        f"mean of Close over {days} days",
        days - 1,
        "TA-Lib SMA",
        lambda bars: talib("SMA", bars.close_T, timeperiod=days),
    )


def _rsi(close_T: Column) -> Column:
    rsi_T: Column = talib("RSI", close_T, timeperiod=14)
    return rsi_T


_MOMENTUM = (
    declare(
        "rsi_14",
        BOUNDED,
        "relative strength index of Close over 14 days, 0 to 100",
        14,
        "TA-Lib RSI",
        lambda bars: _rsi(bars.close_T),
        scale=100.0,
    ),
    declare(
        "stochrsi_14",
        BOUNDED,
        "place of the RSI (14) in its range of 5 days, fast-K, 0 to 100",
        20,
        "TA-Lib STOCHRSI (14, 5, 3)",
        lambda bars: stoch_rsi(bars.close_T),
        scale=100.0,
    ),
    declare(
        "weekly_rsi_14",
        BOUNDED,
        "RSI (14) of weekly closes, weeks that have ended only",
        15 * _WEEK,
        "TA-Lib RSI on ISO weeks",
        lambda bars: on_completed_weeks(bars, _rsi),
        scale=100.0,
    ),
    declare(
        "weekly_stochrsi_14",
        BOUNDED,
        "StochRSI fast-K (14, 5, 3) of weekly closes, weeks that have ended only",
        21 * _WEEK,
        "TA-Lib STOCHRSI on ISO weeks",
        lambda bars: on_completed_weeks(bars, stoch_rsi),
        scale=100.0,
    ),
)

_TREND_AND_VOLUME = (
    declare(
        "macd",
        RANGE,
        "exponential average of Close over 12 days less that over 26 (signal 9)",
        33,
        "TA-Lib MACD, the line",
        lambda bars: talib("MACD", bars.close_T, fastperiod=12, slowperiod=26, signalperiod=9)[0],
    ),
    declare(
        "obv",
        VOLUME,
        "on-balance volume: Volume added on rising and taken off on falling Closes",
        0,
        "TA-Lib OBV",
        lambda bars: talib("OBV", bars.close_T, bars.volume_T),
        needs_volume=True,
    ),
    declare(
        "adosc",
        VOLUME,
        "Chaikin oscillator: accumulation line, fast (3) less slow (10) average",
        9,
        "TA-Lib ADOSC",
        lambda bars: talib("ADOSC", bars.high_T, bars.low_T, bars.close_T, bars.volume_T, fastperiod=3, slowperiod=10),
        needs_volume=True,
    ),
    declare(
        "atr_14",
        RANGE,
        "average true range over 14 days",
        14,
        "TA-Lib ATR",
        lambda bars: talib("ATR", bars.high_T, bars.low_T, bars.close_T, timeperiod=14),
    ),
    declare(
        "adx_14",
        BOUNDED,
        "average directional index over 14 days, 0 to 100",
        27,
        "TA-Lib ADX",
        lambda bars: talib("ADX", bars.high_T, bars.low_T, bars.close_T, timeperiod=14),
        scale=100.0,
    ),
    declare(
        "bollinger_b",
        BOUNDED,
        "place of Close between its Bollinger bands (20 days, 2 sd): 0 lower, 1 upper",
        19,
        "TA-Lib BBANDS",
        bollinger_b,
    ),
    declare(
        "vwap_20",
        PRICE,
        "sum of Close x Volume over sum of Volume, 20 days",
        19,
        "definition",
        vwap,
        needs_volume=True,
    ),
)


def _raw(name: str) -> Indicator:
    traded = name == "volume"
    return declare(
        name,
        VOLUME if traded else PRICE,
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
