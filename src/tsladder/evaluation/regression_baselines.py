"""Baseline forecasts of a return, on the same windows and labels as the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import (
    BASE_RATE,
    GRADIENT_BOOSTED_TREES,
    OWN_RATE,
    PERSISTENCE,
    Forecast,
    LabelledWindows,
)
from tsladder.evaluation.estimators import boosted_returns, ridge

Floats = NDArray[np.float64]

ZERO_RETURN = "zero_return"
LAST_DAY_RATIO_RIDGE = "last_day_ratio_ridge"


def return_baselines(
    train: LabelledWindows,
    scored: LabelledWindows,
    ratio_train_NF: NDArray[np.floating],
    ratio_scored_NF: NDArray[np.floating],
    *,
    y_T: Floats,
    horizon: int,
) -> tuple[Forecast, ...]:
    """Return every baseline's forecast for the windows `scored`; arguments as those of `baselines.baselines`.

    `base_rate` is the training mean, `own_rate` the scored region's own mean, known only in hindsight. ``persistence``
    repeats the last return whose `horizon` has passed, and where there is none the training mean.
    """
    y_train, y_scored = (np.asarray(windows.y_N, dtype=np.float64) for windows in (train, scored))
    return (
        *fitted_return_baselines(train, scored, ratio_train_NF, ratio_scored_NF),
        Forecast(name=OWN_RATE, p_N=np.full(y_scored.size, y_scored.mean())),
        Forecast(name=PERSISTENCE, p_N=_last_return(scored.ends_N, y_T, horizon, otherwise=float(y_train.mean()))),
    )


def fitted_return_baselines(
    train: LabelledWindows,
    scored: LabelledWindows,
    ratio_train_NF: NDArray[np.floating],
    ratio_scored_NF: NDArray[np.floating],
) -> tuple[Forecast, ...]:
    """Return those forecasts of `return_baselines` that use no labels but those of training, on any day."""
    y_train = np.asarray(train.y_N, dtype=np.float64)
    count = len(scored.ends_N)
    return (
        Forecast(name=BASE_RATE, p_N=np.full(count, y_train.mean())),
        Forecast(name=ZERO_RETURN, p_N=np.zeros(count)),
        Forecast(name=LAST_DAY_RATIO_RIDGE, p_N=ridge(y_train, ratio_train_NF, ratio_scored_NF)),
        Forecast(name=GRADIENT_BOOSTED_TREES, p_N=boosted_returns(y_train, ratio_train_NF, ratio_scored_NF)),
    )


def _last_return(ends_N: NDArray[np.int64], y_T: Floats, horizon: int, *, otherwise: float) -> Floats:
    rows_N = ends_N - horizon
    known_N = np.where(rows_N >= 0, y_T[np.maximum(rows_N, 0)], np.nan)
    return np.where(np.isnan(known_N), otherwise, known_N)
