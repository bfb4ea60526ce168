"""From the files of the features and splits stages to the windows of one horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.market.features import FeatureTable, read_features
from tsladder.market.splits import Splits, check_splits, count_regions, make_splits
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
        thinned = _thinned(table, whole, splits, context_length)
        notes = (*check_splits(counts, params.splits, horizon), *thinned)
        records[horizon] = {
            "splits": splits.to_json(),
            "counts": {region: count.to_json() for region, count in counts.items()},
            "notes": list(notes),
        }
    for horizon, record in records.items():
        write_json(places.horizon_splits(horizon), record)
    summary = {str(horizon): {"counts": r["counts"], "notes": r["notes"]} for horizon, r in records.items()}
    write_json(places.splits / "splits.json", {"kind": params.splits.kind, "horizons": summary})


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
