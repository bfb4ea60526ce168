"""Metrics of forecasts of a return on one region, from the returns and the forecasts alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HUBER_DELTA = 1.0
"""Point at which Huber's loss (1964) turns from a square into a line, in standard deviations of the training labels."""

_LEAST_SPREAD = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnScores:
    """Metrics of one forecast of returns.

    huber          mean Huber loss of (return - forecast) / scale
    ic             information coefficient: Spearman's rank correlation of forecast and return
    pearson        their linear correlation; both None where the forecast or the return does not vary
    r2             1 - squared error / squared error of the training mean; None where that never errs
    sign_hit_rate  share of windows whose sign was forecast, a 0 on either side left out; None where none remains
    rmse           root mean squared error, a log return
    """

    huber: float
    ic: float | None
    pearson: float | None
    r2: float | None
    sign_hit_rate: float | None
    rmse: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingReturns:
    """Statistics of the training labels that apply to every region: mean, standard deviation and share above 0."""

    mean: float
    scale: float
    share_up: float

    @classmethod
    def of(cls, y_N: NDArray[np.floating]) -> TrainingReturns:
        """Compute the statistics of the labels. Raises ValueError where all are equal: there is no unit to measure an
        error in."""
        y = np.asarray(y_N, dtype=np.float64)
        scale = scale_of(y)
        return cls(mean=float(y.mean()), scale=scale, share_up=float((y > 0.0).mean()))


def scale_of(y_N: NDArray[np.floating]) -> float:
    """Return the standard deviation of the training labels: the unit of a model's output and of the Huber loss.

    Raises ValueError where it is 0.
    """
    scale = float(np.std(np.asarray(y_N, dtype=np.float64)))
    if not scale > 0.0:
        raise ValueError("training labels that are all one have no standard deviation to measure errors in")
    return scale


def per_day_huber(y_N: NDArray[np.floating], forecast_N: NDArray[np.floating], scale: float) -> Floats:
    """Return Huber's loss of each day: with z = (y - forecast) / scale, z^2 / 2 up to |z| = HUBER_DELTA, beyond it a
    line.

    Raises ValueError for values that are not finite and for arrays that do not pair up.
    """
    y, forecast = _checked(y_N, forecast_N)
    z = np.abs(y - forecast) / scale
    return np.where(z <= HUBER_DELTA, 0.5 * z**2, HUBER_DELTA * (z - 0.5 * HUBER_DELTA))


def score_returns(
    y_N: NDArray[np.floating], forecast_N: NDArray[np.floating], training: TrainingReturns
) -> ReturnScores:
    """Compute all metrics of `forecast_N` for the returns `y_N`."""
    y, forecast = _checked(y_N, forecast_N)
    squared = float(np.sum((y - forecast) ** 2))
    of_mean = float(np.sum((y - training.mean) ** 2))
    signed = (y != 0.0) & (forecast != 0.0)
    return ReturnScores(
        huber=float(per_day_huber(y, forecast, training.scale).mean()),
        ic=correlation(midranks(y), midranks(forecast)),
        pearson=correlation(y, forecast),
        r2=1.0 - squared / of_mean if of_mean > 0.0 else None,
        sign_hit_rate=float((np.sign(y) == np.sign(forecast))[signed].mean()) if signed.any() else None,
        rmse=float(np.sqrt(squared / y.size)),
    )


def correlation(one_N: Floats, other_N: Floats) -> float | None:
    """Return Pearson's correlation; None where one of the two does not vary."""
    one, other = one_N - one_N.mean(), other_N - other_N.mean()
    spreads = [float(np.sqrt(np.mean(values**2))) for values in (one, other)]
    sizes = [float(np.abs(values).max()) for values in (one_N, other_N)]
    if any(spread <= _LEAST_SPREAD * max(size, _LEAST_SPREAD) for spread, size in zip(spreads, sizes, strict=True)):
        return None
    return float(np.mean(one * other) / (spreads[0] * spreads[1]))


def midranks(values_N: Floats) -> Floats:
    """Return ranks from 1, with equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values_N, return_inverse=True, return_counts=True)
    ranks: Floats = np.cumsum(counts) - (counts - 1) / 2.0
    return ranks[inverse]


def _checked(y_N: NDArray[np.floating], forecast_N: NDArray[np.floating]) -> tuple[Floats, Floats]:
    y, forecast = np.asarray(y_N, dtype=np.float64), np.asarray(forecast_N, dtype=np.float64)
    if y.ndim != 1 or y.shape != forecast.shape or y.size == 0:
        raise ValueError(f"returns and forecasts must pair up, one of each a day; got {y.shape} and {forecast.shape}")
    if not (np.isfinite(y).all() and np.isfinite(forecast).all()):
        raise ValueError("returns and forecasts must be finite numbers")
    return y, forecast
