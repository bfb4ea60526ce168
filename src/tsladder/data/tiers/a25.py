"""The twenty indicators of a20: twenty-five columns with OHLCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.data.tiers import Tier

if TYPE_CHECKING:
    from tsladder.data.columns.declaration import Indicator


def indicators() -> tuple[Indicator, ...]:
    """Declare the columns in their order."""
    from tsladder.data.columns.core import A20

    return A20


TIER = Tier(columns=20, of_volume=3, indicators=indicators)
