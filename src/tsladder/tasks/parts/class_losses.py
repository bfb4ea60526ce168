"""Training losses of tasks with two classes; the reported loss is the log loss.

All losses take logits. Letters: B windows of a batch, N windows of a region, P and Q its positives and negatives.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tsladder.errors import BadInput
from tsladder.tasks.parts.losses import Loss, summed

FOCUS = 2.0
"""Gamma of the focal loss, with the value of its paper."""

SMOOTHING = 0.1
"""Share of a label that label smoothing spreads over both classes."""


def build_loss(name: str, y_train_N: NDArray[np.floating]) -> Loss:
    """Build the loss that training.loss names, for the training labels `y_train_N`.

    Raises BadInput if these labels do not allow it, ValueError for an unknown name.
    """
    match name:
        case "bce":
            return Loss(total=summed(cross_entropy), per_window=cross_entropy, is_reported_loss=True)
        case "focal":
            return Loss(total=summed(focal), per_window=cross_entropy)
        case "weighted_bce":
            weighted = partial(weighted_cross_entropy, positive=positive_weight(y_train_N))
            return Loss(total=summed(weighted), per_window=cross_entropy)
        case "soft_auc":
            return Loss(total=soft_auc, per_window=cross_entropy, additive=False)
        case "label_smoothing":
            return Loss(total=summed(smoothed_cross_entropy), per_window=cross_entropy)
    raise ValueError(f"unknown loss {name!r}")


def cross_entropy(out_B: Tensor, y_B: Tensor) -> Tensor:
    """Compute the log loss of each label under sigmoid(logit), in nats."""
    return functional.binary_cross_entropy_with_logits(out_B, y_B, reduction="none")


def weighted_cross_entropy(out_B: Tensor, y_B: Tensor, *, positive: float) -> Tensor:
    """Compute the log loss with `positive` times the weight on positives (King & Zeng 2001, section 4).

    With negatives / positives both classes weigh the same, and the best constant logit is 0 whatever the base rate, so
    probabilities are those of balanced classes, not of the base rate in the data.
    """
    return functional.binary_cross_entropy_with_logits(
        out_B, y_B, pos_weight=out_B.new_tensor(positive), reduction="none"
    )


def focal(out_B: Tensor, y_B: Tensor) -> Tensor:
    """Compute the log loss times (1 - p) ** FOCUS, p the probability of the true class (Lin et al. 2017, without their
    alpha).

    Windows that are classified correctly already weigh less, so probabilities are drawn towards 1/2.
    """
    loss_B = cross_entropy(out_B, y_B)
    wrong_B = -(-loss_B).expm1()
    return wrong_B**FOCUS * loss_B


def smoothed_cross_entropy(out_B: Tensor, y_B: Tensor) -> Tensor:
    """Compute the log loss against labels moved by SMOOTHING / 2 towards each other (Szegedy et al. 2016, section
    7)."""
    return cross_entropy(out_B, y_B * (1.0 - SMOOTHING) + SMOOTHING / 2.0)


def soft_auc(out_B: Tensor, y_B: Tensor) -> Tensor:
    """Compute B times the mean of softplus(negative's logit - positive's logit) over all pairs (RankNet, Burges et al.
    2005).

    Divided by ln 2 the mean bounds 1 - AUC from above. It depends on differences of logits alone, so a shift of all
    logits costs nothing. A batch without both classes has no pair; its loss is 0 and so is its gradient.
    """
    positive_P, negative_Q = out_B[y_B > 0.5], out_B[y_B <= 0.5]
    if positive_P.numel() == 0 or negative_Q.numel() == 0:
        return (out_B * 0.0).sum()
    pair_PQ = functional.softplus(negative_Q[None, :] - positive_P[:, None])
    return pair_PQ.mean() * len(out_B)


def positive_weight(y_N: NDArray[np.floating]) -> float:
    """Return the number of negatives per positive among the training labels (0 or 1). Raises BadInput if a class is
    missing."""
    positives = int(np.count_nonzero(y_N))
    negatives = len(y_N) - positives
    if positives == 0 or negatives == 0:
        raise BadInput(
            f"training.loss weighted_bce needs both classes in training, got {positives} positives and {negatives} "
            "negatives: choose another target.task or a longer training region in splits, or train with loss bce"
        )
    return negatives / positives
