"""Cut the regions of every horizon and write the splits files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tsladder.artifacts.store import write_json
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.pooling import cut_symbols
from tsladder.data.splits import RegionCount, Splits, check_splits, count_earlier, count_regions
from tsladder.data.targets import labels
from tsladder.params import Params
from tsladder.places import Places
from tsladder.tasks import load as load_task
from tsladder.vocabulary import Region


def write_splits(places: Places, params: Params) -> None:
    """Cut the regions of every horizon and write them, one file a horizon and a summary.

    Training is that of all symbols, validation and test are those of `data.symbol`, which alone is held to be thick
    enough. Raises BadInput, before anything is written, when some horizon's split is refused.
    """
    table = read_features(places.features)
    records = {horizon: splits_record(table, params, horizon) for horizon in params.horizons}
    for horizon, record in records.items():
        write_json(places.horizon_splits(horizon), record)
    summary = {str(horizon): _without_segments(record) for horizon, record in records.items()}
    write_json(places.splits / "splits.json", {"kind": params.splits.kind, "horizons": summary})


def splits_record(table: FeatureTable, params: Params, horizon: int) -> dict[str, Any]:
    """The splits file of one horizon. Raises BadInput where the split is refused."""
    context_length = params.windows.context_length
    cut = cut_symbols(table, params.splits, context_length, horizon, seed=params.study.seed)
    y_T = labels(table, params.target, horizon)

    def counted(splits: Splits) -> dict[Region, RegionCount]:
        return count_regions(splits, y_T, table.dates_T, context_length)

    own, earlier = counted(cut.own), count_earlier(cut.own, y_T, table.dates_T, context_length)
    counts_positives = load_task(params.target.task).counts_positives
    checked = check_splits(own, params.splits, horizon, earlier, counts_positives=counts_positives)
    notes = (*checked, *cut.thinned, *_walked(earlier, own, horizon))
    record = {**_record(cut.pooled, counted(cut.pooled)), **_fold_counts(earlier, own), "notes": list(notes)}
    if cut.further:
        of_each = {table.symbol: cut.own, **cut.further}
        record["symbols"] = {name: _record(splits, counted(splits)) for name, splits in of_each.items()}
    return record


def _record(splits: Splits, counts: Mapping[Region, RegionCount]) -> dict[str, Any]:
    return {"splits": splits.to_json(), "counts": {region: count.to_json() for region, count in counts.items()}}


def _without_segments(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the summary tells of a splits file."""
    symbols = {name: of_symbol["counts"] for name, of_symbol in record.get("symbols", {}).items()}
    told = {name: record[name] for name in ("counts", "folds", "notes") if name in record}
    return told | ({"symbols": symbols} if symbols else {})


def _fold_counts(
    earlier: Sequence[Mapping[Region, RegionCount]], counts: Mapping[Region, RegionCount]
) -> dict[str, Any]:
    """What a splits file of a walk forward holds beside the counts of its last fold and test."""
    if not earlier:
        return {}
    return {
        "folds": [
            {region: fold[region].to_json() for region in (Region.TRAIN, Region.VALIDATION)}
            for fold in [*earlier, counts]
        ]
    }


def _walked(
    earlier: Sequence[Mapping[Region, RegionCount]], counts: Mapping[Region, RegionCount], horizon: int
) -> tuple[str, ...]:
    """A note on the folds of a walk forward; none where there is none."""
    if not earlier:
        return ()
    folds = []
    for number, fold in enumerate((*earlier, counts), start=1):
        train, judged = fold[Region.TRAIN], fold[Region.VALIDATION]
        span = f"{judged.windows} windows from {judged.first_day} to {judged.last_day}"
        folds.append(f"fold {number} trains on {train.windows} and is validated on {span}")
    trained_again = "the search judges by the mean over all, the winner is trained again and scored on the last"
    return (f"horizon {horizon}: walk forward: {'; '.join(folds)}; {trained_again}",)
