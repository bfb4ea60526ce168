"""Which columns each feature tier has, in order. A larger tier is a smaller one plus further declarations.

The columns themselves are declared in `columns`, once each.
"""

from __future__ import annotations

from tsladder.market.columns import (
    averages,
    candles,
    channels,
    oscillators,
    ranges,
    returns,
    risk,
    shape,
    trading_calendar,
    trading_volume,
    volatility,
    weekly,
)
from tsladder.market.columns.core import A20, OHLCV
from tsladder.market.columns.declaration import Indicator
from tsladder.market.columns.vix import VIX
from tsladder.params import DataParams

A50 = (
    *A20,
    *returns.A50,
    *volatility.A50,
    *ranges.A50,
    *risk.A50,
    *averages.A50,
    *channels.A50,
    *oscillators.A50,
    *trading_volume.A50,
    *candles.A50,
)
A100 = (
    *A50,
    *returns.A100,
    *volatility.A100,
    *ranges.A100,
    *averages.A100,
    *channels.A100,
    *oscillators.A100,
    *trading_volume.A100,
    *candles.A100,
    *trading_calendar.A100,
    *shape.A100,
)
A200 = (
    *A100,
    *returns.A200,
    *volatility.A200,
    *ranges.A200,
    *risk.A200,
    *averages.A200,
    *channels.A200,
    *oscillators.A200,
    *trading_volume.A200,
    *candles.A200,
    *trading_calendar.A200,
    *shape.A200,
    *weekly.A200,
)
# a25 is a20 counted together with OHLCV, which `data.ohlcv` adds to every tier; c33 is a25 with VIX.
TIERS = {"a20": A20, "a25": A20, "c33": (*A20, *VIX), "a50": A50, "a100": A100, "a200": A200}

VOLUME_COLUMNS = frozenset(
    indicator.column.name
    for indicators in (*TIERS.values(), OHLCV)
    for indicator in indicators
    if indicator.needs_volume
)
"""Columns made of the volume, which `data.volume: false` leaves out."""

COMMON_WARM_UP = max(
    indicator.column.look_back for indicators in TIERS.values() for indicator in indicators if not indicator.on_vix
)
"""Days after which every tier has its first values, VIX aside."""
VIX_WARM_UP = max(indicator.column.look_back for indicator in VIX)


def warm_up(data: DataParams) -> int:
    """Days that the longest look-back of `data.tier` takes before its first values, VIX aside."""
    return max(indicator.column.look_back for indicator in tier_indicators(data) if not indicator.on_vix)


def tier_indicators(data: DataParams) -> tuple[Indicator, ...]:
    """The columns of `data.tier` in order: its indicators, then OHLCV while `data.ohlcv`. Those made of the volume are
    left out while `data.volume` is false."""
    every = TIERS[data.tier] + (OHLCV if data.ohlcv else ())
    return every if data.volume else tuple(indicator for indicator in every if not indicator.needs_volume)
