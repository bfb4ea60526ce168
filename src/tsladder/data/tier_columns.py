"""The columns of the feature table: those of the chosen tier, and OHLCV."""

from __future__ import annotations

from tsladder.data.columns.core import OHLCV
from tsladder.data.columns.declaration import Indicator
from tsladder.data.columns.vix import VIX
from tsladder.data.tiers import load as load_tier
from tsladder.params import DataParams

COMMON_WARM_UP = 252
"""Days after which the tiers a20 to a200 have their first values, VIX aside. If `data.first_day` is `common`, every
tier starts there, or later where it needs more."""
VIX_WARM_UP = max(indicator.column.look_back for indicator in VIX)


def warm_up(data: DataParams) -> int:
    """Return the days before the first values of `data.tier`, its longest look-back, VIX aside."""
    return max(indicator.column.look_back for indicator in tier_indicators(data) if not indicator.on_vix)


def tier_indicators(data: DataParams) -> tuple[Indicator, ...]:
    """Return the columns of `data.tier` in order: its indicators, then OHLCV if `data.ohlcv` is true.

    Columns made of the volume are left out if `data.volume` is false.
    """
    every = load_tier(data.tier).indicators() + (OHLCV if data.ohlcv else ())
    return every if data.volume else tuple(indicator for indicator in every if not indicator.needs_volume)


def columns_of_volume(tier: str) -> frozenset[str]:
    """Return the columns of a tier and of OHLCV that are made of the volume and that `data.volume: false` leaves
    out."""
    every = (*load_tier(tier).indicators(), *OHLCV)
    return frozenset(indicator.column.name for indicator in every if indicator.needs_volume)
