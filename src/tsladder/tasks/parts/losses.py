"""Losses of a training run: the loss that is minimised, and the loss that is reported whatever was minimised.

Both take a model's raw outputs and the labels of the same samples. In a study of a series a sample is a window: outputs
are logits, or forecasts in units of the training labels' standard deviation, and labels are a tensor y_B. In a study of
a panel a sample is a day with all its stocks: outputs are out_BSO, and labels are `DayLabels`. Letter: B samples of a
batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Form = Callable[[Tensor, Any], Tensor]
"""Function of (outputs, labels) that returns one loss per sample, or one for all."""

TEN_COIN_TOSSES = 10.0 * math.log(2.0)
"""Ten times the log loss of a coin toss, in nats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Training loss and reported loss of a model.

    `total` of (out_B, y_B) is the batch's mean training loss times B. `per_window` gives each sample's reported loss,
    by which models are chosen and compared whatever they train on; `is_reported_loss`: `total` is its sum. `additive`:
    `total` is a sum over samples, so that micro-batches add up to it. `ranks`: outputs are logits of a class, so an AUC
    exists.

    diverges_above  mean training loss above which training has diverged; one that is not finite is divergence too
    judged          function of the labels that returns bool_B, the samples with a reported loss, which alone count in
                    its mean; None: all
    terms           function of (outputs, labels) that returns the parts of a mixture by name, each as `total` is and
                    without its weight; None: the loss is no mixture
    """

    total: Form
    per_window: Form
    is_reported_loss: bool = False
    additive: bool = True
    ranks: bool = True
    diverges_above: float = TEN_COIN_TOSSES
    judged: Callable[[Any], Tensor] | None = None
    terms: Callable[[Tensor, Any], dict[str, Tensor]] | None = None

    def reported(self, out_B: Tensor, labels: Any) -> Tensor:
        """Return the reported loss of each judged sample, in the order of the samples."""
        loss_B = self.per_window(out_B, labels)
        return loss_B if self.judged is None else loss_B[self.judged(labels)]


def summed(form: Form) -> Form:
    """Turn a loss per sample into its sum over the samples of a batch."""
    return lambda out_B, y_B: form(out_B, y_B).sum()
