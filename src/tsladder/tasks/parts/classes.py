"""Common part of tasks with two classes: everything but the label itself. Imports neither numpy nor torch.

Outputs are logits; a model is scored by the log loss of its probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.tasks.parts.task import Prices
from tsladder.vocabulary import LOG_LOSS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tsladder.tasks.parts.class_audit import ClassAudit
    from tsladder.tasks.parts.class_scoring import ClassScoring
    from tsladder.tasks.parts.losses import Loss
    from tsladder.tasks.parts.words import Words

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassTask:
    """Task of two classes.

    `label`: function of prices, target.price and horizon that labels every day but the last `horizon` with 1 or 0.
    `margin`: function of the same arguments that returns how far the prices ahead lie beyond what makes a label 1, as a
    share of the Close, for the audit. `describe_target`: function of target.price that describes the target in a few
    words.
    """

    label: Callable[[Prices, str, int], Floats]
    margin: Callable[[Prices, str, int], Floats]
    describe_target: Callable[[str], str]
    depends_on_high: bool = False
    alternatives: tuple[str, ...] = ()
    metric: str = LOG_LOSS
    losses: tuple[str, ...] = ("bce", "focal", "weighted_bce", "soft_auc", "label_smoothing")
    has_auc: bool = True
    counts_positives: bool = True
    loss_in_label_sd: bool = False

    def reads_high(self, price: str) -> bool:
        return self.depends_on_high and price == "high"

    def training_loss(self, name: str, y_train_N: NDArray[np.floating]) -> Loss:
        from tsladder.tasks.parts.class_losses import build_loss

        return build_loss(name, y_train_N)

    def output_scale(self, y_train_N: NDArray[np.floating]) -> None:
        """Return None: an output is the logit of a probability."""

    def constant_loss(self, y_train_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
        from tsladder.evaluation.constant import constant_log_loss

        return constant_log_loss(y_train_N, y_N)

    def scoring(self, y_train_N: NDArray[np.floating]) -> ClassScoring:
        from tsladder.tasks.parts.class_scoring import ClassScoring

        return ClassScoring.of(y_train_N)

    @property
    def label_audit(self) -> ClassAudit:
        from tsladder.tasks.parts.class_audit import ClassAudit

        return ClassAudit(margin=self.margin)

    @property
    def words(self) -> Words:
        from tsladder.tasks.parts.class_words import class_words

        return class_words(self.describe_target)
