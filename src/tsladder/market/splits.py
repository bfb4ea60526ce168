"""Which windows belong to which region, so that no window of one region shares a day with another.

A window's span runs from its first input day to its last label day. It belongs to a region only if the whole
span lies inside one segment of that region.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.market.targets import require_horizon
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
        """Row of each window's last input day, ascending."""
        runs = [np.empty(0, dtype=np.int64)]
        for segment in self.segments:
            run = np.arange(segment.first + context_length - 1, segment.last - horizon + 1, dtype=np.int64)
            runs.append(run[: self.windows_per_segment])
        return np.concatenate(runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Splits:
    """The three regions of one horizon."""

    horizon: int
    train: Split
    validation: Split
    test: Split

    def region(self, region: Region) -> Split:
        return {Region.TRAIN: self.train, Region.VALIDATION: self.validation, Region.TEST: self.test}[region]

    def to_json(self) -> dict[str, Any]:
        regions = {}
        for region in Region:
            split = self.region(region)
            regions[region.value] = {
                "segments": [[segment.first, segment.last] for segment in split.segments],
                "windows_per_segment": split.windows_per_segment,
            }
        return {"horizon": self.horizon, **regions}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Splits:
        """Inverse of `to_json`."""
        regions = {
            region.value: Split(
                region=region,
                segments=tuple(Segment(first=first, last=last) for first, last in record[region.value]["segments"]),
                windows_per_segment=record[region.value]["windows_per_segment"],
            )
            for region in Region
        }
        return cls(horizon=record["horizon"], **regions)


def make_splits(
    dates_T: NDArray[np.datetime64], splits: SplitParams, context_length: int, horizon: int, seed: int
) -> Splits:
    """Cut the T days into regions as `splits` says. Raises BadInput when a region would hold no day.

    ``dates``: train | validation | test in time order, cut at the two dates or, where they are null, by
    fractions of the row count. ``chunks``: blocks of days, shuffled by `seed`, go to validation, then test;
    every other day, the remainder after the last whole block included, is a training day.
    """
    if splits.kind == "chunks":
        return _chunks(len(dates_T), splits, context_length, horizon, seed)
    return _in_time_order(dates_T, splits, horizon)


def _in_time_order(dates_T: NDArray[np.datetime64], splits: SplitParams, horizon: int) -> Splits:
    days = len(dates_T)
    if splits.validation_start is not None and splits.test_start is not None:
        cut, end = (
            int(np.searchsorted(dates_T, np.datetime64(day, "D")))
            for day in (splits.validation_start, splits.test_start)
        )
        way_out = "set splits.validation_start and splits.test_start to two of these days, or both to null"
        where = f"splits.validation_start is {splits.validation_start}, splits.test_start {splits.test_start}"
    else:
        end = days - _share(splits.test_fraction, days)
        cut = end - _share(splits.validation_fraction, days)
        way_out = "raise the fractions, or bring longer data"
        where = f"the fractions are {splits.validation_fraction} (validation) and {splits.test_fraction} (test)"
    bounds = {Region.TRAIN: (0, cut), Region.VALIDATION: (cut, end), Region.TEST: (end, days)}
    empty = [region.value for region, (first, stop) in bounds.items() if first >= stop]
    if empty:
        span = f"the {days} days run from {dates_T[0]} to {dates_T[-1]}" if days else "there are no days"
        raise BadInput(f"splits: no day is left for {' and '.join(empty)}: {span}, {where}; {way_out}")
    return _splits(horizon, {region: [Segment(first=first, last=stop - 1)] for region, (first, stop) in bounds.items()})


def _chunks(days: int, splits: SplitParams, context_length: int, horizon: int, seed: int) -> Splits:
    single = splits.windows_per_block == 1
    block_days = context_length + horizon if single else splits.block_days
    if block_days < context_length + horizon:
        raise BadInput(
            f"splits.block_days must be at least windows.context_length + horizon ({context_length} + {horizon}), "
            f"got {block_days}: no window would fit into a block"
        )
    blocks = days // block_days
    order = np.arange(blocks)
    np.random.default_rng(seed).shuffle(order)
    n_validation, n_test = _share(splits.validation_fraction, blocks), _share(splits.test_fraction, blocks)
    if min(n_validation, n_test, blocks - n_validation - n_test) < 1:
        raise BadInput(
            f"splits: {days} days hold {blocks} blocks of {block_days}: {n_validation} for validation, {n_test} for "
            "test; every region needs one: shorten splits.block_days or raise the fractions"
        )
    chosen = {Region.VALIDATION: order[:n_validation], Region.TEST: order[n_validation : n_validation + n_test]}
    segments = {
        region: [Segment(first=b * block_days, last=(b + 1) * block_days - 1) for b in sorted(numbers.tolist())]
        for region, numbers in chosen.items()
    }
    segments[Region.TRAIN] = _gaps(days, [segment for held in segments.values() for segment in held])
    return _splits(horizon, segments, windows_per_segment=1 if single else None)


def _gaps(days: int, held: Iterable[Segment]) -> list[Segment]:
    """The runs of rows that no segment of `held` covers."""
    gaps = []
    first = 0
    for segment in [*sorted(held, key=lambda segment: segment.first), Segment(first=days, last=days)]:
        if first < segment.first:
            gaps.append(Segment(first=first, last=segment.first - 1))
        first = segment.last + 1
    return gaps


def _share(fraction: float, count: int) -> int:
    # 0.29 * 100 is 28.999...96 in binary; the floor of the decimal product is meant.
    return math.floor(fraction * count + 1e-9)


def _splits(horizon: int, segments: Mapping[Region, list[Segment]], windows_per_segment: int | None = None) -> Splits:
    per_segment = {Region.TRAIN: None, Region.VALIDATION: windows_per_segment, Region.TEST: windows_per_segment}
    regions = {
        region.value: Split(region=region, segments=tuple(segments[region]), windows_per_segment=per_segment[region])
        for region in Region
    }
    return Splits(horizon=horizon, **regions)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionCount:
    """Windows of a region and how many are labelled 1, or with a return above 0; all others are negatives.

    The days are the first and last day a label is asked on.
    """

    windows: int
    positives: int
    base_rate: float | None
    first_day: dt.date | None
    last_day: dt.date | None

    @property
    def negatives(self) -> int:
        return self.windows - self.positives

    def to_json(self) -> dict[str, Any]:
        return {
            "windows": self.windows,
            "positives": self.positives,
            "base_rate": self.base_rate,
            "first_day": None if self.first_day is None else self.first_day.isoformat(),
            "last_day": None if self.last_day is None else self.last_day.isoformat(),
        }


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
            first_day=dates_T[ends_N[0]].astype("datetime64[D]").item(),
            last_day=dates_T[ends_N[-1]].astype("datetime64[D]").item(),
        )
    return counts


