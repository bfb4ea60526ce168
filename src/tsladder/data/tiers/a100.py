"""A hundred indicators: those of a50 and further ones."""

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
        shape,
        trading_calendar,
        trading_volume,
        volatility,
    )
    from tsladder.data.tiers import a50

    return (
        *a50.indicators(),
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


TIER = Tier(columns=100, of_volume=10, indicators=indicators)
