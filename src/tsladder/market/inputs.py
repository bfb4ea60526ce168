"""Which bars a tier reads beside those of `data.symbol`, by content: what must change for its features to become stale.

DVC cannot say that a stage depends on a file for some values of a parameter only. So the stage `inputs` looks at the
whole folder of data and writes down what counts, and `features` depends on what it wrote.
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
    return (data.symbol, *further_symbols(data))


def further_symbols(data: DataParams) -> tuple[str, ...]:
    return (VIX,) if data.tier in VIX_TIERS else ()


def read_inputs(places: Places, data: DataParams) -> dict[str, Any]:
    """Further symbol -> SHA-256 of its file. Raises BadInput that names every missing file and how to get it."""
    symbols = further_symbols(data)
    missing = [symbol for symbol in symbols if not places.bars(symbol).is_file()]
    if missing:
        raise BadInput(
            f"data.tier {data.tier} reads bars beside those of {data.symbol}, and they are not there:",
            [f"{places.bars(symbol)} does not exist: {_way_to_get(places, symbol)}" for symbol in missing],
        )
    return {"beside": {symbol: hashlib.sha256(places.bars(symbol).read_bytes()).hexdigest() for symbol in symbols}}


def _way_to_get(places: Places, symbol: str) -> str:
    tracked = Path(f"{places.bars(symbol).parent}.dvc")
    if tracked.is_file():
        return f"fetch the tracked data with `dvc pull {tracked.name}`, or choose a tier without it"
    return f"bring daily bars of it as data/{symbol}.parquet, or choose a tier without it"
