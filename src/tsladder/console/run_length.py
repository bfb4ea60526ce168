"""What a training of each horizon will see, before it runs: from the splits as last built, else from the bars."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.duration import RunLength, run_length
from tsladder.records import read_json
from tsladder.vocabulary import Region


def run_lengths(places: Places, params: Params) -> Mapping[int, RunLength]:
    """By horizon; empty where there are neither splits nor bars. Raises BadInput for bars that cannot be read."""
    if all(places.horizon_splits(horizon).exists() for horizon in params.horizons):
        windows = {horizon: _built(places, horizon) for horizon in params.horizons}
    elif all(places.bars(symbol).exists() for symbol in params.data.markets):
        windows = _counted(places, params)
    else:
        return {}
    return {horizon: _run_length(params, count) for horizon, count in windows.items()}


def built_run_length(places: Places, params: Params, horizon: int) -> RunLength | None:
    """Of one horizon, from its splits as last built; None where there are none. Raises WorkFailed when damaged."""
    if not places.horizon_splits(horizon).exists():
        return None
    return _run_length(params, _built(places, horizon))


def _run_length(params: Params, count: Mapping[Region, int]) -> RunLength:
    return run_length(params, train_windows=count[Region.TRAIN], validation_windows=count[Region.VALIDATION])


def _built(places: Places, horizon: int) -> dict[Region, int]:
    counts = read_json(places.horizon_splits(horizon))["counts"]
    return {region: int(counts[region]["windows"]) for region in Region}


def _counted(places: Places, params: Params) -> dict[int, dict[Region, int]]:
    """As the stages features and splits would build them, without writing anything. Takes about a second."""
    from tsladder.market.build import features_of
    from tsladder.market.pooling import cut_symbols

    table = features_of(places, params.data)
    context = params.windows.context_length
    counts = {}
    for horizon in params.horizons:
        splits = cut_symbols(table, params.splits, context, horizon, seed=params.study.seed).pooled
        counts[horizon] = {region: len(splits.region(region).ends_N(context, horizon)) for region in Region}
    return counts
