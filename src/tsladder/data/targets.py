"""Labels: what happens in the days after t. The only module that looks forward."""

from __future__ import annotations

import re

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tsladder.data.features import FeatureTable
from tsladder.errors import BadInput
from tsladder.params import TargetParams

_THRESHOLD = re.compile(r"threshold_(?P<percent>\d+(?:\.\d+)?)pct")


def labels(table: FeatureTable, target: TargetParams, horizon: int) -> NDArray[np.float64]:
    """Label of every day t from RAW prices: 1 or 0, or a return; NaN for the last `horizon` days, whose future is
    unknown.

    ``threshold_Xpct``: 1 if max(P[t+1 .. t+H]) >= Close[t] * (1 + X/100), P the High or the Close
    (`target.price`). ``direction``: 1 if Close[t+H] > Close[t]. ``regression``: ln(Close[t+H] / Close[t]). Each symbol
    of the table ends in days without a label, and no label looks into the rows of another. Raises BadInput when no day
    of a symbol has a future.
    """
    return np.concatenate([_of_one_symbol(own, target, horizon) for own in table.by_symbol()])


def _of_one_symbol(table: FeatureTable, target: TargetParams, horizon: int) -> NDArray[np.float64]:
    days = len(table.close_T)
    if horizon < 1:
        raise BadInput(f"horizons: a target lies at least 1 day ahead, got {horizon}")
    if horizon >= days:
        raise BadInput(
            f"horizons: {horizon} days ahead need more than {horizon} days of features, and {table.symbol} has {days}: "
            "shorten the horizon or bring longer data"
        )
    y_T = np.full(days, np.nan)
    close_T = table.close_T[:-horizon]
    if target.task == "direction":
        y_T[:-horizon] = table.close_T[horizon:] > close_T
        return y_T
    if target.regression:
        y_T[:-horizon] = np.log(table.close_T[horizon:] / close_T)
        return y_T
    price_T = table.high_T if target.price == "high" else table.close_T
    best_T = sliding_window_view(price_T[1:], horizon).max(axis=1)
    y_T[:-horizon] = best_T >= close_T * (1.0 + threshold_percent(target.task) / 100.0)
    return y_T


def horizon_of(y_T: NDArray[np.float64]) -> int:
    """The horizon that `labels` was asked for: how many days at the end have no label."""
    known = np.flatnonzero(~np.isnan(y_T))
    return len(y_T) - 1 - int(known[-1]) if len(known) else len(y_T)


def require_horizon(y_T: NDArray[np.float64], horizon: int) -> None:
    """Guard: labels of one horizon never meet the splits of another. Raises ValueError, for it is a bug."""
    if horizon_of(y_T) != horizon:
        raise ValueError(f"labels look {horizon_of(y_T)} days ahead, the splits keep room for {horizon}")


def threshold_percent(task: str) -> float:
    """``threshold_0.5pct`` -> 0.5. Raises BadInput for any other form."""
    match = _THRESHOLD.fullmatch(task)
    if match is None:
        raise BadInput(f"target.task must be direction, regression or threshold_<X>pct, got {task!r}")
    return float(match["percent"])
