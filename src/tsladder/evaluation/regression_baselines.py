"""Forecasts of a return that any model must be held against, on the same windows and labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import (
    BASE_RATE,
    GRADIENT_BOOSTED_TREES,
    OWN_RATE,
    PERSISTENCE,
    TREE_LEARNING_RATE,
    TREE_LEAVES,
    TREES,
    Forecast,
    LabelledWindows,
)

Floats = NDArray[np.float64]

ZERO_RETURN = "zero_return"
LAST_DAY_RATIO_RIDGE = "last_day_ratio_ridge"

RIDGE_PENALTY = 10.0
"""Weight of the squared coefficients against the summed squared error of standardised columns, set once, never tuned:
the penalty that the logistic of class tasks has."""


def return_baselines(
    train: LabelledWindows,
    scored: LabelledWindows,
    ratio_train_NF: NDArray[np.floating],
    ratio_scored_NF: NDArray[np.floating],
    *,
    y_T: Floats,
    horizon: int,
) -> tuple[Forecast, ...]:
    """Every baseline's forecast for the windows `scored`; arguments as those of `baselines.baselines`.

    `base_rate` is the training mean, `own_rate` the scored region's own mean, which only hindsight knows.
    ``persistence`` repeats the last return whose `horizon` has passed, and where there is none the training mean.
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
    """Those of `return_baselines` that see no label but training's, on whatever day."""
    y_train = np.asarray(train.y_N, dtype=np.float64)
    count = len(scored.ends_N)
    return (
        Forecast(name=BASE_RATE, p_N=np.full(count, y_train.mean())),
        Forecast(name=ZERO_RETURN, p_N=np.zeros(count)),
        Forecast(name=LAST_DAY_RATIO_RIDGE, p_N=_ridge(y_train, ratio_train_NF, ratio_scored_NF)),
        Forecast(name=GRADIENT_BOOSTED_TREES, p_N=_boosted_trees(y_train, ratio_train_NF, ratio_scored_NF)),
    )


def _last_return(ends_N: NDArray[np.int64], y_T: Floats, horizon: int, *, otherwise: float) -> Floats:
    rows_N = ends_N - horizon
    known_N = np.where(rows_N >= 0, y_T[np.maximum(rows_N, 0)], np.nan)
    return np.where(np.isnan(known_N), otherwise, known_N)


def _ridge(y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> Floats:
    """Ridge regression on columns standardised over the training windows, the intercept free."""
    from sklearn.linear_model import Ridge

    train, scored = np.asarray(train_NF, dtype=np.float64), np.asarray(scored_NF, dtype=np.float64)
    mean_F, sd_F = train.mean(axis=0), train.std(axis=0)
    sd_F = np.where(sd_F > 1e-9 * np.maximum(1.0, np.abs(mean_F)), sd_F, 1.0)
    model = Ridge(alpha=RIDGE_PENALTY, solver="cholesky")
    model.fit((train - mean_F) / sd_F, y_N)
    return np.asarray(model.predict((scored - mean_F) / sd_F), dtype=np.float64)


def _boosted_trees(y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> Floats:
    """Histogram gradient boosting (scikit-learn) on the squared error: it has no Huber loss."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(
        loss="squared_error",
        max_iter=TREES,
        max_leaf_nodes=TREE_LEAVES,
        learning_rate=TREE_LEARNING_RATE,
        early_stopping=False,
        random_state=0,
    )
    # As for classes: the same trees on any number of threads.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(np.asarray(train_NF, dtype=np.float64), y_N)
        return np.asarray(model.predict(np.asarray(scored_NF, dtype=np.float64)), dtype=np.float64)
