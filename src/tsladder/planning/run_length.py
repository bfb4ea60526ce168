"""Length of the trainings of each horizon, before they run: from the splits as last built, else from the bars."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.splits import read_splits
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.duration import RunLength, built_run_length, run_length


def have_same_windows(one: Params, other: Params) -> bool:
    """Check whether both questions cut the same windows."""

    def cut(params: Params) -> tuple[object, ...]:
        return params.data, params.horizons, params.windows.context_length, params.splits, params.study.seed

    return cut(one) == cut(other)


def run_lengths(places: Places, params: Params, *, built: bool = True) -> Mapping[int, RunLength]:
    """Return the run length of every horizon; empty where there are neither splits nor bars. `built`: the splits on
    disk, where there are any, are those of the question. Raises BadInput for bars that cannot be read."""
    if built and all(places.horizon_splits(horizon).exists() for horizon in params.horizons):
        return {horizon: _built(places, params, horizon) for horizon in params.horizons}
    return _counted(places, params) if all(places.bars(symbol).exists() for symbol in params.data.markets) else {}


def run_length_on_disk(places: Places, params: Params, horizon: int) -> RunLength | None:
    """Return the run length of one horizon from its splits as last built; None where there are none. Raises WorkFailed
    when they are damaged."""
    return _built(places, params, horizon) if places.horizon_splits(horizon).exists() else None


def _built(places: Places, params: Params, horizon: int) -> RunLength:
    return built_run_length(params, read_splits(places.horizon_splits(horizon)))


def _counted(places: Places, params: Params) -> dict[int, RunLength]:
    """Count windows as the stages features and splits would build them, without writing anything. Takes about a
    second."""
    from tsladder.data.build import features_of
    from tsladder.data.pooling import cut_symbols

    table = features_of(places, params.data)
    context = params.windows.context_length
    lengths = {}
    for horizon in params.horizons:
        splits = cut_symbols(table, params.splits, context, horizon, seed=params.study.seed).pooled
        folds = [
            (len(fold.train.ends_N(context, horizon)), len(fold.validation.ends_N(context, horizon)))
            for fold in splits.folds
        ]
        lengths[horizon] = run_length(params, folds)
    return lengths
