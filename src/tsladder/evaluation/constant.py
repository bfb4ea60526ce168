"""Loss of the constant forecast that needs only the labels of training, for classes and for returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.regression_metrics import TrainingReturns, per_day_huber


def constant_log_loss(train_y_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
    """Return the mean log loss on `y_N` of training's base rate, in nats."""
    rate = float(np.mean(train_y_N))
    return float(-np.mean(np.where(y_N > 0.5, np.log(rate), np.log1p(-rate))))


def constant_huber_loss(train_y_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
    """Return the mean Huber loss on `y_N` of training's mean return."""
    training = TrainingReturns.of(train_y_N)
    return float(per_day_huber(y_N, np.full(len(y_N), training.mean), training.scale).mean())
