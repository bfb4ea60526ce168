"""Intervals of figures over days whose neighbours are dependent, by the stationary block bootstrap.

Resamples are handled as weights: weights_DN counts how often draw d holds day n. Every figure here is a function of the
weighted days, so one matrix serves all metrics and seeds.

A percentile interval of this bootstrap covers too rarely: its variance is biased downwards by the blocks' ends and by
centring at the sample's mean, and is itself estimated from few blocks. So the variance is corrected and enters a t
interval.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.evaluation.difference import bounds

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""A function of weights_DN that returns one row of K figures for each draw; NaN where a draw does not define one."""

_ROUNDING = 1e-24
"""Share of the squared figure below which a variance is rounding."""

_CELLS_AT_ONCE = 2_000_000

_SHORTEST_SHARED = 0.5
"""Least block of `shared_block_length`, as a multiple of the square root of the days. See docs/decisions.md,
2026-11-28."""


def mean_interval(
    values_N: NDArray[np.floating], *, draws: int, confidence: float, seed: int, block: int | None = None
) -> Interval:
    """Return the interval of the mean of `values_N`, in the order of its days, by the stationary block bootstrap.

    `block`: mean block length; None: estimated from the series itself. Two models are compared by passing their daily
    difference, which makes the pairing exact. Equal inputs and seed give the same interval. Raises ValueError for an
    empty series and for values that are not finite.
    """
    values = np.asarray(values_N, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"an interval needs a series of at least one day, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("an interval needs finite values")
    mean, spread, n = float(values.mean()), float(values.std()), values.size
    if spread**2 <= _ROUNDING * max(1.0, mean**2):
        return exact_interval(mean)
    variance_K, dof = dependent_variance(
        lambda weights_DN: np.einsum("dn,n->d", weights_DN, values)[:, None] / n,
        days=n,
        block=block_length(values) if block is None else block,
        draws=draws,
        seed=seed,
    )
    return t_interval(mean, float(variance_K[0]), spread**2 / n, days=n, dof=dof, confidence=confidence)


def exact_interval(value: float) -> Interval:
    """Return the interval of a figure that does not vary over days."""
    return Interval(value=value, low=value, high=value, se=0.0, effective_n=None, dof=None)


def t_interval(
    value: float, variance: float, independent_variance: float, *, days: int, dof: float, confidence: float
) -> Interval:
    """Return the t interval of a figure from its variance.

    `independent_variance`: variance that the figure would have if its days were independent; it gives the effective
    number of days.
    """
    if variance <= _ROUNDING * max(1.0, value**2):
        return exact_interval(value)
    low, high = bounds(value, [(variance, dof)], confidence=confidence)
    effective = min(float(days), days * independent_variance / variance)
    return Interval(value=value, low=low, high=high, se=math.sqrt(variance), effective_n=effective, dof=dof)


def dependent_variance(statistic: Statistic, *, days: int, block: int, draws: int, seed: int) -> tuple[Floats, float]:
    """Return (variance_K, degrees of freedom) of K figures over dependent days.

    A block of mean length b weighs the autocovariance at lag k by about (1 - 1/b)^k, which costs a share of the
    variance that halves when b doubles (Politis and White 2004): twice the variance at 2b, less that at b, is free of
    it. That share is never taken to be negative. The degrees of freedom are those of a spectral estimate at frequency
    zero with the same weights, days / sum of their squares.
    """
    rng = np.random.default_rng(seed)
    short_K = _centred_variance(statistic, days, block, draws, rng)
    long_K = _centred_variance(statistic, days, 2 * block, draws, rng)
    lags_N = 2.0 * _lag_weights(days, 2 * block) - _lag_weights(days, block)
    return np.maximum(2.0 * long_K - short_K, short_K), max(days / (1.0 + 2.0 * float((lags_N**2).sum())), 1.0)


def resampled_intervals(
    statistic: Statistic,
    values: Sequence[float | None],
    *,
    days: int,
    block: int,
    draws: int,
    confidence: float,
    seed: int,
) -> list[Interval | None]:
    """Return the interval of each of K figures over dependent days; `values` are the figures of the sample itself.

    An interval is None where the figure is undefined, or defined in fewer than two draws, which leave its variance
    unknown.
    """
    variance_K, dof = dependent_variance(statistic, days=days, block=block, draws=draws, seed=seed)
    independent_K = independent_variance(statistic, days=days, draws=draws, seed=seed)
    return [
        t_interval(value, float(variance), float(if_independent), days=days, dof=dof, confidence=confidence)
        if value is not None and math.isfinite(variance)
        else None
        for value, variance, if_independent in zip(values, variance_K, independent_K, strict=True)
    ]


def within(interval: Interval, lowest: float, highest: float) -> Interval:
    """Clip the ends of an interval to the range of the figure."""
    return replace(interval, low=max(interval.low, lowest), high=min(interval.high, highest))


def independent_variance(statistic: Statistic, *, days: int, draws: int, seed: int) -> Floats:
    """Return variance_K of the figures if the days were independent, by blocks of one day."""
    return _centred_variance(statistic, days, 1, draws, np.random.default_rng(seed))


def shared_block_length(constant_loss_N: NDArray[np.floating]) -> int:
    """Return the mean block length for the figures of every model that is scored on the same days.

    `constant_loss_N`: daily loss of a constant forecast, which depends on the labels alone. The length is the one
    estimated from that series, at least half the square root of N and at most N / 3. `block_length` of a model's own
    loss takes a correlation of .1 over 60 days either for none or for a long one: two models whose losses differ in the
    third digit get blocks of 3 and of 23 days. No block covers dependence over a good part of the region: intervals are
    then too narrow.
    """
    labels_N = np.asarray(constant_loss_N, dtype=np.float64)
    least = math.ceil(_SHORTEST_SHARED * math.sqrt(labels_N.size))
    return max(1, min(max(block_length(labels_N), least), labels_N.size // 3))


def block_length(values_N: Floats) -> int:
    """Estimate the mean block length by Politis and White (2004, corrected 2009), rounded up, at most N / 3.

    Where the days are too few or too regular for the estimate, it is N ** (1/3).
    """
    from arch.bootstrap import optimal_block_length

    n = values_N.size
    length = float("nan")
    if n >= 8:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            length = float(optimal_block_length(values_N)["stationary"].iloc[0])
    if not np.isfinite(length):
        length = n ** (1.0 / 3.0)
    return max(1, min(math.ceil(length), n // 3))


def resamples(days: int, block: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield weights_DN of `draws` resamples, some draws at a time so that memory stays bounded."""
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(block, np.empty(days), seed=rng)
    at_once = max(1, _CELLS_AT_ONCE // days)
    for first in range(0, draws, at_once):
        weights_DN = np.empty((min(at_once, draws - first), days))
        for weights_N in weights_DN:
            weights_N[:] = np.bincount(bootstrap.update_indices(), minlength=days)
        yield weights_DN


def _centred_variance(statistic: Statistic, days: int, block: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return the variance over draws, corrected for the known share lost by centring at the sample's mean."""
    figures_DK = np.concatenate([statistic(weights_DN) for weights_DN in resamples(days, block, draws, rng)])
    kept = (1.0 - (1.0 + 2.0 * float(_lag_weights(days, block).sum())) / days) if days > 1 else 1.0
    with warnings.catch_warnings():
        # Fewer than two draws that define a figure leave its variance unknown: NaN, which the caller sees.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanvar(figures_DK, axis=0, ddof=1), dtype=np.float64) / kept


def _lag_weights(days: int, block: int) -> Floats:
    """Return the bootstrap's weights of the autocovariances at lags 1 .. days - 1 (Politis and Romano 1994, Lemma
    1)."""
    lag_N = np.arange(1, days)
    return np.asarray((1.0 - lag_N / days) * (1.0 - 1.0 / block) ** lag_N, dtype=np.float64)