def check_splits(counts: Mapping[Region, RegionCount], splits: SplitParams, horizon: int) -> tuple[str, ...]:
    """Notes on a usable split; BadInput for one that cannot be measured on.

    Validation and test need `splits.min_positives` windows of each class, training one of each. A note names
    the base rates where the largest is over 1.5 times the smallest: a constant forecast then misleads.
    """
    faults = []
    for region, count in counts.items():
        least = 1 if region is Region.TRAIN else splits.min_positives
        if count.windows == 0:
            faults.append(f"{region.value} has no window: no run of its days holds an input and its label")
            continue
        for number, words in ((count.positives, "positives"), (count.negatives, "negatives")):
            if number < least:
                faults.append(f"{region.value} has {number} {words} among {count.windows} windows, needs {least}")
    if faults:
        raise BadInput(f"horizon {horizon}: the split is too thin to judge a model on ({_ways_out(splits)}):", faults)
    rates = {region: count.base_rate for region, count in counts.items() if count.base_rate is not None}
    if max(rates.values()) > _SWING * min(rates.values()):
        listed = ", ".join(f"{region.value} {rate:.1%}" for region, rate in rates.items())
        return (f"horizon {horizon}: base rates swing between regions: {listed}",)
    return ()


def _ways_out(splits: SplitParams) -> str:
    if splits.kind == "chunks" and splits.windows_per_block == 1:
        room = "set splits.windows_per_block to all, or raise the fractions"
    elif splits.kind == "chunks":
        room = "set splits.block_days to 160 or more, change study.seed, or raise the fractions"
    elif splits.validation_start is not None:
        room = "move splits.validation_start and splits.test_start to give validation and test more days"
    else:
        room = "raise splits.validation_fraction and splits.test_fraction"
    return f"{room}; choose a more frequent target.task; bring longer data; or lower splits.min_positives knowingly"
