"""Sample days of a panel: find the days that can be samples, and split them into regions. One sample is one day.

The window of sample day t is the `context_length` sessions that end at t; its labels use the sessions t+1 to t+span,
where span is the entry lag plus the horizon. A day belongs to a region only if all of these sessions do: the rule of
`data.splits` for the windows of a series, with the span in place of the horizon. Sessions are numbered by their rows in
the panel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.panel_splits import DayCount
from tsladder.data.splits import Split
from tsladder.errors import BadInput
from tsladder.panel.normalise import Inputs
from tsladder.panel.panel import BoolTS
from tsladder.panel.targets import Labels
from tsladder.panel.universe import Universe
from tsladder.vocabulary import Region


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayAxis:
    """Sessions of a panel, and the cross-section of stocks of each, which decides whether it can be a sample.

    `stocks_TS`: the cross-sections: members with a value in every column. Labels have no influence on them.
    `first_row`: first session whose cross-section has at least `min_stocks` stocks; no window begins before it.
    """

    dates_T: NDArray[np.datetime64]
    stocks_TS: BoolTS
    min_stocks: int
    first_row: int

    @property
    def enough_T(self) -> NDArray[np.bool_]:
        """True on sessions whose cross-section has at least `min_stocks` stocks."""
        return np.asarray(self.stocks_TS.sum(axis=1) >= self.min_stocks)


def day_axis(dates_T: NDArray[np.datetime64], universe: Universe, inputs: Inputs, min_stocks: int) -> DayAxis:
    """Find the sessions that can be samples. Raises BadInput if no cross-section has `min_stocks` stocks."""
    stocks_TS = universe.member_TS & inputs.here_TS
    counts_T = stocks_TS.sum(axis=1)
    if not bool((counts_T >= min_stocks).any()):
        most = int(counts_T.max(initial=0))
        raise BadInput(
            f"universe.min_stocks is {min_stocks}, but no session has more than {most} members with a value in every "
            "column: lower universe.min_stocks or universe.min_history, use a smaller data.tier, or bring more stocks"
        )
    first_row = int(np.argmax(counts_T >= min_stocks))
    return DayAxis(dates_T=dates_T, stocks_TS=stocks_TS, min_stocks=min_stocks, first_row=first_row)


def sample_rows(axis: DayAxis, split: Split, context_length: int, span: int) -> NDArray[np.int64]:
    """Return the rows of the sample days of `split`, ascending: those with a large enough cross-section."""
    rows_N = split.ends_N(context_length, span)
    return rows_N[axis.enough_T[rows_N]]


def count_days(
    axis: DayAxis, split: Split, context_length: int, labels: Labels, place: int, symbols_S: tuple[str, ...]
) -> DayCount:
    """Count the samples of `split`, and their labels of the horizon with index `place`."""
    span = labels.spans_M[place]
    candidates_N = split.ends_N(context_length, span)
    rows_N = sample_rows(axis, split, context_length, span)
    thin_N = candidates_N[~axis.enough_T[candidates_N]]
    stocks_NS = axis.stocks_TS[rows_N]
    labelled_NS = stocks_NS & np.isfinite(labels.y_TSM[rows_N, :, place])
    left_NS = stocks_NS & labels.left_early_TSM[rows_N, :, place]
    return DayCount(
        samples=len(rows_N),
        judged=int((labelled_NS.sum(axis=1) >= axis.min_stocks).sum()),
        too_few=len(thin_N),
        first_day=_day(axis.dates_T[rows_N[:1]]),
        last_day=_day(axis.dates_T[rows_N[-1:]]),
        first_too_few=_day(axis.dates_T[thin_N[:1]]),
        labels=int(labelled_NS.sum()),
        no_entry=int((stocks_NS & labels.no_entry_TSM[rows_N, :, place]).sum()),
        left_early=int(left_NS.sum()),
        left=tuple(symbols_S[stock] for stock in np.flatnonzero(left_NS.any(axis=0))),
    )


def check_days(counts: Mapping[Region, DayCount], min_days: int, min_stocks: int) -> None:
    """Raise BadInput for a split with too few days to judge a model; the message names every such region.

    Training needs one sample; validation and test need `min_days` samples with at least `min_stocks` labelled stocks.
    """
    faults = []
    for region, count in counts.items():
        least, found = (1, count.samples) if region is Region.TRAIN else (min_days, count.judged)
        if found < least:
            thin = f"; {count.too_few} days have fewer, the first is {count.first_too_few}" if count.too_few else ""
            faults.append(f"{region.value} needs {least} days with at least {min_stocks} stocks, has {found}{thin}")
    if faults:
        raise BadInput(
            "splits: a region has too few days to judge a ranking; move the dates of splits, bring longer data or more "
            "stocks, or lower splits.min_days or universe.min_stocks:",
            faults,
        )


def _day(days: NDArray[np.datetime64]) -> dt.date | None:
    return days[0].astype("datetime64[D]").item() if len(days) else None
