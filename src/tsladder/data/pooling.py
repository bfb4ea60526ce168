"""The splits of every symbol of a study, and the pooled ones with the training windows of all symbols.

The study's own symbol is cut as `splits` says, whether or not there are others; validation and test are its alone. The
others follow its calendar: their training days end before the DATE on which its validation begins, their validation and
test days lie between the same dates. Dates are used, not rows: two markets may move almost as one (S&P 500 and Nasdaq),
so that a window of the other one in the years of validation would show the model the very days it is chosen or tested
on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.data.contiguous import without_lost_days
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Segment, Split, Splits
from tsladder.errors import BadInput
from tsladder.params import SplitParams
from tsladder.vocabulary import Region


@dataclass(frozen=True, kw_only=True, slots=True)
class PooledSplits:
    """The splits of all symbols. `own`: of the study's symbol. `further`: of the others, by name. Rows are those of the
    common table.

    `thinned`: a note for each symbol whose days were lost to a second series.
    """

    own: Splits
    further: Mapping[str, Splits]
    thinned: tuple[str, ...]

    @property
    def pooled(self) -> Splits:
        """Training windows of all symbols, with validation and test of the study's own. No segment, and so no window,
        crosses from one symbol to another."""
        segments = [segment for splits in (self.own, *self.further.values()) for segment in splits.train.segments]
        return dataclasses.replace(self.own, train=dataclasses.replace(self.own.train, segments=tuple(segments)))


def cut_symbols(table: FeatureTable, splits: SplitParams, context_length: int, horizon: int, seed: int) -> PooledSplits:
    """Cut every symbol of `table` into regions, around the days it lost.

    Raises BadInput where a region of the study's own symbol would hold no day, or another symbol gives no training
    window; it may well have none to validate or test on.
    """
    own, *others = table.by_symbol()
    whole = make_splits(own.dates_T, splits, context_length, horizon, seed=seed)
    found = without_lost_days(whole, own.dates_T, own.lost_between, context_length)
    several = len(others) > 0
    thinned = [*_thinned(own, whole, found, context_length, named=several)]
    starts = _starts(own, splits, whole)
    further = {}
    for other, first_row in zip(others, table.first_rows[1:], strict=True):
        whole = _between(other.dates_T, starts, horizon)
        cut = without_lost_days(whole, other.dates_T, other.lost_between, context_length)
        _refuse_untrainable(other, cut, context_length, starts[0])
        thinned += _thinned(other, whole, cut, context_length, named=several)
        further[other.symbol] = _moved(cut, first_row)
    return PooledSplits(own=found, further=further, thinned=tuple(thinned))


def _starts(own: FeatureTable, splits: SplitParams, whole: Splits) -> tuple[np.datetime64, np.datetime64]:
    """Return the dates on which validation and test begin: as configured, or the first days of those regions."""
    if splits.validation_start is not None and splits.test_start is not None:
        return np.datetime64(splits.validation_start, "D"), np.datetime64(splits.test_start, "D")
    validation, test = (own.dates_T[region.segments[0].first] for region in (whole.validation, whole.test))
    return validation, test


def _between(dates_T: NDArray[np.datetime64], starts: tuple[np.datetime64, np.datetime64], horizon: int) -> Splits:
    cut, end = (int(np.searchsorted(dates_T, day)) for day in starts)

    def split(region: Region, first: int, stop: int) -> Split:
        return Split(region=region, segments=(Segment(first=first, last=stop - 1),) if first < stop else ())

    return Splits(
        horizon=horizon,
        train=split(Region.TRAIN, 0, cut),
        validation=split(Region.VALIDATION, cut, end),
        test=split(Region.TEST, end, len(dates_T)),
    )


def _moved(splits: Splits, first_row: int) -> Splits:
    """Shift `splits` of a symbol's own rows to the rows of the table in which it begins at `first_row`."""

    def moved(split: Split) -> Split:
        segments = tuple(Segment(first=s.first + first_row, last=s.last + first_row) for s in split.segments)
        return dataclasses.replace(split, segments=segments)

    return splits.each(moved)


def _refuse_untrainable(table: FeatureTable, splits: Splits, context_length: int, validation: np.datetime64) -> None:
    if len(splits.train.ends_N(context_length, splits.horizon)) > 0:
        return
    raise BadInput(
        f"data.symbols: {table.symbol} gives no training window at horizon {splits.horizon}: {context_length} days and "
        f"their label must lie before validation begins on {validation}, and its {len(table.dates_T)} days with "
        f"features run from {table.dates_T[0]} to {table.dates_T[-1]}; leave it out, or bring longer data"
    )


def _thinned(
    table: FeatureTable, whole: Splits, splits: Splits, context_length: int, *, named: bool
) -> tuple[str, ...]:
    """Return a note on the windows that lost days cost; none where no day was lost between two others.

    `named`: the note names the symbol.
    """
    lost = table.lost_between
    if not lost:
        return ()
    costs = []
    for region in Region:
        before, after = (len(each.region(region).ends_N(context_length, each.horizon)) for each in (whole, splits))
        costs.append(f"{region.value} {before - after} of {before}")
    days = f"{lost[0]} is" if len(lost) == 1 else f"{len(lost)} days from {lost[0]} to {lost[-1]} are"
    cost = f"windows that reach across: {', '.join(costs)}"
    head = f"horizon {splits.horizon}{f', {table.symbol}' if named else ''}"
    return (f"{head}: {days} lost to a series that is missing there; {cost}",)
