"""Metrics of a trained model's raw outputs on a region, in float64: the same figures whatever loss it was trained
on."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsladder.evaluation.metrics import score_classifier
from tsladder.tasks.parts.losses import Loss


def mean_loss(loss: Loss, out_N: Tensor, y_N: Tensor) -> float:
    """Return the mean reported loss: log loss for classes; Huber's, in standard deviations of the training labels, for
    returns."""
    return loss.per_window(out_N.double(), y_N.double()).mean().item()


def loss_standard_error(loss: Loss, out_N: Tensor, y_N: Tensor) -> float | None:
    """Return the standard error of the mean loss, as if the windows were independent; None for one window."""
    if len(y_N) < 2:
        return None
    loss_N = loss.per_window(out_N.double(), y_N.double())
    return (loss_N.std() / math.sqrt(len(y_N))).item()


def auc(loss: Loss, out_N: Tensor, y_N: Tensor) -> float | None:
    """Return the area under the ROC curve of the outputs; None for returns, and where only one class occurs."""
    if not loss.ranks:
        return None
    return score_classifier(_as_float64(y_N), _as_float64(torch.sigmoid(out_N.double()))).auc


def forecast_of(out_N: Tensor, output_scale: float | None) -> NDArray[np.float64]:
    """Convert raw outputs to forecasts: probabilities, or with `output_scale`, the training labels' standard deviation,
    returns."""
    if output_scale is None:
        return np.asarray(torch.sigmoid(out_N.double()).cpu().numpy(), dtype=np.float64)
    return np.asarray((out_N.double() * output_scale).cpu().numpy(), dtype=np.float64)


def _as_float64(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
