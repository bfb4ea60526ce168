"""Two hundred indicators: those of a100 and further ones."""

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
        shape,
        trading_calendar,
        trading_volume,
        volatility,
        weekly,
    )
    from tsladder.data.tiers import a100

    return (
        *a100.indicators(),
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


TIER = Tier(columns=200, of_volume=21, indicators=indicators)
