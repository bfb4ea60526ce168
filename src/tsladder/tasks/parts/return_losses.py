"""Training and reported loss of tasks whose labels are returns: Huber's loss, in standard deviations of the training
labels.

Its forecasts are in that unit; its labels are returns.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tsladder.errors import BadInput
from tsladder.evaluation.regression_metrics import HUBER_DELTA, scale_of
from tsladder.tasks.parts.losses import Loss, summed


def build_loss(name: str, y_train_N: NDArray[np.floating]) -> Loss:
    """Build the loss that training.loss names, for the training labels `y_train_N`.

    Raises BadInput if these labels do not allow it, ValueError for an unknown name.
    """
    if name != "huber":
        raise ValueError(f"unknown loss {name!r}")
    in_units = partial(huber, sd=label_sd(y_train_N))
    return Loss(total=summed(in_units), per_window=in_units, is_reported_loss=True, ranks=False)


def huber(out_B: Tensor, y_B: Tensor, *, sd: float) -> Tensor:
    """Compute Huber's loss (1964) of y / sd - output: half the square up to HUBER_DELTA, linear beyond."""
    return functional.huber_loss(out_B, y_B / sd, reduction="none", delta=HUBER_DELTA)


def label_sd(y_N: NDArray[np.floating]) -> float:
    """Return `scale_of` the training labels, the unit of a regression's raw outputs.

    Raises BadInput, with advice to the user, if the labels do not vary.
    """
    try:
        return scale_of(y_N)
    except ValueError:
        raise BadInput(
            f"training.loss huber needs training labels that vary, got {len(y_N)} of standard deviation "
            f"{np.std(y_N):g}: look at the prices of data.symbol between the first day and splits.validation_start"
        ) from None
