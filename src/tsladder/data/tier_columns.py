"""The columns of the feature table: those of the chosen tier, and OHLCV."""

from __future__ import annotations

from tsladder.data.columns.core import OHLCV
from tsladder.data.columns.declaration import Indicator
from tsladder.data.columns.vix import VIX
from tsladder.data.tiers import load as load_tier
from tsladder.params import DataParams

COMMON_WARM_UP = 252
"""Days after which the tiers a20 to a200 have their first values, VIX aside: where `data.first_day` is `common`, every
tier starts there, or later where it needs more."""
VIX_WARM_UP = max(indicator.column.look_back for indicator in VIX)


def warm_up(data: DataParams) -> int:
    """Days that the longest look-back of `data.tier` takes before its first values, VIX aside."""
    return max(indicator.column.look_back for indicator in tier_indicators(data) if not indicator.on_vix)


def tier_indicators(data: DataParams) -> tuple[Indicator, ...]:
    """The columns of `data.tier` in order: its indicators, then OHLCV while `data.ohlcv`. Those made of the volume are
    left out while `data.volume` is false."""
    every = load_tier(data.tier).indicators() + (OHLCV if data.ohlcv else ())
    return every if data.volume else tuple(indicator for indicator in every if not indicator.needs_volume)


def columns_of_volume(tier: str) -> frozenset[str]:
    """Columns of a tier and of OHLCV that are made of the volume, which `data.volume: false` leaves out."""
    every = (*load_tier(tier).indicators(), *OHLCV)
    return frozenset(indicator.column.name for indicator in every if indicator.needs_volume)
