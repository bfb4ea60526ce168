"""artifacts/splits/: h<horizon>.json, which days belong to which region, and splits.json, a summary of all horizons."""

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
    """Windows of a region and how many are labelled 1, or with a return above 0; all others are negatives.

    The days are the first and last day a label is asked on; None where there is no window.
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
    """`segments`: first and last row of the feature table of each run of days, both included. `windows_per_segment` 1
    keeps the first window of each; None keeps all."""

    segments: tuple[tuple[int, int], ...]
    windows_per_segment: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldDays:
    """One fold of a walk forward."""

    train: RegionDays
    validation: RegionDays


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitDays:
    """The three regions of one horizon. `folds`: all of a walk forward, the last of which `train` and `validation` are;
    empty where there is none."""

    horizon: int
    train: RegionDays
    validation: RegionDays
    test: RegionDays
    folds: Annotated[tuple[FoldDays, ...], MayBeLeftOut()] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolSplits:
    """The splits of one of several symbols."""

    splits: SplitDays
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonSplits:
    """The splits file of one horizon. `folds`: windows of training and validation of every fold of a walk forward.
    `symbols`: of several symbols each one's own, while `splits` and `counts` are of all together."""

    splits: SplitDays
    counts: Counts
    notes: tuple[str, ...]
    folds: Annotated[tuple[Counts, ...], MayBeLeftOut()] = ()
    symbols: Annotated[Mapping[str, SymbolSplits], MayBeLeftOut()] = field(default_factory=dict)

    def of_symbol(self, symbol: str) -> SplitDays:
        """Those of one symbol; of a study of one symbol they are the only ones."""
        return self.symbols[symbol].splits if self.symbols else self.splits


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonCounts:
    """What the summary tells of a horizon: its splits file without the days."""

    counts: Counts
    notes: tuple[str, ...]
    folds: Annotated[tuple[Counts, ...], MayBeLeftOut()] = ()
    symbols: Annotated[Mapping[str, Counts], MayBeLeftOut()] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitsSummary:
    """`kind`: how regions were cut, as in params.yaml."""

    kind: str
    horizons: Mapping[int, HorizonCounts]


def read_splits(path: Path) -> HorizonSplits:
    """The splits file of one horizon. Raises FileNotFoundError where there is none, WorkFailed for a damaged one."""
    return read_record(HorizonSplits, path, remedy=_AGAIN)


def read_summary(path: Path) -> SplitsSummary | None:
    """splits.json at `path`; None where there is none. Raises WorkFailed for a damaged one."""
    try:
        return read_record(SplitsSummary, path, remedy=_AGAIN)
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_splits(path: Path, splits: HorizonSplits) -> None:
    """Replace the splits file of one horizon."""
    write_record(path, splits)


def write_summary(path: Path, summary: SplitsSummary) -> None:
    """Replace splits.json at `path`."""
    write_record(path, summary)
