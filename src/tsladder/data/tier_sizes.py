"""The number of columns of the feature table, the only fact about features that planning needs."""

from __future__ import annotations

from tsladder.data.tiers import load as load_tier
from tsladder.params import DataParams

OHLCV = 5
VOLUME_OHLCV = 1


def n_features(data: DataParams) -> int:
    """Return the number of columns of the feature table."""
    tier = load_tier(data.tier)
    indicators, ohlcv = tier.columns, OHLCV
    if not data.volume:
        indicators, ohlcv = indicators - tier.of_volume, ohlcv - VOLUME_OHLCV
    return indicators + (ohlcv if data.ohlcv else 0)
