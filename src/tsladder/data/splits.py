"""Assignment of windows to regions such that no window of one region shares a day with a window of another.

A window's span runs from its first input day to its last label day. It belongs to a region only if the whole span lies
inside one segment of that region.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.splits import FoldDays, RegionCount, RegionDays, SplitDays
from tsladder.data.targets import require_horizon
from tsladder.errors import BadInput
from tsladder.params import SplitParams
from tsladder.vocabulary import Region

_SWING = 1.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A run of rows of the feature table, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """The segments of one region. `windows_per_segment` 1 keeps the first window of each; None keeps all."""

    region: Region
    segments: tuple[Segment, ...]
    windows_per_segment: int | None = None

    def ends_N(self, context_length: int, horizon: int) -> NDArray[np.int64]:
        """Return the row of each window's last input day, ascending."""
        runs = [np.empty(0, dtype=np.int64)]
        for segment in self.segments:
            run = np.arange(segment.first + context_length - 1, segment.last - horizon + 1, dtype=np.int64)
            runs.append(run[: self.windows_per_segment])
        return np.concatenate(runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """One fold of a walk forward: the training and the validation region of one model."""

    train: Split
    validation: Split

    @property
    def regions(self) -> dict[Region, Split]:
        return {Region.TRAIN: self.train, Region.VALIDATION: self.validation}


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """The three regions of one horizon. In a walk forward `train` and `validation` are those of its last fold, and
    `earlier` holds the folds before it in time order."""

    horizon: int
    train: Split
    validation: Split
    test: Split
    earlier: tuple[Fold, ...] = ()

    @property
    def folds(self) -> tuple[Fold, ...]:
        """All folds of a walk forward; one fold otherwise."""
        return (*self.earlier, Fold(train=self.train, validation=self.validation))

    def region(self, region: Region) -> Split:
        return {Region.TRAIN: self.train, Region.VALIDATION: self.validation, Region.TEST: self.test}[region]

    def each(self, change: Callable[[Split], Split]) -> Splits:
        """Return these splits with `change` applied to the regions of every fold and to test."""
        *earlier, last = (Fold(train=change(fold.train), validation=change(fold.validation)) for fold in self.folds)
        return replace(
            self, train=last.train, validation=last.validation, test=change(self.test), earlier=tuple(earlier)
        )

    def days(self) -> SplitDays:
        """Return the splits in the form of the splits file."""
        folds = self.folds if self.earlier else ()
        return SplitDays(
            horizon=self.horizon,
            train=_days(self.train),
            validation=_days(self.validation),
            test=_days(self.test),
            folds=tuple(FoldDays(train=_days(fold.train), validation=_days(fold.validation)) for fold in folds),
        )

    @classmethod
    def of_days(cls, days: SplitDays) -> Splits:
        """Rebuild the splits from the form of the splits file; inverse of `days`."""
        earlier = tuple(
            Fold(train=_split(Region.TRAIN, fold.train), validation=_split(Region.VALIDATION, fold.validation))
            for fold in days.folds[:-1]
        )
        return cls(
            horizon=days.horizon,
            train=_split(Region.TRAIN, days.train),
            validation=_split(Region.VALIDATION, days.validation),
            test=_split(Region.TEST, days.test),
            earlier=earlier,
        )


def _days(split: Split) -> RegionDays:
    segments = tuple((segment.first, segment.last) for segment in split.segments)
    return RegionDays(segments=segments, windows_per_segment=split.windows_per_segment)


def _split(region: Region, days: RegionDays) -> Split:
    segments = tuple(Segment(first=first, last=last) for first, last in days.segments)
    return Split(region=region, segments=segments, windows_per_segment=days.windows_per_segment)


def count_regions(
    splits: Splits, y_T: NDArray[np.float64], dates_T: NDArray[np.datetime64], context_length: int
) -> dict[Region, RegionCount]:
    """Count the windows and labels of every region; a region without windows has no rate and no days."""
    require_horizon(y_T, splits.horizon)
    counts = {}
    for region in Region:
        ends_N = splits.region(region).ends_N(context_length, splits.horizon)
        if len(ends_N) == 0:
            counts[region] = RegionCount(windows=0, positives=0, base_rate=None, first_day=None, last_day=None)
            continue
        positives = int((y_T[ends_N] > 0.0).sum())
        counts[region] = RegionCount(
            windows=len(ends_N),
            positives=positives,
            base_rate=positives / len(ends_N),
            first_day=dates_T[ends_N].min().astype("datetime64[D]").item(),
            last_day=dates_T[ends_N].max().astype("datetime64[D]").item(),
        )
    return counts


def count_earlier(
    splits: Splits, y_T: NDArray[np.float64], dates_T: NDArray[np.datetime64], context_length: int
) -> tuple[dict[Region, RegionCount], ...]:
    """Count training and validation of every earlier fold of a walk forward, as `count_regions` does; empty where there
    is none."""
    counts = []
    for fold in splits.earlier:
        of_fold = replace(splits, train=fold.train, validation=fold.validation, earlier=())
        counted = count_regions(of_fold, y_T, dates_T, context_length)
        counts.append({region: counted[region] for region in fold.regions})
    return tuple(counts)


def check_splits(
    counts: Mapping[Region, RegionCount],
    splits: SplitParams,
    horizon: int,
    earlier: Sequence[Mapping[Region, RegionCount]] = (),
    *,
    counts_positives: bool = True,
) -> tuple[str, ...]:
    """Return notes on a usable split; raise BadInput for one on which no model can be measured.

    Validation and test need `splits.min_positives` windows of each class, training one of each; so do those of the
    `earlier` folds of a walk forward. A note names the base rates where the largest is over 1.5 times the smallest: a
    constant forecast then misleads. `counts_positives` false: the task has no classes, and only windows are counted.
    """
    faults = []
    for region, name, count in _named(counts, earlier):
        least = 1 if region is Region.TRAIN else splits.min_positives
        if count.windows == 0:
            faults.append(f"{name} has no window: no run of its days holds an input and its label")
            continue
        if not counts_positives:
            continue
        for number, words in ((count.positives, "positives"), (count.negatives, "negatives")):
            if number < least:
                faults.append(f"{name} has {number} {words} among {count.windows} windows, needs {least}")
    if faults:
        raise BadInput(f"horizon {horizon}: the split is too thin to judge a model on ({_ways_out(splits)}):", faults)
    if not counts_positives:
        return ()
    rates = {name: count.base_rate for _, name, count in _named(counts, earlier) if count.base_rate is not None}
    if max(rates.values()) > _SWING * min(rates.values()):
        listed = ", ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
        return (f"horizon {horizon}: base rates swing between regions: {listed}",)
    return ()


def _named(
    counts: Mapping[Region, RegionCount], earlier: Sequence[Mapping[Region, RegionCount]]
) -> list[tuple[Region, str, RegionCount]]:
    """Return every count with the name of its windows in messages: in a walk forward that of their fold."""
    if not earlier:
        return [(region, region.value, count) for region, count in counts.items()]
    in_folds = [
        (region, f"{region.value} of fold {number}", fold[region])
        for number, fold in enumerate([*earlier, counts], start=1)
        for region in (Region.TRAIN, Region.VALIDATION)
    ]
    return [*in_folds, (Region.TEST, Region.TEST.value, counts[Region.TEST])]


def _ways_out(splits: SplitParams) -> str:
    if splits.kind == "chunks" and splits.windows_per_block == 1:
        room = "set splits.windows_per_block to all, or raise the fractions"
    elif splits.kind == "chunks":
        room = "set splits.block_days to 160 or more, change study.seed, or raise the fractions"
    elif splits.kind == "walk_forward":
        room = "lower splits.folds, or give validation and test more days by their dates or fractions"
    elif splits.validation_start is not None:
        room = "move splits.validation_start and splits.test_start to give validation and test more days"
    else:
        room = "raise splits.validation_fraction and splits.test_fraction"
    return f"{room}; choose a more frequent target.task; bring longer data; or lower splits.min_positives knowingly"
