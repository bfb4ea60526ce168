"""Removal of windows that would reach across a lost day from the splits.

The days of a window are consecutive, and a label concerns the days right after.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tsladder.data.splits import Segment, Split, Splits


def without_lost_days(
    splits: Splits, dates_T: NDArray[np.datetime64], between: Sequence[str], context_length: int
) -> Splits:
    """Return `splits` of the table's days `dates_T`, with every segment cut at the days lost inside it.

    Where a segment keeps only one window, its first run that holds a window stays, and none where no run does.
    """
    if not between:
        return splits
    # The first row after each lost day begins a new run.
    starts = np.unique(np.searchsorted(dates_T, np.array(between, dtype="datetime64[D]")))
    span = context_length + splits.horizon

    def whole_runs(split: Split) -> Split:
        segments: list[Segment] = []
        for segment in split.segments:
            runs = [run for run in _runs(segment, starts) if run.last - run.first + 1 >= span]
            segments.extend(runs if split.windows_per_segment is None else runs[:1])
        return replace(split, segments=tuple(segments))

    return splits.each(whole_runs)


def _runs(segment: Segment, starts: NDArray[np.int64]) -> list[Segment]:
    inside = [int(row) for row in starts if segment.first < row <= segment.last]
    edges = [segment.first, *inside, segment.last + 1]
    return [Segment(first=first, last=stop - 1) for first, stop in itertools.pairwise(edges)]
