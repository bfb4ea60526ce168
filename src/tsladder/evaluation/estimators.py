"""The fitted baselines, linear models and boosted trees, each fitted on training windows and applied to others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATIO_INVERSE_PENALTY = 0.1
"""scikit-learn's C of the ratio logistic: a mild ridge (weight 10 against the summed loss), set once, never tuned."""

TREES = 100
TREE_LEAVES = 8
TREE_LEARNING_RATE = 0.05
"""Learning rate of the gradient-boosted trees. They are few and small and learn slowly; set once, never tuned and never
stopped early."""

_TREES: dict[str, Any] = {
    "max_iter": TREES,
    "max_leaf_nodes": TREE_LEAVES,
    "learning_rate": TREE_LEARNING_RATE,
    "early_stopping": False,
    "random_state": 0,
}

RIDGE_PENALTY = 1.0 / RATIO_INVERSE_PENALTY
"""Penalty of the ridge regression of returns, against the summed squared error: the same weight as in the ratio
logistic."""


def logistic(
    y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating], inverse_penalty: float
) -> Floats:
    """Predict by logistic regression on columns standardised over the training windows; with a single class, by its
    rate."""
    if y_N.min() == y_N.max():
        return np.full(len(scored_NF), y_N.mean())
    from sklearn.linear_model import LogisticRegression

    train, scored = _standardised(train_NF, scored_NF)
    model = LogisticRegression(C=inverse_penalty, max_iter=5000, tol=1e-8)
    model.fit(train, y_N)
    return np.asarray(model.predict_proba(scored)[:, 1], dtype=np.float64)


def boosted_classes(y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> Floats:
    """Predict by histogram gradient boosting (scikit-learn); with a single class, by its rate."""
    if y_N.min() == y_N.max():
        return np.full(len(scored_NF), y_N.mean())
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(**_TREES)
    # The same trees on any number of threads; on more than one, waiting for busy cores took twenty times as long.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(np.asarray(train_NF, dtype=np.float64), y_N)
        return np.asarray(model.predict_proba(np.asarray(scored_NF, dtype=np.float64))[:, 1], dtype=np.float64)


def ridge(y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> Floats:
    """Predict by ridge regression on columns standardised over the training windows; the intercept is not penalised."""
    from sklearn.linear_model import Ridge

    train, scored = _standardised(train_NF, scored_NF)
    model = Ridge(alpha=RIDGE_PENALTY, solver="cholesky")
    model.fit(train, y_N)
    return np.asarray(model.predict(scored), dtype=np.float64)


def boosted_returns(y_N: Floats, train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> Floats:
    """Predict returns by the same trees, fitted to the squared error, since scikit-learn's have no Huber loss."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(loss="squared_error", **_TREES)
    with threadpool_limits(1, user_api="openmp"):
        model.fit(np.asarray(train_NF, dtype=np.float64), y_N)
        return np.asarray(model.predict(np.asarray(scored_NF, dtype=np.float64)), dtype=np.float64)


def _standardised(train_NF: NDArray[np.floating], scored_NF: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Standardise both by mean and standard deviation of training; a column that hardly varies there is only
    centred."""
    train, scored = np.asarray(train_NF, dtype=np.float64), np.asarray(scored_NF, dtype=np.float64)
    mean_F, sd_F = train.mean(axis=0), train.std(axis=0)
    sd_F = np.where(sd_F > 1e-9 * np.maximum(1.0, np.abs(mean_F)), sd_F, 1.0)
    return (train - mean_F) / sd_F, (scored - mean_F) / sd_F
