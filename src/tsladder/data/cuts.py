"""The division of a series of days into regions: in time order, in shuffled blocks, or in folds of a walk forward."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from tsladder.data.splits import Fold, Segment, Split, Splits
from tsladder.errors import BadInput
from tsladder.params import SplitParams
from tsladder.vocabulary import Region


def make_splits(
    dates_T: NDArray[np.datetime64], splits: SplitParams, context_length: int, horizon: int, seed: int
) -> Splits:
    """Cut the T days into regions as `splits` says. Raises BadInput when a region would hold no day.

    ``dates``: train | validation | test in time order, cut at the two dates or, where they are null, by
    fractions of the row count. ``chunks``: blocks of days, shuffled by `seed`, go to validation, then test;
    every other day, the remainder after the last whole block included, is a training day.
    ``walk_forward``: test is cut off as with `dates`; the days from the start of validation to it are cut evenly into
    K = `folds` blocks. Fold k is validated on block k and trained on all days before it, so its training span grows::

        fold 1  | training       ppp|validation  e|
        fold 2  | training                     ppp|validation  e|
        fold 3  | training                                   ppp|validation  e|
        test                                                                  | test ...

    - p, `purge_days` (None: the horizon): no training window's last input day is among that many days before the block.
      With p = horizon the last label of training asks about the very day before the first day that validation shows;
      every further day is a day between the two that neither sees.
    - e, `embargo_days`: so many days at the end of every block belong to no validation window, label days included:
      they lie between the last label of a validation block and the first day that the next one, or test, shows.

    So no day is shared by training and validation of one fold, by two validation blocks, or by test and anything.
    The next fold does train on the days of a validation block and on those after it: they are the past by then.
    Raises ValueError for `purge_days` below the horizon, which params refuse.
    """
    if splits.kind == "chunks":
        return _chunks(len(dates_T), splits, context_length, horizon, seed)
    bounds = _in_time_order(dates_T, splits)
    if splits.kind == "walk_forward":
        return _walk_forward(bounds, splits, horizon)
    return _splits(horizon, {region: [Segment(first=first, last=stop - 1)] for region, (first, stop) in bounds.items()})


def _in_time_order(dates_T: NDArray[np.datetime64], splits: SplitParams) -> dict[Region, tuple[int, int]]:
    """Return the first row of every region, and the first row after it."""
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
    return bounds


def _walk_forward(bounds: Mapping[Region, tuple[int, int]], splits: SplitParams, horizon: int) -> Splits:
    """Cut the K folds of `make_splits` before its test region."""
    purge_days = horizon if splits.purge_days is None else splits.purge_days
    if purge_days < horizon:
        raise ValueError(f"purge_days ({purge_days}) below the horizon ({horizon}): labels would reach into validation")
    start, stop = bounds[Region.VALIDATION]
    starts = [start + (stop - start) * number // splits.folds for number in range(splits.folds + 1)]
    folds, faults = [], []
    for number, (first, after) in enumerate(itertools.pairwise(starts), start=1):
        # The end of a segment leaves room for the labels of its last windows: `horizon` of the purged days.
        trained = Segment(first=0, last=first - 1 - (purge_days - horizon))
        judged = Segment(first=first, last=after - 1 - splits.embargo_days)
        if trained.last < trained.first:
            faults.append(f"fold {number} has {first} days before its validation, and splits.purge_days takes them all")
        if judged.last < judged.first:
            faults.append(
                f"fold {number} has {after - first} days of validation, and splits.embargo_days takes them all"
            )
        folds.append(
            Fold(
                train=Split(region=Region.TRAIN, segments=(trained,)),
                validation=Split(region=Region.VALIDATION, segments=(judged,)),
            )
        )
    if faults:
        raise BadInput(
            f"splits: {splits.folds} folds leave no day to train or to validate on; lower splits.folds, "
            "splits.purge_days or splits.embargo_days, or move splits.validation_start:",
            faults,
        )
    *earlier, last = folds
    first, after = bounds[Region.TEST]
    test = Split(region=Region.TEST, segments=(Segment(first=first, last=after - 1),))
    return Splits(horizon=horizon, train=last.train, validation=last.validation, test=test, earlier=tuple(earlier))


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
    """Return the runs of rows that no segment of `held` covers."""
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
        region: Split(region=region, segments=tuple(segments[region]), windows_per_segment=per_segment[region])
        for region in Region
    }
    return Splits(
        horizon=horizon,
        train=regions[Region.TRAIN],
        validation=regions[Region.VALIDATION],
        test=regions[Region.TEST],
    )
