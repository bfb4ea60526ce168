"""How many columns each tier feeds: all that planning needs to know of features.

Apart from `tiers`, so that no trained cell becomes stale by an edit of a formula that leaves its numbers alone.
"""

from __future__ import annotations

from tsladder.params import DataParams

INDICATORS = {"a20": 20, "a25": 20, "c33": 28, "a50": 50, "a100": 100, "a200": 200}
OHLCV = 5


def n_features(data: DataParams) -> int:
    """Columns of the feature table."""
    return INDICATORS[data.tier] + (OHLCV if data.ohlcv else 0)
