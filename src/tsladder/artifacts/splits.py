"""artifacts/splits/: h<horizon>.json, the days of each region, and splits.json, a summary of all horizons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import read_record, write_record
from tsladder.typed_yaml import MayBeLeftOut
from tsladder.vocabulary import Region

_AGAIN = "remove it and run `dvc repro splits`"


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionCount:
    """Windows of a region, and how many of them are positives: labelled 1, or with a return above 0. All others are
    negatives.

    `first_day` and `last_day` are the earliest and latest last day of a window, for which its label is forecast; None
    if the region has no window.
    """

    windows: int
    positives: int
    base_rate: float | None
    first_day: dt.date | None
    last_day: dt.date | None

    @property
    def negatives(self) -> int:
        return self.windows - self.positives


Counts = Mapping[Region, RegionCount]


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionDays:
    """Days of a region.

    `segments`: first and last row, both included, of each contiguous run of days in the feature table.
    `windows_per_segment` 1 keeps the first window of each segment; None keeps all.
    """

    segments: tuple[tuple[int, int], ...]
    windows_per_segment: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldDays:
    """Days of one walk-forward fold."""

    train: RegionDays
    validation: RegionDays


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitDays:
    """Days of the three regions of one horizon.

    `folds`: all folds of a walk-forward split, the last of which is `train` and `validation`; empty for any other
    split.
    """

    horizon: int
    train: RegionDays
    validation: RegionDays
    test: RegionDays
    folds: Annotated[tuple[FoldDays, ...], MayBeLeftOut()] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolSplits:
    """Splits of one of several symbols."""

    splits: SplitDays
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonSplits:
    """Splits file of one horizon.

    `folds`: counts of training and validation windows of every walk-forward fold. `symbols`: in a study of several
    symbols, the splits of each; `splits` and `counts` then refer to all symbols together.
    """

    splits: SplitDays
    counts: Counts
    notes: tuple[str, ...]
    folds: Annotated[tuple[Counts, ...], MayBeLeftOut()] = ()
    symbols: Annotated[Mapping[str, SymbolSplits], MayBeLeftOut()] = field(default_factory=dict)

    def of_symbol(self, symbol: str) -> SplitDays:
        """Return the splits of one symbol; in a study of one symbol, the only ones."""
        return self.symbols[symbol].splits if self.symbols else self.splits


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonCounts:
    """Summary of a horizon: its splits file without the days."""

    counts: Counts
    notes: tuple[str, ...]
    folds: Annotated[tuple[Counts, ...], MayBeLeftOut()] = ()
    symbols: Annotated[Mapping[str, Counts], MayBeLeftOut()] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitsSummary:
    """Summary of the splits of all horizons. `kind`: method of splitting, as in params.yaml."""

    kind: str
    horizons: Mapping[int, HorizonCounts]


def read_splits(path: Path) -> HorizonSplits:
    """Read the splits file of one horizon. Raises FileNotFoundError if it does not exist, WorkFailed if it is
    damaged."""
    return read_record(HorizonSplits, path, remedy=_AGAIN)


def read_summary(path: Path) -> SplitsSummary:
    """Read splits.json at `path`. Raises FileNotFoundError if it does not exist, WorkFailed if it is damaged."""
    return read_record(SplitsSummary, path, remedy=_AGAIN)


def write_splits(path: Path, splits: HorizonSplits) -> None:
    """Replace the splits file of one horizon."""
    write_record(path, splits)


def write_summary(path: Path, summary: SplitsSummary) -> None:
    """Replace splits.json at `path`."""
    write_record(path, summary)
