"""Baseline forecasts for a classifier, on the same windows and labels as the model.

The target "does the price reach +X % within H days" is largely a forecast of volatility, so a model that does not beat
yesterday's volatility has found nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.estimators import RATIO_INVERSE_PENALTY, boosted_classes, logistic
from tsladder.evaluation.persistence import persistence

Floats = NDArray[np.float64]

BASE_RATE = "base_rate"
OWN_RATE = "own_rate"
VOLATILITY_LOGISTIC = "volatility_logistic"
LAST_DAY_RATIO_LOGISTIC = "last_day_ratio_logistic"
PERSISTENCE = "persistence"
GRADIENT_BOOSTED_TREES = "gradient_boosted_trees"

_LEAST_VOLATILITY = 1e-6


class LabelledWindows(Protocol):
    """The part of a region's windows that a baseline needs: the row of each last day, and each label."""

    @property
    def ends_N(self) -> NDArray[np.int64]: ...

    @property
    def y_N(self) -> NDArray[np.float32]: ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Forecast:
    """A named baseline and its forecast for every scored window: a probability or a return."""

    name: str
    p_N: Floats


def ewma_volatility(close_T: NDArray[np.floating], decay: float = 0.94) -> Floats:
    """Return the daily volatility (standard deviation of log returns) known at the close of each day; NaN on the first
    day.

    The estimate is the exponentially weighted mean of squared returns with RiskMetrics' daily decay (1996); the weights
    are divided by their sum, so the first days need no starting value.
    """
    close = np.asarray(close_T, dtype=np.float64)
    squared = np.diff(np.log(close)) ** 2
    volatility = np.full(close.shape, np.nan)
    total = weight = 0.0
    for day, square in enumerate(squared.tolist(), start=1):
        total = decay * total + square
        weight = decay * weight + 1.0
        volatility[day] = np.sqrt(total / weight)
    return volatility


def baselines(
    train: LabelledWindows,
    scored: LabelledWindows,
    close_T: NDArray[np.floating],
    ratio_train_NF: NDArray[np.floating],
    ratio_scored_NF: NDArray[np.floating],
    *,
    y_T: Floats,
    horizon: int,
    first_rows: Sequence[int] = (0,),
) -> tuple[Forecast, ...]:
    """Return every baseline's forecast for the windows `scored`, fitted on the windows `train` alone.

    `close_T`: raw closes of the whole table, in which each symbol begins at one of `first_rows`. `ratio_*_NF`: the
    features of each window's last day under `ratio` normalisation, whatever input the model itself gets. `y_T`: the
    label of every row of the table, of which persistence reads those whose `horizon` has passed. The one exception to
    "fitted on train" is `own_rate`, the scored region's own rate: the best constant there is, known only in hindsight.
    """
    y_train, y_scored = (np.asarray(windows.y_N, dtype=np.float64) for windows in (train, scored))
    return (
        *fitted_baselines(train, scored, close_T, ratio_train_NF, ratio_scored_NF, first_rows),
        Forecast(name=OWN_RATE, p_N=np.full(y_scored.size, y_scored.mean())),
        Forecast(name=PERSISTENCE, p_N=persistence(train.ends_N, y_train, scored.ends_N, y_T, horizon)),
    )


def fitted_baselines(
    train: LabelledWindows,
    scored: LabelledWindows,
    close_T: NDArray[np.floating],
    ratio_train_NF: NDArray[np.floating],
    ratio_scored_NF: NDArray[np.floating],
    first_rows: Sequence[int] = (0,),
) -> tuple[Forecast, ...]:
    """Return those forecasts of `baselines` that use no labels but those of training.

    Of `scored` only the days are used, so that the forecasts exist on any day.
    """
    y_train = np.asarray(train.y_N, dtype=np.float64)
    # The volatility of each symbol starts afresh: between two symbols there is no return.
    volatility_T = np.concatenate([ewma_volatility(own_T) for own_T in np.split(close_T, first_rows[1:])])
    log_volatility_T = np.log(np.maximum(volatility_T, _LEAST_VOLATILITY))
    return (
        Forecast(name=BASE_RATE, p_N=np.full(len(scored.ends_N), y_train.mean())),
        Forecast(
            name=VOLATILITY_LOGISTIC,
            p_N=logistic(y_train, log_volatility_T[train.ends_N, None], log_volatility_T[scored.ends_N, None], np.inf),
        ),
        Forecast(
            name=LAST_DAY_RATIO_LOGISTIC,
            p_N=logistic(y_train, ratio_train_NF, ratio_scored_NF, RATIO_INVERSE_PENALTY),
        ),
        Forecast(name=GRADIENT_BOOSTED_TREES, p_N=boosted_classes(y_train, ratio_train_NF, ratio_scored_NF)),
    )
