"""Which leaves of params.yaml must differ for a first study of bars that were just ingested."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tsladder.data.targets import threshold_percent
from tsladder.data.tier_columns import warm_up
from tsladder.errors import BadInput
from tsladder.params import Params, SplitParams, load_params
from tsladder.places import Places

if TYPE_CHECKING:
    import pandas as pd

_THRESHOLDS = ("threshold_0.5pct", "threshold_1pct", "threshold_2pct", "threshold_3pct", "threshold_5pct")


def first_settings(places: Places, frame: pd.DataFrame) -> tuple[str, ...]:
    """leaf=value of each leaf, data.symbol aside, that stands in the way of the study that params.yaml asks when these
    bars are its symbol. `frame`: Date, Open, High, Low, Close, and Volume where there is one.

    - data.volume, where there is no volume or it is the same on every day.
    - the dates of splits, where a region between them would hold too few of these days.
    - target.task, where validation or test would have fewer than splits.min_positives positives or negatives: the
      nearest threshold that has enough, else direction.

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
    """None where no task has enough of both answers; the task asked where it is no threshold, which has them."""
    asked = params.target.task
    if asked not in _THRESHOLDS:
        return asked
    percent = threshold_percent(asked)
    by_distance = sorted(_THRESHOLDS, key=lambda task: abs(math.log(threshold_percent(task) / percent)))
    close_T = frame["Close"].to_numpy(dtype=np.float64)
    price_T = frame["High"].to_numpy(dtype=np.float64) if params.target.price == "high" else close_T
    for task in by_distance:
        level_T = close_T * (1.0 + threshold_percent(task) / 100.0)
        if all(_enough(params, price_T, level_T, horizon, regions[1:]) for horizon in params.horizons):
            return task
    return None if _too_few(params, regions) else "direction"


def _enough(
    params: Params,
    price_T: NDArray[np.float64],
    level_T: NDArray[np.float64],
    horizon: int,
    judged: Sequence[slice],
) -> bool:
    """Have all `judged` regions at least `splits.min_positives` days that reach `level_T` within `horizon`, and as many
    that do not? Windows that begin in a region end `context_length` days later."""
    if len(price_T) <= horizon:
        return False
    reached_T = sliding_window_view(price_T[1:], horizon).max(axis=1) >= level_T[:-horizon]
    for region in judged:
        answers = reached_T[region.start + params.windows.context_length - 1 : region.stop - horizon]
        if min(answers.sum(), (~answers).sum()) < params.splits.min_positives:
            return False
    return True
