"""Losses of a training run: the loss that is minimised, and the loss that is reported whatever was minimised.

Both take a model's raw outputs: logits, or forecasts in units of the training labels' standard deviation. Letter: B
windows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Form = Callable[[Tensor, Tensor], Tensor]
"""Function of (outputs, labels) that returns one loss per window, or one for all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Training loss and reported loss of a model.

    `total` of (out_B, y_B) is the batch's mean training loss times B. `per_window` gives each window's reported loss,
    by which models are chosen and compared whatever they train on; `is_reported_loss`: `total` is its sum. `additive`:
    `total` is a sum over windows, so that micro-batches add up to it. `ranks`: outputs are logits of a class, so an AUC
    exists.
    """

    total: Form
    per_window: Form
    is_reported_loss: bool = False
    additive: bool = True
    ranks: bool = True


def summed(form: Form) -> Form:
    """Turn a loss per window into its sum over the windows of a batch."""
    return lambda out_B, y_B: form(out_B, y_B).sum()
