"""Fifty indicators: those of a20 and further ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.data.tiers import Tier

if TYPE_CHECKING:
    from tsladder.data.columns.declaration import Indicator


def indicators() -> tuple[Indicator, ...]:
    """Declare the columns in their order."""
    from tsladder.data.columns import (
        averages,
        candles,
        channels,
        oscillators,
        ranges,
        returns,
        risk,
        trading_volume,
        volatility,
    )
    from tsladder.data.columns.core import A20

    return (
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


TIER = Tier(columns=50, of_volume=5, indicators=indicators)
