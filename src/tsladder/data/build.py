"""The stage `features`: computes the feature table of the tier from the bars on disk."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tsladder.data.bars import Bars, read_bars
from tsladder.data.features import FeatureTable, stacked
from tsladder.data.indicators import build_features
from tsladder.data.inputs import VIX
from tsladder.data.tiers import load as load_tier
from tsladder.params import DataParams
from tsladder.places import Places


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sources:
    """The bars of every symbol of the study, that of `data.symbol` first; `vix`: bars of VIX for a tier with VIX
    columns."""

    markets: tuple[Bars, ...]
    vix: Bars | None


def write_features(places: Places, data: DataParams) -> None:
    """Write artifacts/features, and print one line for each symbol that lost days to a second series. Raises
    BadInput."""
    table = features_of(places, data)
    table.write(places.features)
    for own in table.by_symbol():
        for line in lost_lines(own):
            print(f"features: {'' if not table.further else f'{own.symbol}: '}{line}", file=sys.stderr, flush=True)


def features_of(places: Places, data: DataParams) -> FeatureTable:
    """Compute the feature table of all symbols from the bars on disk. Raises BadInput."""
    sources = read_all(places, data)
    return stacked([build_features(bars, data, sources.vix) for bars in sources.markets])


def read_all(places: Places, data: DataParams) -> Sources:
    """Read the bars of all symbols, and of VIX where the tier needs it. Raises BadInput.

    Prices are adjusted if `data.adjust` says so, except those of VIX as a second series.
    """
    return Sources(
        markets=tuple(read_bars(places.bars(symbol), symbol, adjust=data.adjust) for symbol in data.markets),
        vix=read_bars(places.bars(VIX), VIX) if load_tier(data.tier).reads_vix else None,
    )


def lost_lines(table: FeatureTable) -> list[str]:
    """Return a line on the days that a tier of two series lost; no line where none was lost."""
    lost = None if table.origin is None else table.origin.lost_days
    if lost is None or lost.count == 0:
        return []
    kept = f"tier {table.tier} keeps {len(table.dates_T)} days"
    return [f"{kept} and loses {lost.count} on which VIX is missing: {lost.words()}"]
