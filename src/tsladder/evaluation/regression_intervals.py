"""The interval of every metric of forecast returns over the days of a region. Letters: D draws, N days, G groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.evaluation.bootstrap import mean_interval, resampled_intervals, shared_block_length, within
from tsladder.evaluation.regression_metrics import TrainingReturns, per_day_huber, score_returns
from tsladder.evaluation.scores import mean_over_seeds
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_RANGES = {
    "ic": (-1.0, 1.0),
    "pearson": (-1.0, 1.0),
    "r2": (-math.inf, 1.0),
    "sign_hit_rate": (0.0, 1.0),
    "rmse": (0.0, math.inf),
}
"""Least and largest value of each metric that is not a mean of days, in the order of `_Resampled.figures`."""


def return_intervals(
    y_N: NDArray[np.floating],
    forecasts: Mapping[int, NDArray[np.floating]],
    training: TrainingReturns,
    *,
    params: EvaluationParams,
    seed: int,
) -> dict[str, Interval | None]:
    """Return the interval, over days, of the mean over seeds of each metric of `ReturnScores`.

    `forecasts`: seed -> forecast_N. As in `intervals.metric_intervals` for classes, the Huber loss is a mean of days,
    and the others are computed on resampled days. All blocks have the length estimated from the loss of a constant
    forecast. None for a metric that is undefined here.
    """
    y = np.asarray(y_N, dtype=np.float64)
    by_seed = [np.asarray(forecast_N, dtype=np.float64) for _, forecast_N in sorted(forecasts.items())]
    loss_N = np.mean([per_day_huber(y, forecast_N, training.scale) for forecast_N in by_seed], axis=0)
    block = shared_block_length(per_day_huber(y, np.full(y.size, training.mean), training.scale))
    mean = mean_interval(loss_N, draws=params.bootstrap_draws, confidence=params.confidence, seed=seed, block=block)
    found: dict[str, Interval | None] = {"huber": within(mean, 0.0, math.inf)}

    resampled = [_Resampled.of(y, forecast_N, training.mean) for forecast_N in by_seed]

    def figures(weights_DN: Floats) -> Floats:
        return np.asarray(np.mean([one.figures(weights_DN) for one in resampled], axis=0), dtype=np.float64)

    scores = [score_returns(y, forecast_N, training) for forecast_N in by_seed]
    intervals = resampled_intervals(
        figures,
        [mean_over_seeds(scores, name) for name in _RANGES],
        days=y.size,
        block=block,
        draws=params.bootstrap_draws,
        confidence=params.confidence,
        seed=seed,
    )
    for (name, ends), own in zip(_RANGES.items(), intervals, strict=True):
        found[name] = None if own is None else within(own, *ends)
    return found


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Ranked:
    """Values sorted once for all resamples.

    order_N         days in the order of their values
    starts_G        first position of each group of equal values
    group_N         group of each position
    """

    order_N: Rows
    starts_G: Rows
    group_N: Rows

    @classmethod
    def of(cls, values_N: Floats) -> _Ranked:
        order_N = np.argsort(values_N, kind="stable")
        _, starts_G, group_N = np.unique(values_N[order_N], return_index=True, return_inverse=True)
        return cls(order_N=order_N, starts_G=starts_G, group_N=group_N)

    def midranks(self, weights_DN: Floats) -> Floats:
        """Return the midrank of each day within each draw, in the order of the days.

        A day that a draw lacks gets a rank without weight.
        """
        sizes_DG = np.add.reduceat(np.take(weights_DN, self.order_N, axis=1), self.starts_G, axis=1)
        ranks_DG = np.cumsum(sizes_DG, axis=1) - (sizes_DG - 1.0) / 2.0
        ranks_DN = np.empty_like(weights_DN)
        ranks_DN[:, self.order_N] = ranks_DG[:, self.group_N]
        return ranks_DN


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Resampled:
    """One seed's forecasts and the returns, prepared for any resample of their days."""

    y_N: Floats
    forecast_N: Floats
    train_mean: float
    ranked_y: _Ranked
    ranked_forecast: _Ranked

    @classmethod
    def of(cls, y_N: Floats, forecast_N: Floats, train_mean: float) -> _Resampled:
        return cls(
            y_N=y_N,
            forecast_N=forecast_N,
            train_mean=train_mean,
            ranked_y=_Ranked.of(y_N),
            ranked_forecast=_Ranked.of(forecast_N),
        )

    def figures(self, weights_DN: Floats) -> Floats:
        """Return the metrics of `_RANGES` (columns) of each draw; NaN where a draw does not define one."""
        y_N, forecast_N = self.y_N, self.forecast_N
        ic_D = _correlations(weights_DN, self.ranked_y.midranks(weights_DN), self.ranked_forecast.midranks(weights_DN))
        pearson_D = _correlations(weights_DN, y_N[None, :], forecast_N[None, :])
        squared_D = weights_DN @ (y_N - forecast_N) ** 2
        signed_N = ((y_N != 0.0) & (forecast_N != 0.0)).astype(np.float64)
        hits_N = signed_N * (np.sign(y_N) == np.sign(forecast_N))
        with np.errstate(invalid="ignore", divide="ignore"):
            r2_D = 1.0 - squared_D / (weights_DN @ (y_N - self.train_mean) ** 2)
            hit_rate_D = (weights_DN @ hits_N) / (weights_DN @ signed_N)
        rmse_D = np.sqrt(squared_D / weights_DN.sum(axis=1))
        return np.stack([ic_D, pearson_D, r2_D, hit_rate_D, rmse_D], axis=1)


def _correlations(weights_DN: Floats, one_DN: Floats, other_DN: Floats) -> Floats:
    """Return the weighted correlation of each draw."""
    total_D1 = weights_DN.sum(axis=1, keepdims=True)
    one_DN = one_DN - (weights_DN * one_DN).sum(axis=1, keepdims=True) / total_D1
    other_DN = other_DN - (weights_DN * other_DN).sum(axis=1, keepdims=True) / total_D1
    products = [
        (weights_DN * a * b).sum(axis=1) for a, b in ((one_DN, other_DN), (one_DN, one_DN), (other_DN, other_DN))
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(products[0] / np.sqrt(products[1] * products[2]), dtype=np.float64)
