"""The features stage: bars on disk -> the feature table of the tier."""

from __future__ import annotations

import sys

from tsladder.market.bars import Bars, read_bars
from tsladder.market.features import FeatureTable
from tsladder.market.indicators import build_features
from tsladder.market.inputs import input_symbols
from tsladder.params import DataParams
from tsladder.places import Places


def write_features(places: Places, data: DataParams) -> None:
    """Write artifacts/features, and say in one line which days a second series cost. Raises BadInput."""
    table = features_of(places, data)
    table.write(places.features)
    for line in lost_lines(table):
        print(f"features: {line}", file=sys.stderr, flush=True)


def features_of(places: Places, data: DataParams) -> FeatureTable:
    """The table, from the bars on disk. Raises BadInput."""
    first, *second = read_all(places, data)
    return build_features(first, data, second[0] if second else None)


def read_all(places: Places, data: DataParams) -> list[Bars]:
    """The bars of `data.symbol`, adjusted where `data.adjust`, and those of VIX where the tier has columns of it."""
    return [
        read_bars(places.bars(symbol), symbol, adjust=data.adjust and symbol == data.symbol)
        for symbol in input_symbols(data)
    ]


def lost_lines(table: FeatureTable) -> list[str]:
    """What a tier of two series lost, in a line; none where nothing was lost."""
    lost = None if table.origin is None else table.origin.lost
    if lost is None or lost.count == 0:
        return []
    kept = f"tier {table.tier} keeps {len(table.dates_T)} days"
    return [f"{kept} and loses {lost.count} on which VIX is missing: {lost.words()}"]
