"""The stage `splits`: cuts the regions of every horizon and writes the splits files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.artifacts.splits import (
    Counts,
    HorizonCounts,
    HorizonSplits,
    RegionCount,
    SplitsSummary,
    SymbolSplits,
    write_splits,
    write_summary,
)
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.pooling import cut_symbols
from tsladder.data.splits import Splits, check_splits, count_earlier, count_regions
from tsladder.data.targets import labels
from tsladder.params import Params
from tsladder.places import Places
from tsladder.tasks import load as load_task
from tsladder.vocabulary import Region


def build_splits(places: Places, params: Params) -> None:
    """Cut the regions of every horizon and write them, one file for each horizon and a summary.

    Training windows are those of all symbols, validation and test windows those of `data.symbol`, the only symbol whose
    regions must be large enough. Raises BadInput, before anything is written, when some horizon's split is refused.
    """
    table = read_features(places.features)
    of_horizon = {horizon: horizon_splits(table, params, horizon) for horizon in params.horizons}
    for horizon, splits in of_horizon.items():
        write_splits(places.horizon_splits(horizon), splits)
    counts = {horizon: _without_days(splits) for horizon, splits in of_horizon.items()}
    write_summary(places.splits_summary, SplitsSummary(kind=params.splits.kind, horizons=counts))


def horizon_splits(table: FeatureTable, params: Params, horizon: int) -> HorizonSplits:
    """Build the splits file of one horizon. Raises BadInput where the split is refused."""
    context_length = params.windows.context_length
    cut = cut_symbols(table, params.splits, context_length, horizon, seed=params.study.seed)
    y_T = labels(table, params.target, horizon)

    def counted(splits: Splits) -> dict[Region, RegionCount]:
        return count_regions(splits, y_T, table.dates_T, context_length)

    own, earlier = counted(cut.own), count_earlier(cut.own, y_T, table.dates_T, context_length)
    of_each = {table.symbol: cut.own, **cut.further} if cut.further else {}
    counts_positives = load_task(params.target.task).counts_positives
    checked = check_splits(own, params.splits, horizon, earlier, counts_positives=counts_positives)
    return HorizonSplits(
        splits=cut.pooled.days(),
        counts=counted(cut.pooled),
        notes=(*checked, *cut.thinned, *_walked(earlier, own, horizon)),
        folds=_fold_counts(earlier, own),
        symbols={name: SymbolSplits(splits=of.days(), counts=counted(of)) for name, of in of_each.items()},
    )


def _without_days(splits: HorizonSplits) -> HorizonCounts:
    return HorizonCounts(
        counts=splits.counts,
        notes=splits.notes,
        folds=splits.folds,
        symbols={name: of_symbol.counts for name, of_symbol in splits.symbols.items()},
    )


def _fold_counts(earlier: Sequence[Counts], counts: Counts) -> tuple[Counts, ...]:
    """Return the counts of all folds of a walk forward, the last one included; empty where there is none."""
    if not earlier:
        return ()
    return tuple({region: fold[region] for region in (Region.TRAIN, Region.VALIDATION)} for fold in [*earlier, counts])


def _walked(
    earlier: Sequence[Mapping[Region, RegionCount]], counts: Mapping[Region, RegionCount], horizon: int
) -> tuple[str, ...]:
    """Return a note on the folds of a walk forward; empty where there is none."""
    if not earlier:
        return ()
    folds = []
    for number, fold in enumerate((*earlier, counts), start=1):
        train, judged = fold[Region.TRAIN], fold[Region.VALIDATION]
        span = f"{judged.windows} windows from {judged.first_day} to {judged.last_day}"
        folds.append(f"fold {number} trains on {train.windows} and is validated on {span}")
    trained_again = "the search judges by the mean over all, the winner is trained again and scored on the last"
    return (f"horizon {horizon}: walk forward: {'; '.join(folds)}; {trained_again}",)
