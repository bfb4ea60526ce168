"""Names of the labels, losses and metrics of a task of two classes, for log and report."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from tsladder.tasks.parts.words import Metric, Words
from tsladder.vocabulary import LOG_LOSS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUC = Metric(name="auc", title="AUC", digits=3)


def class_words(describe_target: Callable[[str], str]) -> Words:
    """Build the names of a task of two classes. `describe_target`: function of target.price that describes the target
    in a few words."""
    return Words(
        describe_target=describe_target,
        labels=labels,
        loss="log loss",
        unit="nats",
        metrics=(
            Metric(name=LOG_LOSS, title="log loss", digits=4),
            Metric(name="brier", title="Brier", digits=4),
            AUC,
            Metric(name="average_precision", title="average precision", digits=3),
            Metric(name="ece", title="ECE", digits=3),
        ),
        ranking=AUC,
        constants=("base-rate loss", "own-rate loss"),
        positives=("positives", "base rate"),
        regions_differ="their base rate",
        sections=("calibration", "decisions"),
        constant_gap=constant_gap,
    )


def labels(y_N: NDArray[np.floating]) -> str:
    """Describe labels: the number of windows, and of the positives among them."""
    positives = int((y_N > 0.0).sum())
    return f"{len(y_N):,} ({positives:,} positive, {100.0 * positives / len(y_N):.1f} %)"


def constant_gap(train_rate: float | None, validation_rate: float | None) -> float | None:
    """Return the gap, in nats, that follows from the base rates alone: the validation loss minus the training loss of a
    constant that knows each region's own rate.

    None if a rate is missing or is not between 0 and 1.
    """
    rates = (validation_rate, train_rate)
    known = [rate for rate in rates if rate is not None and 0.0 < rate < 1.0]
    if len(known) < len(rates):
        return None
    validation, train = (-rate * math.log(rate) - (1.0 - rate) * math.log1p(-rate) for rate in known)
    return validation - train
