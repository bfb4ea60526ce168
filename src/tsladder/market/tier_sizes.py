"""How many columns each tier feeds: all that planning needs to know of features.

Apart from `tiers`, so that no trained cell becomes stale by an edit of a formula that leaves its numbers alone.
"""

from __future__ import annotations

from tsladder.params import DataParams

INDICATORS = {"a20": 20, "a25": 20, "c33": 28, "a50": 50, "a100": 100, "a200": 200}
OHLCV = 5

VOLUME_INDICATORS = {"a20": 3, "a25": 3, "c33": 3, "a50": 5, "a100": 10, "a200": 21}
"""How many of a tier's indicators are made of the volume, and so are left out while `data.volume` is false."""
VOLUME_OHLCV = 1


def n_features(data: DataParams) -> int:
    """Columns of the feature table."""
    indicators, ohlcv = INDICATORS[data.tier], OHLCV
    if not data.volume:
        indicators, ohlcv = indicators - VOLUME_INDICATORS[data.tier], ohlcv - VOLUME_OHLCV
    return indicators + (ohlcv if data.ohlcv else 0)
