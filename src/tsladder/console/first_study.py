"""Which leaves of params.yaml must differ for a first study of bars that were just ingested."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.data.tier_columns import warm_up
from tsladder.errors import BadInput
from tsladder.params import Params, SplitParams, load_params
from tsladder.places import Places
from tsladder.tasks import load as load_task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Prices:
    close_T: NDArray[np.float64]
    high_T: NDArray[np.float64]


def first_settings(places: Places, frame: pd.DataFrame) -> tuple[str, ...]:
    """leaf=value of each leaf, data.symbol aside, that stands in the way of the study that params.yaml asks when these
    bars are its symbol. `frame`: Date, Open, High, Low, Close, and Volume where there is one.

    - data.volume, where there is no volume or it is the same on every day.
    - the dates of splits, where a region between them would hold too few of these days.
    - target.task, where validation or test would have fewer than splits.min_positives positives or negatives: the
      nearest of its alternatives that has enough.

    Without a readable params.yaml only the first is known. Days that the tier loses to warm-up are left out, those that
    VIX does not have are not.
    """
    settings = ["data.volume=false"] if not _moves(frame) else []
    try:
        params = load_params(places.params)
    except BadInput:
        return tuple(settings)
    splits = params.splits
    frame = frame.iloc[warm_up(params.data) :]
    dates_T = frame["Date"].to_numpy().astype("datetime64[D]")
    if splits.validation_start is not None and _too_few(params, _regions(dates_T, splits)):
        splits = dataclasses.replace(splits, validation_start=None, test_start=None)
        settings += ["splits.validation_start=null", "splits.test_start=null"]
    task = _possible_task(params, frame, _regions(dates_T, splits))
    return (*settings, *([] if task is None or task == params.target.task else [f"target.task={task}"]))


def _moves(frame: pd.DataFrame) -> bool:
    return "Volume" in frame and bool(frame["Volume"].max() > frame["Volume"].min())


def _regions(dates_T: NDArray[np.datetime64], splits: SplitParams) -> tuple[slice, slice, slice]:
    """Rows of training, validation and test, in time order."""
    days = len(dates_T)
    if splits.validation_start is None or splits.test_start is None:
        test = days - round(splits.test_fraction * days)
        validation = test - round(splits.validation_fraction * days)
    else:
        starts = np.array([splits.validation_start, splits.test_start], dtype="datetime64[D]")
        validation, test = np.searchsorted(dates_T, starts).tolist()
    return slice(0, validation), slice(validation, test), slice(test, days)


def _too_few(params: Params, regions: Sequence[slice]) -> bool:
    """Does a region hold fewer days than a window, its label and `splits.min_positives` more?"""
    least = params.windows.context_length + max(params.horizons) + params.splits.min_positives
    return any(region.stop - region.start < least for region in regions)


def _possible_task(params: Params, frame: pd.DataFrame, regions: Sequence[slice]) -> str | None:
    """The task asked where it has no alternatives; None where neither it nor one of them has enough of both classes."""
    asked = params.target.task
    alternatives = load_task(asked).alternatives
    if not alternatives:
        return asked
    close_T, high_T = (frame[name].to_numpy(dtype=np.float64) for name in ("Close", "High"))
    prices = _Prices(close_T=close_T, high_T=high_T)
    for task in (asked, *alternatives):
        if all(_enough(params, task, prices, horizon, regions[1:]) for horizon in params.horizons):
            return task
    return None


def _enough(params: Params, task: str, prices: _Prices, horizon: int, judged: Sequence[slice]) -> bool:
    """Whether all `judged` regions have at least `splits.min_positives` days of a label above 0, and as many others.
    Windows that begin in a region end `context_length` days later."""
    if len(prices.close_T) <= horizon:
        return False
    positive_T = load_task(task).label(prices, params.target.price, horizon) > 0.0
    for region in judged:
        answers = positive_T[region.start + params.windows.context_length - 1 : region.stop - horizon]
        if min(answers.sum(), (~answers).sum()) < params.splits.min_positives:
            return False
    return True
