"""Calibration of probabilities: expected calibration error, reliability bins and temperature scaling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import ReliabilityBin, Temperature
from tsladder.evaluation.metrics import CLIP, per_day_log_loss

Floats = NDArray[np.float64]
Probabilities = Mapping[int, NDArray[np.floating]]
"""Probability of every window by training seed."""

BINS = 10
_COLDEST, _HOTTEST = 0.01, 100.0


def bins_of(p_N: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the bin, 0 .. BINS - 1, of each forecast, in ascending order, cut at the forecasts' own deciles (equal
    counts).

    Equal forecasts share a bin whatever their number, so some bins may be larger than others, or empty: a constant
    forecast has a single one.
    """
    p = np.asarray(p_N, dtype=np.float64)
    inner = np.quantile(p, np.arange(1, BINS) / BINS)
    return np.searchsorted(inner, p, side="left")


def expected_calibration_error(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> float:
    """Return the ECE: the mean over days of |mean forecast - observed rate| of the day's bin.

    Even a perfect forecast has a positive ECE, because a bin's observed rate varies by chance.
    """
    return sum(b.windows * abs(b.predicted - b.observed) for b in reliability(y_N, {0: p_N})) / len(p_N)


def reliability(y_N: NDArray[np.floating], probabilities: Probabilities) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold a forecast, lowest first. Seeds are pooled, so each window counts once for each
    seed."""
    p = np.concatenate([np.asarray(p_N, dtype=np.float64) for _, p_N in sorted(probabilities.items())])
    y = np.tile(np.asarray(y_N, dtype=np.float64), len(probabilities))
    bin_of = bins_of(p)
    found = []
    for number in np.unique(bin_of):
        inside = bin_of == number
        found.append(
            ReliabilityBin(
                low=float(p[inside].min()),
                high=float(p[inside].max()),
                windows=int(inside.sum()),
                predicted=float(p[inside].mean()),
                observed=float(y[inside].mean()),
            )
        )
    return tuple(found)


def fit_temperature(y_N: NDArray[np.floating], probabilities: Probabilities) -> float:
    """Fit the temperature T, one for all seeds, under which sigmoid(logit / T) has the least mean log loss.

    The method is that of Guo et al. (2017). The loss is convex in 1/T, so the root of its slope is found by Brent's
    method. T stays within 0.01 .. 100: where the slope has no root there, T is the end of the range with the lower
    loss. T is 1 where every forecast is one half, since then no T changes anything.
    """
    from scipy.optimize import brentq

    z = np.concatenate([_logit(p_N) for _, p_N in sorted(probabilities.items())])
    y = np.tile(np.asarray(y_N, dtype=np.float64), len(probabilities))
    if float(np.abs(z).max()) < 1e-9:
        return 1.0

    def slope(log_temperature: float) -> float:
        """Return the slope of the loss in 1/T."""
        return float(np.mean((_sigmoid(z * np.exp(-log_temperature)) - y) * z))

    low, high = np.log(_COLDEST), np.log(_HOTTEST)
    if slope(low) <= 0.0:
        return _COLDEST
    if slope(high) >= 0.0:
        return _HOTTEST
    return float(np.exp(brentq(slope, low, high, xtol=1e-12)))


def at_temperature(p_N: NDArray[np.floating], temperature: float) -> Floats:
    """Return the forecasts with their logits divided by `temperature`; above 1 they become less certain."""
    return _sigmoid(_logit(p_N) / temperature)


def scored_at(y_N: NDArray[np.floating], probabilities: Probabilities, temperature: float) -> Temperature:
    """Score the seeds' forecasts on these windows after scaling by `temperature`."""
    cooled = [at_temperature(p_N, temperature) for _, p_N in sorted(probabilities.items())]
    return Temperature(
        value=temperature,
        log_loss=float(np.mean([per_day_log_loss(y_N, p_N).mean() for p_N in cooled])),
        ece=float(np.mean([expected_calibration_error(y_N, p_N) for p_N in cooled])),
    )


def _logit(p_N: NDArray[np.floating]) -> Floats:
    p = np.clip(np.asarray(p_N, dtype=np.float64), CLIP, 1.0 - CLIP)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def _sigmoid(z_N: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z_N)), dtype=np.float64)
