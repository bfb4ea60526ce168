"""From the files of the features and splits stages to the windows of one horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.market.cuts import make_splits
from tsladder.market.features import FeatureTable, read_features
from tsladder.market.splits import RegionCount, Splits, check_splits, count_earlier, count_regions
from tsladder.market.targets import labels
from tsladder.market.unbroken import around_lost_days
from tsladder.market.windows import WindowSet, build_windows
from tsladder.params import Params, TargetParams, WindowParams
from tsladder.places import Places
from tsladder.records import read_json, write_json
from tsladder.vocabulary import Region


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Windows of one horizon and what identifies them."""

    table: FeatureTable
    windows: WindowSet
    splits: Splits
    splits_record: Mapping[str, Any]
    """The splits file as it was read: it enters the identity of everything computed from it."""


def load_dataset(
    features: Path, splits_file: Path, *, target: TargetParams, windows: WindowParams, horizon: int
) -> Dataset:
    """Read features and splits, label the days and cut the windows. Raises BadInput or WorkFailed."""
    table = read_features(features)
    record = read_json(splits_file)
    splits = Splits.from_json(record["splits"])
    y_T = labels(table, target, horizon)
    return Dataset(table=table, windows=build_windows(table, splits, y_T, windows), splits=splits, splits_record=record)


def write_splits(places: Places, params: Params) -> None:
    """Cut the regions of every horizon and write them, one file a horizon and a summary.

    Raises BadInput, before anything is written, when some horizon's split is refused.
    """
    table = read_features(places.features)
    records: dict[int, dict[str, Any]] = {}
    for horizon in params.horizons:
        context_length = params.windows.context_length
        whole = make_splits(table.dates_T, params.splits, context_length, horizon, seed=params.study.seed)
        splits = around_lost_days(whole, table.dates_T, table.lost_between, context_length)
        y_T = labels(table, params.target, horizon)
        counts = count_regions(splits, y_T, table.dates_T, context_length)
        earlier = count_earlier(splits, y_T, table.dates_T, context_length)
        notes = (
            *check_splits(counts, params.splits, horizon, earlier),
            *_thinned(table, whole, splits, context_length),
            *_walked(earlier, counts, horizon),
        )
        records[horizon] = {
            "splits": splits.to_json(),
            "counts": {region: count.to_json() for region, count in counts.items()},
            **_fold_counts(earlier, counts),
            "notes": list(notes),
        }
    for horizon, record in records.items():
        write_json(places.horizon_splits(horizon), record)
    told = ("counts", "folds", "notes")
    summary = {str(horizon): {name: r[name] for name in told if name in r} for horizon, r in records.items()}
    write_json(places.splits / "splits.json", {"kind": params.splits.kind, "horizons": summary})


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


def _thinned(table: FeatureTable, whole: Splits, splits: Splits, context_length: int) -> tuple[str, ...]:
    """A note on the windows that lost days cost; none where no day was lost between two others."""
    lost = table.lost_between
    if not lost:
        return ()
    costs = []
    for region in Region:
        before, after = (len(each.region(region).ends_N(context_length, each.horizon)) for each in (whole, splits))
        costs.append(f"{region.value} {before - after} of {before}")
    days = f"{lost[0]} is" if len(lost) == 1 else f"{len(lost)} days from {lost[0]} to {lost[-1]} are"
    cost = f"windows that reach across: {', '.join(costs)}"
    return (f"horizon {splits.horizon}: {days} lost to a series that is missing there; {cost}",)
