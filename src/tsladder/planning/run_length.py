"""Length of the trainings of each horizon, before they run: from the splits as last built, else from the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from tsladder.artifacts.panel_splits import read_panel_splits
from tsladder.artifacts.splits import read_splits
from tsladder.params import AnyParams, PanelParams, Params
from tsladder.places import Places
from tsladder.planning.duration import RunLength, run_length
from tsladder.planning.sample_counts import Samples, sample_counts

_WHOLE_BATCH = "sharpe"
"""Loss of a panel study that is no sum over days, so a batch of several micro-batches takes one forward pass more.
Where some phases alone train on it, all are forecast as if they did."""


def have_same_samples(one: AnyParams, other: AnyParams) -> bool:
    """Check whether both questions have the same samples: windows of a series, or days of a panel."""

    def cut(params: AnyParams) -> tuple[object, ...]:
        shared = params.data, params.horizons, params.windows.context_length, params.splits
        if isinstance(params, PanelParams):
            return *shared, params.universe, params.target.entry_lag, params.target.delisting_return
        return *shared, params.study.seed

    return cut(one) == cut(other)


def run_lengths(places: Places, params: AnyParams, *, built: bool = True) -> Mapping[int, RunLength]:
    """Return the run length of every horizon; empty where there are neither splits nor data. `built`: the splits on
    disk, where there are any, are those of the question. Raises BadInput for data that cannot be read, and for a panel
    with too few days."""
    if built and all(places.horizon_splits(horizon).exists() for horizon in params.horizons):
        return {horizon: _length(params, _built(places, params, horizon)) for horizon in params.horizons}
    if isinstance(params, PanelParams):
        counted = _counted_days(places, params) if places.bars(params.data.panel).exists() else {}
    else:
        there = all(places.bars(symbol).exists() for symbol in params.data.markets)
        counted = _counted_windows(places, params) if there else {}
    return {horizon: _length(params, samples) for horizon, samples in counted.items()}


def run_length_on_disk(places: Places, params: AnyParams, horizon: int) -> RunLength | None:
    """Return the run length of one horizon from its splits as last built; None where there are none. Raises WorkFailed
    when they are damaged."""
    there = places.horizon_splits(horizon).exists()
    return _length(params, _built(places, params, horizon)) if there else None


def _built(places: Places, params: AnyParams, horizon: int) -> Sequence[Samples]:
    path = places.horizon_splits(horizon)
    return sample_counts(read_panel_splits(path) if isinstance(params, PanelParams) else read_splits(path))


def _length(params: AnyParams, samples: Sequence[Samples]) -> RunLength:
    """Return the length of a training on `samples`; an epoch of a panel study may see a part of the training days, and
    its training may have phases."""
    if not isinstance(params, PanelParams):
        return run_length(params, samples)
    every, stocks_per_day = params.training.train_every, params.training.stocks_per_day
    run = run_length(params, [(-(-train // every), validation) for train, validation in samples])
    whole_batch = any(weights.get(_WHOLE_BATCH, 0.0) > 0.0 for weights in params.training.mixtures)
    phases = tuple(phase.epochs for phase in params.training.phase_list)

    def of_panel(one: RunLength) -> RunLength:
        return dataclasses.replace(one, extra_forward_pass=whole_batch, phases=phases, stocks_per_day=stocks_per_day)

    return dataclasses.replace(of_panel(run), earlier=tuple(map(of_panel, run.earlier)))


def _counted_windows(places: Places, params: Params) -> Mapping[int, Sequence[Samples]]:
    """Count windows as the stages features and splits would build them, without writing anything. Takes about a
    second."""
    from tsladder.data.build import features_of
    from tsladder.data.pooling import cut_symbols

    table = features_of(places, params.data)
    context = params.windows.context_length
    counted = {}
    for horizon in params.horizons:
        splits = cut_symbols(table, params.splits, context, horizon, seed=params.study.seed).pooled
        counted[horizon] = [
            (len(fold.train.ends_N(context, horizon)), len(fold.validation.ends_N(context, horizon)))
            for fold in splits.folds
        ]
    return counted


def _counted_days(places: Places, params: PanelParams) -> Mapping[int, Sequence[Samples]]:
    """Count sample days as the stages features and splits would find them, without writing anything. Takes seconds."""
    from tsladder.panel.file import read_panel
    from tsladder.panel.samples import build_inputs, build_labels
    from tsladder.panel.split_files import panel_splits

    made = build_inputs(read_panel(places.bars(params.data.panel)), params)
    labels = build_labels(made.panel, params)
    return {
        horizon: sample_counts(panel_splits(made, labels, params, horizon, inputs="")) for horizon in params.horizons
    }
