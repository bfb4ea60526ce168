"""The twenty indicators of a20 and eight of VIX: thirty-three columns with OHLCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.market.tiers import Tier

if TYPE_CHECKING:
    from tsladder.market.columns.declaration import Indicator


def indicators() -> tuple[Indicator, ...]:
    """Declare the columns in their order."""
    from tsladder.market.columns.core import A20
    from tsladder.market.columns.vix import VIX

    return (*A20, *VIX)


TIER = Tier(columns=28, of_volume=3, indicators=indicators, reads_vix=True)
