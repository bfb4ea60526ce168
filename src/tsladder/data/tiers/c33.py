"""The twenty indicators of a20 and eight of VIX: thirty-three columns with OHLCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.data.tiers import Tier

if TYPE_CHECKING:
    from tsladder.data.columns.declaration import Indicator


def indicators() -> tuple[Indicator, ...]:
    """Declare the columns in their order."""
    from tsladder.data.columns.core import A20
    from tsladder.data.columns.vix import VIX

    return (*A20, *VIX)


TIER = Tier(columns=28, of_volume=3, indicators=indicators, reads_vix=True)
