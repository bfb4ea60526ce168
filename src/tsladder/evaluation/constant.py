"""The loss of the one forecast that needs nothing but training's labels, for each kind of task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.regression_metrics import TrainingReturns, per_day_huber
from tsladder.params import TargetParams


def constant_loss(target: TargetParams, train_y_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
    """Mean loss on `y_N` of training's base rate (log loss, nats), or of its mean return (Huber loss)."""
    if target.regression:
        training = TrainingReturns.of(train_y_N)
        return float(per_day_huber(y_N, np.full(len(y_N), training.mean), training.scale).mean())
    rate = float(np.mean(train_y_N))
    return float(-np.mean(np.where(y_N > 0.5, np.log(rate), np.log1p(-rate))))
