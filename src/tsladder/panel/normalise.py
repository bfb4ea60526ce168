"""Normalise columns and labels within each day, to ranks or z-scores. No statistic is fitted over time.

Values of a day that differ only by rounding are ties, so that the unit of a price cannot change an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsladder.panel.panel import BoolTS, FloatTS

Normalisation = Literal["rank", "zscore", "none"]

_ROUNDING = 1e-12
_MAD_TO_SD = 1.4826
_CLIP = 3.0

_BLOCK = 16384
"""Values of a column that are normalised at once: whole sessions, few enough for the processor's cache."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Inputs:
    """Normalised columns, the inputs of a model.

    `here_TS`: True where a stock was traded and every column has a value. `x_TSF`: 0 in all columns elsewhere.
    """

    x_TSF: NDArray[np.float32]
    here_TS: BoolTS


def normalise(values_TSF: NDArray[np.float64], member_TS: BoolTS, kind: Normalisation) -> Inputs:
    """Normalise every column within each day, relative to the members that have a value.

    ``rank``: see `ranks`. ``zscore``: see `zscores`. ``none``: values stay unchanged. A stock that is not a member on a
    day is placed relative to the members: the day may lie in the window of a day on which it is one.
    """
    here_TS = np.empty(values_TSF.shape[:-1], dtype=np.bool_)
    x_TSF = np.zeros(values_TSF.shape, dtype=np.float32)
    at_once = max(1, _BLOCK // max(1, values_TSF.shape[1]))
    for first in range(0, len(values_TSF), at_once):
        rows = slice(first, first + at_once)
        here_TS[rows] = np.isfinite(values_TSF[rows]).all(axis=-1)
        for place in range(values_TSF.shape[-1]):
            values_TS = np.ascontiguousarray(values_TSF[rows, :, place])
            if kind != "none":
                values_TS = (ranks if kind == "rank" else zscores)(values_TS, member_TS[rows])
            x_TSF[rows, :, place] = np.where(here_TS[rows], values_TS, 0.0)
    return Inputs(x_TSF=x_TSF, here_TS=here_TS)


def ranks(values_TS: FloatTS, among_TS: BoolTS) -> FloatTS:
    """Return scaled ranks within each day: sqrt(12) * ((r - 1/2) / n - 1/2), with mean 0 and variance just below 1.

    r is the average rank of a value among the n values of the stocks in `among_TS`. A value of another stock gets the
    rank of the values it equals among them, or else lies halfway between its two neighbours. NaN where the value is
    NaN; 0 on a day on which no stock in `among_TS` has a value.
    """
    order_TS = np.argsort(values_TS, axis=1, kind="stable")
    sorted_TS = np.take_along_axis(values_TS, order_TS, axis=1)
    counted_TS = np.take_along_axis(among_TS & np.isfinite(values_TS), order_TS, axis=1)
    first_TS = _starts_group(sorted_TS, counted_TS)
    # Members before the group a value is in, and before the next group.
    before_TS: NDArray[np.int64] = np.cumsum(counted_TS, axis=1) - counted_TS
    below_TS = np.maximum.accumulate(np.where(first_TS, before_TS, 0), axis=1)
    n_T1 = counted_TS.sum(axis=1, keepdims=True)
    ends_TS = np.concatenate([first_TS[:, 1:], np.ones_like(first_TS[:, :1])], axis=1)
    through_TS = np.where(ends_TS, before_TS + counted_TS, n_T1)
    through_TS = np.minimum.accumulate(through_TS[:, ::-1], axis=1)[:, ::-1]
    middle_TS = (below_TS + through_TS) / 2.0
    placed_TS = np.where(n_T1 > 0, np.sqrt(12.0) * (middle_TS / np.maximum(n_T1, 1) - 0.5), 0.0)
    out_TS = np.empty_like(values_TS)
    np.put_along_axis(out_TS, order_TS, np.where(np.isnan(sorted_TS), np.nan, placed_TS), axis=1)
    return out_TS


def _starts_group(sorted_TS: FloatTS, counted_TS: BoolTS) -> BoolTS:
    """Mark each value of a sorted day that exceeds the one before it by more than rounding error.

    Rounding error is relative to the largest absolute value of the stocks in `counted_TS`: another stock, however large
    its value, changes no rank.
    """
    finite_TS = np.where(counted_TS, np.abs(sorted_TS), 0.0)
    slack_T1 = _ROUNDING * finite_TS.max(axis=1, keepdims=True, initial=0.0)
    apart_TS = ~(np.diff(sorted_TS, axis=1) <= slack_T1)
    return np.concatenate([np.ones_like(apart_TS[:, :1], shape=(len(sorted_TS), 1)), apart_TS], axis=1)


def zscores(values_TS: FloatTS, among_TS: BoolTS) -> FloatTS:
    """Return robust z-scores within each day: (value - median) / (1.4826 * median absolute deviation), clipped to +-3.

    Median and deviation are those of the stocks in `among_TS`. NaN where the value is NaN; 0 on a day whose deviation
    is 0 or on which no stock in `among_TS` has a value.
    """
    inside_TS = np.where(among_TS, values_TS, np.nan)
    centred_TS = values_TS - _median_T1(inside_TS)
    sd_T1 = _MAD_TO_SD * _median_T1(np.where(among_TS, np.abs(centred_TS), np.nan))
    flat_T1 = ~(sd_T1 > 0.0)
    scores_TS = np.clip(centred_TS / np.where(flat_T1, 1.0, sd_T1), -_CLIP, _CLIP)
    return np.where(np.isnan(values_TS), np.nan, np.where(flat_T1, 0.0, scores_TS))


def _median_T1(x_TS: FloatTS) -> FloatTS:
    """Return the median of each row's values that are not NaN; NaN for a row without any."""
    sorted_TS = np.sort(x_TS, axis=1)
    n_T1 = np.isfinite(sorted_TS).sum(axis=1, keepdims=True)
    low_T1, high_T1 = (
        np.take_along_axis(sorted_TS, np.maximum(place_T1, 0), axis=1) for place_T1 in ((n_T1 - 1) // 2, n_T1 // 2)
    )
    return np.where(n_T1 > 0, (low_T1 + high_T1) / 2.0, np.nan)
