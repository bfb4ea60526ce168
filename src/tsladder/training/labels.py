"""What some losses know of the training labels: how far returns spread, how rare positives are. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.evaluation.regression_metrics import scale_of


def label_sd(y_N: NDArray[np.floating]) -> float:
    """`scale_of` the training labels, the unit of a regression's raw outputs, refused in the user's words.

    Raises BadInput where they do not vary.
    """
    try:
        return scale_of(y_N)
    except ValueError:
        raise BadInput(
            f"training.loss huber needs training labels that vary, got {len(y_N)} of standard deviation "
            f"{np.std(y_N):g}: look at the prices of data.symbol between the first day and splits.validation_start"
        ) from None


def positive_weight(y_N: NDArray[np.floating]) -> float:
    """Negatives for each positive among the training labels (0 or 1). Raises BadInput where a class is missing."""
    positives = int(np.count_nonzero(y_N))
    negatives = len(y_N) - positives
    if positives == 0 or negatives == 0:
        raise BadInput(
            f"training.loss weighted_bce needs both classes in training, got {positives} positives and {negatives} "
            "negatives: choose another target.task or a longer training region in splits, or train with loss bce"
        )
    return negatives / positives
