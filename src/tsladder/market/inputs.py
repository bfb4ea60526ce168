"""Which files of bars a question reads, by content: what must change for its features to become stale.

The stage `inputs` looks at the whole folder of data and writes this down; `features` depends on what it wrote. So
another symbol's file, or VIX for a tier without it, makes nothing stale.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tsladder.errors import BadInput
from tsladder.params import DataParams
from tsladder.places import Places

VIX = "vix"
VIX_TIERS = frozenset({"c33"})


def input_symbols(data: DataParams) -> tuple[str, ...]:
    """The symbol whose features are made, and VIX where the tier has columns of it."""
    return (data.symbol, VIX) if data.tier in VIX_TIERS else (data.symbol,)


def read_inputs(places: Places, data: DataParams) -> dict[str, Any]:
    """Symbol -> SHA-256 of its file. Raises BadInput that names every missing file and how to get it."""
    symbols = input_symbols(data)
    missing = [symbol for symbol in symbols if not places.bars(symbol).is_file()]
    if missing:
        raise BadInput(
            f"data.tier {data.tier} of data.symbol {data.symbol} reads bars that are not there:",
            [f"{places.bars(symbol)} does not exist: {_way_to_get(places, symbol)}" for symbol in missing],
        )
    return {"bars": {symbol: hashlib.sha256(places.bars(symbol).read_bytes()).hexdigest() for symbol in symbols}}


def _way_to_get(places: Places, symbol: str) -> str:
    tracked = Path(f"{places.bars(symbol).parent}.dvc")
    if tracked.is_file():
        return f"fetch the tracked data with `dvc pull {tracked.name}`"
    if symbol == VIX:
        return "bring daily bars of VIX, or choose a tier without it"
    return "data.symbol must name a Parquet file of daily bars in that folder"
