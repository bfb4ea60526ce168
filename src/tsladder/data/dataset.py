"""From the files of the features and splits stages to the windows of one horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import read_json
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.splits import Splits
from tsladder.data.targets import labels
from tsladder.data.windows import WindowSet, build_windows
from tsladder.params import TargetParams, WindowParams


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Windows of one horizon and what identifies them. `further_splits`: of the symbols beside the study's own."""

    table: FeatureTable
    windows: WindowSet
    splits: Splits
    further_splits: Mapping[str, Splits]
    splits_record: Mapping[str, Any]
    """The splits file as it was read: it enters the identity of everything computed from it."""


def load_dataset(
    features: Path, splits_file: Path, *, target: TargetParams, windows: WindowParams, horizon: int
) -> Dataset:
    """Read features and splits, label the days and cut the windows. Raises BadInput or WorkFailed."""
    table = read_features(features)
    record = read_json(splits_file)
    splits = Splits.from_json(record["splits"])
    further = {
        symbol: Splits.from_json(found["splits"])
        for symbol, found in record.get("symbols", {}).items()
        if symbol != table.symbol
    }
    y_T = labels(table, target, horizon)
    return Dataset(
        table=table,
        windows=build_windows(table, splits, y_T, windows, further),
        splits=splits,
        further_splits=further,
        splits_record=record,
    )
