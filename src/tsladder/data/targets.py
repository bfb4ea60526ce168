"""Labels: the outcome in the days after t. No other module looks forward."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.data.features import FeatureTable
from tsladder.errors import BadInput
from tsladder.params import TargetParams
from tsladder.tasks import load as load_task


def labels(table: FeatureTable, target: TargetParams, horizon: int) -> NDArray[np.float64]:
    """Return the label of every day t from RAW prices, as the task of `target` defines it; NaN for the last `horizon`
    days, whose future is unknown.

    Each symbol of the table ends in days without a label, and no label looks into the rows of another. Raises BadInput
    when no day of a symbol has a future.
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
    y_T[:-horizon] = load_task(target.task).label(table, target.price, horizon)
    return y_T


def horizon_of(y_T: NDArray[np.float64]) -> int:
    """Return the horizon of labels: the number of days at the end without a label."""
    known = np.flatnonzero(~np.isnan(y_T))
    return len(y_T) - 1 - int(known[-1]) if len(known) else len(y_T)


def require_horizon(y_T: NDArray[np.float64], horizon: int) -> None:
    """Check that labels and splits have the same horizon. Raises ValueError, since a mismatch is a bug."""
    if horizon_of(y_T) != horizon:
        raise ValueError(f"labels look {horizon_of(y_T)} days ahead, the splits keep room for {horizon}")
