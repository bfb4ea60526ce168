"""Intervals of means of daily figures whose neighbours are dependent."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean with its percentile interval and standard error.

    `effective_n`: how many independent days would give the same standard error, at most the number of days;
    None for a constant series.
    """

    value: float
    low: float
    high: float
    se: float
    effective_n: float | None


def mean_interval(values_N: NDArray[np.floating], *, draws: int, confidence: float, seed: int) -> Interval:
    """Interval of the mean of `values_N`, in the order of its days, by the stationary block bootstrap.

    The mean block length follows Politis and White (2004, corrected 2009). Two models are compared by handing in
    their daily difference: the pairing is then exact. Equal inputs and seed give the same interval.
    Raises ValueError on an empty series and on values that are no numbers.
    """
    values = np.asarray(values_N, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"an interval needs a series of at least one day, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("an interval needs finite values")
    mean = float(values.mean())
    spread = float(values.std())
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return Interval(value=mean, low=mean, high=mean, se=0.0, effective_n=None)
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(_block_length(values), values, seed=np.random.default_rng(seed))
    means = bootstrap.apply(np.mean, draws)[:, 0]
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, (tail, 100.0 - tail))
    se = float(means.std(ddof=1))
    effective = min(float(values.size), spread**2 / se**2) if se > 0.0 else None
    return Interval(value=mean, low=float(low), high=float(high), se=se, effective_n=effective)


def _block_length(values: NDArray[np.float64]) -> int:
    """The estimate, rounded up, at most N / 3; N ** (1/3) where the days are too few or too regular to estimate it."""
    from arch.bootstrap import optimal_block_length

    n = values.size
    length = float("nan")
    if n >= 8:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            length = float(optimal_block_length(values)["stationary"].iloc[0])
    if not np.isfinite(length):
        length = n ** (1.0 / 3.0)
    return max(1, min(math.ceil(length), n // 3))
