"""Find the parameters of params.yaml that must change for a first study of bars that were just ingested."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.split_files import horizon_splits
from tsladder.data.tier_columns import warm_up
from tsladder.errors import BadInput
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.tasks import load as load_task

if TYPE_CHECKING:
    import pandas as pd


def first_settings(places: Places, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return leaf=value of each parameter, data.symbol aside, that must change for the stage splits to accept these
    bars as those of the study in params.yaml. `frame`: Date, Open, High, Low, Close, and Volume where there is one.

    - data.volume, where there is no volume or it is the same on every day.
    - the dates of splits, where a region between them would hold too few of these days.
    - target.task, where validation or test would have fewer than splits.min_positives positives or negatives: the
      nearest of its alternatives that has enough.

    Without a readable params.yaml only the first is known. Days that the tier loses to warm-up are left out; days that
    VIX does not have are not.
    """
    settings = [] if _has_volume(frame) else ["data.volume=false"]
    try:
        params = load_params(places.params)
    except BadInput:
        return tuple(settings)
    table = _prices(params, frame)
    if params.splits.validation_start is not None and _has_too_few_days(params, table.dates_T):
        settings += ["splits.validation_start=null", "splits.test_start=null"]
        by_fractions = dataclasses.replace(params.splits, validation_start=None, test_start=None)
        params = dataclasses.replace(params, splits=by_fractions)
    task = _possible_task(params, table)
    return (*settings, *([] if task == params.target.task else [f"target.task={task}"]))


def _has_volume(frame: pd.DataFrame) -> bool:
    return "Volume" in frame and bool(frame["Volume"].max() > frame["Volume"].min())


def _prices(params: Params, frame: pd.DataFrame) -> FeatureTable:
    """Return the rows that the features stage keeps of these bars, without any feature."""
    lost = warm_up(params.data)
    kept = frame.iloc[lost:]
    open_T, high_T, low_T, close_T = (
        kept[name].to_numpy(dtype=np.float64) for name in ("Open", "High", "Low", "Close")
    )
    return FeatureTable(
        symbol=params.data.symbol,
        tier=params.data.tier,
        ohlcv=params.data.ohlcv,
        dates_T=kept["Date"].to_numpy().astype("datetime64[D]"),
        columns=(),
        values_TF=np.empty((len(kept), 0)),
        open_T=open_T,
        high_T=high_T,
        low_T=low_T,
        close_T=close_T,
        warm_up=lost,
    )


def _has_too_few_days(params: Params, dates_T: NDArray[np.datetime64]) -> bool:
    """Check whether some region holds at most `splits.min_positives` windows on the longest horizon."""
    context_length, horizon = params.windows.context_length, max(params.horizons)
    try:
        splits = make_splits(dates_T, params.splits, context_length, horizon, params.study.seed)
    except BadInput:
        return True
    regions = (splits.train, splits.validation, splits.test)
    fewest = min(len(region.ends_N(context_length, horizon)) for region in regions)
    return fewest <= params.splits.min_positives


def _possible_task(params: Params, table: FeatureTable) -> str:
    """Return the task nearest to the one in params.yaml that the splits stage accepts on every horizon; the one in
    params.yaml itself where it has no alternatives, and where there are too few days for any."""
    current = params.target.task
    alternatives = load_task(current).alternatives
    if not alternatives:
        return current
    for task in (current, *alternatives):
        if _is_accepted(params, table, task):
            return task
    return current if _has_too_few_days(params, table.dates_T) else alternatives[-1]


def _is_accepted(params: Params, table: FeatureTable, task: str) -> bool:
    changed: dict[str, Any] = {"task": task}
    candidate = dataclasses.replace(params, target=dataclasses.replace(params.target, **changed))
    try:
        for horizon in params.horizons:
            horizon_splits(table, candidate, horizon)
    except BadInput:
        return False
    return True
