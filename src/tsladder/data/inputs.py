"""The files of bars read besides that of `data.symbol`, by content: a change makes the features stale.

DVC cannot say that a stage depends on a file for some values of a parameter only. So the stage `inputs` depends on the
whole folder of data and records the relevant files, and `features` depends on that record.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tsladder.artifacts.inputs import BarsBeside
from tsladder.data.tiers import load as load_tier
from tsladder.errors import BadInput
from tsladder.params import DataParams
from tsladder.places import Places

VIX = "vix"


def further_symbols(data: DataParams) -> tuple[str, ...]:
    """Return the further symbols whose features are computed, and VIX where the tier has columns of it."""
    beside = (VIX,) if load_tier(data.tier).reads_vix else ()
    return tuple(dict.fromkeys((*data.further, *beside)))


def bars_beside(places: Places, data: DataParams) -> BarsBeside:
    """Return further symbol -> SHA-256 of its file. Raises BadInput that names every missing file and how to get it."""
    symbols = further_symbols(data)
    missing = [symbol for symbol in symbols if not places.bars(symbol).is_file()]
    if missing:
        raise BadInput(
            f"{_readers(data)} bars beside those of {data.symbol}, and they are not there:",
            [f"{places.bars(symbol)} does not exist: {_way_to_get(places, data, symbol)}" for symbol in missing],
        )
    return BarsBeside(
        beside={symbol: hashlib.sha256(places.bars(symbol).read_bytes()).hexdigest() for symbol in symbols}
    )


def _readers(data: DataParams) -> str:
    tier = f"data.tier {data.tier} reads"
    if not data.further:
        return tier
    return "data.symbols names" if not load_tier(data.tier).reads_vix else f"data.symbols names and {tier}"


def _way_to_get(places: Places, data: DataParams, symbol: str) -> str:
    otherwise = "leave it out of data.symbols" if symbol in data.further else "choose a tier without it"
    tracked = Path(f"{places.bars(symbol).parent}.dvc")
    if tracked.is_file():
        return f"fetch the tracked data with `dvc pull {tracked.name}`, or {otherwise}"
    return f"bring daily bars of it as data/{symbol}.parquet, or {otherwise}"
