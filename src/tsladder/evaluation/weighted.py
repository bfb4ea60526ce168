"""AUC, average precision and ECE of many resamples of the same days at once. Letters: D draws, N days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.calibration import bins_of

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SortedForecasts:
    """The forecasts of one seed in ascending order, sorted once for all resamples.

    order_N         days in the order of their forecasts
    y_N             label of each day, in that order
    error_N         forecast less label, in that order
    positive_P      positions of the positive days
    first_P, last_P first and last position of the forecasts equal to that of each positive day
    bin_starts      first position of each calibration bin that is not empty
    """

    order_N: Rows
    y_N: Floats
    error_N: Floats
    positive_P: Rows
    first_P: Rows
    last_P: Rows
    bin_starts: Rows

    @classmethod
    def of(cls, y_N: Floats, p_N: Floats) -> SortedForecasts:
        order_N = np.argsort(p_N, kind="stable")
        p, y = p_N[order_N], y_N[order_N]
        positive_P = np.flatnonzero(y == 1.0)
        return cls(
            order_N=order_N,
            y_N=y,
            error_N=p - y,
            positive_P=positive_P,
            first_P=np.searchsorted(p, p[positive_P], side="left"),
            last_P=np.searchsorted(p, p[positive_P], side="right") - 1,
            bin_starts=np.unique(bins_of(p), return_index=True)[1],
        )

    def figures(self, weights_DN: Floats) -> Floats:
        """Return AUC, average precision and ECE (columns) of each draw; `weights_DN` counts how often a draw holds each
        day.

        The first two are NaN in a draw with a single class. The bins of the ECE are those of the original days.
        """
        sorted_DN = np.take(weights_DN, self.order_N, axis=1)
        gap_DB = np.abs(np.add.reduceat(sorted_DN * self.error_N, self.bin_starts, axis=1))
        ece_D = gap_DB.sum(axis=1) / sorted_DN.sum(axis=1)
        hits_DN = np.cumsum(sorted_DN * self.y_N, axis=1)
        passes_DN = np.cumsum(sorted_DN, axis=1) - hits_DN
        hits_D, passes_D = hits_DN[:, -1], passes_DN[:, -1]
        weight_DP = sorted_DN[:, self.positive_P]
        # Negative days below each positive one, and both kinds at or above it.
        below_DP, upto_DP = _before(passes_DN, self.first_P), passes_DN[:, self.last_P]
        hits_above_DP = hits_D[:, None] - _before(hits_DN, self.first_P)
        called_DP = hits_above_DP + passes_D[:, None] - below_DP
        with np.errstate(invalid="ignore"):
            auc_D = (weight_DP * (below_DP + upto_DP)).sum(axis=1) / (2.0 * hits_D * passes_D)
            precision_D = (weight_DP * hits_above_DP / np.maximum(called_DP, 1.0)).sum(axis=1) / hits_D
        one_class_D = (hits_D == 0.0) | (passes_D == 0.0)
        return np.stack([*(np.where(one_class_D, np.nan, x) for x in (auc_D, precision_D)), ece_D], axis=1)


def _before(sums_DN: Floats, place_P: Rows) -> Floats:
    """Return the running sums just before each position."""
    return np.where(place_P > 0, sums_DN[:, np.maximum(place_P - 1, 0)], 0.0)
