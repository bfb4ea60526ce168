"""Ranks of the stocks of each day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-12
"""Values closer than this share of the day's largest are ties, so that the unit of a price cannot change an order."""


def places(values_DS: NDArray[np.floating], among_DS: Mask, *, rounding: float = 0.0) -> tuple[Floats, Floats]:
    """Count, for each stock in `among_DS`, those with a lower value and those with the same value, itself included.

    Returns (below_DS, same_DS), NaN for stocks outside `among_DS`. Values inside must be finite. Neighbours in sorted
    order are the same if they differ by at most `rounding` times the day's largest absolute value.
    """
    days, stocks = among_DS.shape
    keys_DS = np.where(among_DS, values_DS, np.inf)
    order_DS = np.argsort(keys_DS, axis=1, kind="stable")
    sorted_DS = np.take_along_axis(keys_DS, order_DS, axis=1)
    begins_DS = np.ones((days, stocks), dtype=bool)
    slack_D1 = rounding * np.abs(np.where(among_DS, values_DS, 0.0)).max(axis=1, keepdims=True, initial=0.0)
    # Stocks outside `among_DS` lie at infinity; infinity plus the slack is infinity, so they form one group.
    begins_DS[:, 1:] = sorted_DS[:, 1:] > sorted_DS[:, :-1] + slack_D1
    place_S = np.arange(stocks, dtype=np.float64)
    first_DS = np.maximum.accumulate(np.where(begins_DS, place_S, 0.0), axis=1)
    # The same scan from the other end: a group ends where the next one begins.
    ends_DS = np.ones((days, stocks), dtype=bool)
    ends_DS[:, :-1] = begins_DS[:, 1:]
    last_DS = np.minimum.accumulate(np.where(ends_DS, place_S, stocks)[:, ::-1], axis=1)[:, ::-1]
    below_DS, same_DS = np.empty((days, stocks)), np.empty((days, stocks))
    np.put_along_axis(below_DS, order_DS, first_DS, axis=1)
    np.put_along_axis(same_DS, order_DS, last_DS - first_DS + 1.0, axis=1)
    return np.where(among_DS, below_DS, np.nan), np.where(among_DS, same_DS, np.nan)


def average_ranks(values_DS: NDArray[np.floating], among_DS: Mask) -> Floats:
    """Return ranks from 1 for the lowest value; equal values share their mean rank; NaN outside `among_DS`."""
    below_DS, same_DS = places(values_DS, among_DS)
    return below_DS + (same_DS + 1.0) / 2.0


def centred_ranks(values_DS: NDArray[np.floating], among_DS: Mask) -> Floats:
    """Return scaled ranks: sqrt(12) * ((rank - 1/2) / n - 1/2) of the n stocks in `among_DS` that have a value.

    Their mean is 0, their variance just below 1. Stocks in `among_DS` without a value get 0, the middle; others NaN.
    """
    valued_DS = among_DS & np.isfinite(values_DS)
    below_DS, same_DS = places(values_DS, valued_DS, rounding=ROUNDING)
    count_D1 = np.maximum(valued_DS.sum(axis=1, keepdims=True), 1)
    ranks_DS = np.sqrt(12.0) * ((below_DS + same_DS / 2.0) / count_D1 - 0.5)
    return np.where(valued_DS, ranks_DS, np.where(among_DS, 0.0, np.nan))
