"""Metrics of a trained model's raw outputs on a region, in float64: the same figures whatever loss it was trained
on."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsladder.evaluation.metrics import score_classifier
from tsladder.tasks.parts.day_labels import DayLabels
from tsladder.tasks.parts.losses import Loss

Labels = Tensor | DayLabels
"""Labels of N samples: y_N of the windows of a series, or those of the days of a panel."""


def mean_loss(loss: Loss, out_N: Tensor, labels_N: Labels) -> float:
    """Return the mean reported loss: log loss for classes; Huber's, in standard deviations of the training labels, for
    returns; rank error, over the days that can be ranked, for rankings.

    Raises ValueError where no sample is judged.
    """
    loss_N = _reported(loss, out_N, labels_N)
    if len(loss_N) == 0:
        raise ValueError(f"no mean loss: none of {len(labels_N)} samples has labels that differ")
    return loss_N.mean().item()


def loss_standard_error(loss: Loss, out_N: Tensor, labels_N: Labels) -> float | None:
    """Return the standard error of the mean loss, as if the samples were independent; None for one sample."""
    loss_N = _reported(loss, out_N, labels_N)
    if len(loss_N) < 2:
        return None
    return (loss_N.std() / math.sqrt(len(loss_N))).item()


def auc(loss: Loss, out_N: Tensor, labels_N: Labels) -> float | None:
    """Return the area under the ROC curve of the outputs; None for returns and rankings, and where only one class
    occurs."""
    if isinstance(labels_N, DayLabels) or not loss.ranks:
        return None
    return score_classifier(_as_float64(labels_N), _as_float64(torch.sigmoid(out_N.double()))).auc


def forecast_of(out_N: Tensor, output_scale: float | None) -> NDArray[np.float64]:
    """Convert raw outputs to forecasts: probabilities, or with `output_scale`, the training labels' standard deviation,
    returns."""
    if output_scale is None:
        return np.asarray(torch.sigmoid(out_N.double()).cpu().numpy(), dtype=np.float64)
    return np.asarray((out_N.double() * output_scale).cpu().numpy(), dtype=np.float64)


def _reported(loss: Loss, out_N: Tensor, labels_N: Labels) -> Tensor:
    return loss.reported(out_N.double(), labels_N.double())


def _as_float64(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
