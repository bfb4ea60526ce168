"""Regions of the sample days of a panel: train, validation and test by date, in a walk forward or in purged folds."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tsladder.data.cuts import make_splits
from tsladder.data.splits import Fold, Segment, Split, Splits
from tsladder.errors import BadInput
from tsladder.panel.days import DayAxis
from tsladder.params import PanelSplitParams, SplitParams
from tsladder.vocabulary import Region


def cut_days(axis: DayAxis, splits: PanelSplitParams, context_length: int, span: int) -> Splits:
    """Split the sessions from `first_row` on into regions. Rows are rows of the panel; the horizon is `span`.

    ``dates`` and ``walk_forward``: see `data.cuts`. ``purged_kfold``: the sessions before test are divided into
    `folds` blocks of equal length. The fold that validates on a block trains on the sessions before it, up to the
    purge, and on those after it, from the end of the embargo::

        | training   ppp|validation|eeeeeee training    | test

    No training window, including the days of its labels, shares a session with the block or its embargo. The last
    fold validates on the last block, which lies directly before test; `train` and `validation` of the result are its
    regions. Raises BadInput where a region would have no day.
    """
    dates_T = axis.dates_T[axis.first_row :]
    _refuse_purge(splits, span)
    if splits.kind == "purged_kfold":
        cut = _purged_kfold(dates_T, splits, span)
    else:
        cut = make_splits(dates_T, _series_params(splits), context_length, span, seed=0)
    return cut.each(lambda split: _shifted(split, axis.first_row))


def _shifted(split: Split, rows: int) -> Split:
    segments = tuple(Segment(first=each.first + rows, last=each.last + rows) for each in split.segments)
    return replace(split, segments=segments)


def _series_params(splits: PanelSplitParams) -> SplitParams:
    """Convert the section splits to that of a series study, in which windows take the place of sample days."""
    if splits.kind == "purged_kfold":
        raise ValueError("a series is not cut into purged folds")
    shared = ("validation_start", "test_start", "validation_fraction", "test_fraction", "folds", "embargo_days")
    return SplitParams(
        kind=splits.kind,
        purge_days=splits.purge_days,
        block_days=2,
        windows_per_block="all",
        min_positives=0,
        **{name: getattr(splits, name) for name in shared},
    )


def _refuse_purge(splits: PanelSplitParams, span: int) -> None:
    if splits.kind != "dates" and splits.purge_days is not None and splits.purge_days < span:
        raise BadInput(
            f"splits.purge_days must be at least target.entry_lag + horizon ({span}), got {splits.purge_days}: "
            "training labels would reach into validation; raise it, or set it to null for the smallest purge"
        )


def _purged_kfold(dates_T: NDArray[np.datetime64], rules: PanelSplitParams, span: int) -> Splits:
    days = len(dates_T)
    if rules.test_start is not None:
        stop = int(np.searchsorted(dates_T, np.datetime64(rules.test_start, "D")))
    else:
        stop = days - math.floor(rules.test_fraction * days + 1e-9)
    if stop >= days or stop < rules.folds:
        raise BadInput(
            f"splits: test needs at least one session, and splits.folds is {rules.folds}, so that as many sessions are "
            f"needed before test; {stop} of the {days} sessions from {dates_T[0]} to {dates_T[-1]} lie before it: move "
            "splits.test_start, change splits.test_fraction, or lower splits.folds"
        )
    purged = span if rules.purge_days is None else rules.purge_days
    starts = [stop * number // rules.folds for number in range(rules.folds + 1)]
    folds = []
    for first, after in itertools.pairwise(starts):
        # The labels of a segment's last windows use its last `span` sessions: that many of the purged ones stay in it.
        sides = (
            Segment(first=0, last=first - 1 - (purged - span)),
            Segment(first=after + rules.embargo_days, last=stop - 1),
        )
        trained = tuple(side for side in sides if side.first <= side.last)
        folds.append(
            Fold(
                train=Split(region=Region.TRAIN, segments=trained),
                validation=Split(region=Region.VALIDATION, segments=(Segment(first=first, last=after - 1),)),
            )
        )
    *earlier, last = folds
    test = Split(region=Region.TEST, segments=(Segment(first=stop, last=days - 1),))
    return Splits(horizon=span, train=last.train, validation=last.validation, test=test, earlier=tuple(earlier))
