"""Declaration of a feature: name, unit, look-back, formula in words, source, and the function that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsladder.artifacts.features import ColumnKind, FeatureColumn
from tsladder.data.bars import Bars
from tsladder.data.rolling import Column

Fill = Callable[[Bars], Column]

PRICE = ColumnKind.PRICE
RANGE = ColumnKind.RANGE
VOLUME = ColumnKind.VOLUME
BOUNDED = ColumnKind.BOUNDED
UNITLESS = ColumnKind.UNITLESS


@dataclass(frozen=True, kw_only=True, slots=True)
class Indicator:
    """A column and the function that computes it: T bars in, T values out, NaN before the first value.

    `on_vix`: computed from the bars of VIX, on VIX's own days, and known on those days alone.
    """

    column: FeatureColumn
    fill: Fill
    needs_volume: bool = False
    on_vix: bool = False


def declare(
    name: str,
    kind: ColumnKind,
    words: str,
    look_back: int,
    source: str,
    fill: Fill,
    *,
    scale: float = 1.0,
    needs_volume: bool = False,
    on_vix: bool = False,
) -> Indicator:
    column = FeatureColumn(name=name, kind=kind, words=words, look_back=look_back, source=source, scale=scale)
    return Indicator(column=column, fill=fill, needs_volume=needs_volume, on_vix=on_vix)


def talib(function: str, *series: Column, **options: float) -> Any:
    """Call a function of TA-Lib, imported only here: it brings pandas along, and naming columns must stay fast."""
    import talib as library

    return getattr(library, function)(*series, **options)


def smoothed(function: str, series_T: Column, days: int) -> Column:
    """Return TA-Lib's average `function` (EMA, SMA, WMA, ...) of `series_T`; all NaN for a series of NaN, which TA-Lib
    refuses."""
    if np.isnan(series_T).all():
        return series_T.copy()
    average_T: Column = talib(function, series_T, timeperiod=days)
    return average_T
