"""The dataset of one horizon, loaded from the files of the stages `features` and `splits`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.splits import HorizonSplits, read_splits
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.splits import Splits
from tsladder.data.targets import labels
from tsladder.data.windows import FoldWindows, Windows, WindowSet, build_windows
from tsladder.params import TargetParams, WindowParams


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """The windows of one horizon and their identity. `further_splits`: splits of the symbols other than the study's
    own."""

    table: FeatureTable
    windows: WindowSet
    splits: Splits
    further_splits: Mapping[str, Splits]
    splits_record: HorizonSplits
    """The splits file, which enters the identity of everything computed from it."""

    @property
    def folds(self) -> tuple[FoldWindows, ...]:
        """All folds of a walk forward; one fold otherwise."""
        return self.windows.folds

    @property
    def train(self) -> Windows:
        return self.windows.train

    def fingerprint(self) -> str:
        """Return the identity of the values that windows are cut from."""
        return self.table.fingerprint()


def load_dataset(
    features: Path, splits_file: Path, *, target: TargetParams, windows: WindowParams, horizon: int
) -> Dataset:
    """Read features and splits, label the days and cut the windows. Raises BadInput or WorkFailed."""
    table = read_features(features)
    record = read_splits(splits_file)
    splits = Splits.of_days(record.splits)
    further = {
        symbol: Splits.of_days(found.splits) for symbol, found in record.symbols.items() if symbol != table.symbol
    }
    y_T = labels(table, target, horizon)
    return Dataset(
        table=table,
        windows=build_windows(table, splits, y_T, windows, further),
        splits=splits,
        further_splits=further,
        splits_record=record,
    )
