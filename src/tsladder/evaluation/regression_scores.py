"""The scores of forecasts of returns on one region, in units of the training labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.regression_intervals import return_intervals
from tsladder.evaluation.regression_metrics import ReturnScores, TrainingReturns, per_day_huber, score_returns
from tsladder.evaluation.scores import Measure, RegionScores, labels_of, score_region
from tsladder.params import EvaluationParams
from tsladder.vocabulary import HUBER

Floats = NDArray[np.float64]

_NO_VARIANCE = 1e-6
"""Range of the forecasts below which they count as constant, in standard deviations of the training labels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnFigures:
    """Figures of a region that only returns have: standard deviation and mean of the training labels, and the mean
    return of this region, all log returns."""

    scale: float
    train_mean: float
    own_mean: float


ReturnRegionScores = RegionScores[ReturnScores, ReturnFigures]


def score_return_region(
    made: RegionForecasts, *, training: TrainingReturns, params: EvaluationParams
) -> ReturnRegionScores:
    """Score the forecast returns of one cell on one region by their mean Huber loss, errors in units of the training
    labels' standard deviation. Raises ValueError if no seed was trained."""
    y = labels_of(made)

    def daily_loss(y_N: Floats, forecast_N: NDArray[np.floating]) -> Floats:
        return per_day_huber(y_N, forecast_N, training.scale)

    def metrics(y_N: Floats, forecast_N: NDArray[np.floating]) -> ReturnScores:
        return score_returns(y_N, forecast_N, training)

    return score_region(
        made,
        Measure(metric=HUBER, daily_loss=daily_loss, metrics=metrics, least_range=_NO_VARIANCE * training.scale),
        constant=training.mean,
        train_base_rate=training.share_up,
        intervals=return_intervals(y, dict(sorted(made.by_seed.items())), training, params=params, seed=made.seed),
        of_task=ReturnFigures(scale=training.scale, train_mean=training.mean, own_mean=float(y.mean())),
        params=params,
    )
