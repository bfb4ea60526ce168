"""The port `Task`: everything that the program asks of what is forecast. Imports neither numpy nor torch.

tests/tasks/contract.py holds what every implementation promises. What a task declares (names, losses, flags) is read
wherever params.yaml is. Its functions import late what they compute with, and are asked by different stages: `label`
and `training_loss` while a model is trained, `scoring` where it is scored, `label_audit` by the leak audit, `words` by
log and report. A task may hold them all in its one file. Those of the package keep the latter three in modules of their
own, since an edit of what is scored should not make a training stale, nor an edit of a word anything
(`planning/stage_code.py`).

Letters: T days of one symbol, N windows of a region, B windows of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tsladder.tasks.parts.label_audit import LabelAudit
    from tsladder.tasks.parts.losses import Loss
    from tsladder.tasks.parts.scoring import Scoring
    from tsladder.tasks.parts.words import Words


class Prices(Protocol):
    """Raw prices of the days of one symbol, in time order."""

    @property
    def close_T(self) -> NDArray[np.float64]: ...

    @property
    def high_T(self) -> NDArray[np.float64]: ...


class Task(Protocol):
    """What is forecast of each window's last day, from its label to its score."""

    @property
    def metric(self) -> str:
        """Name of the loss that models are judged by and the law is fitted on, as files name it."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Values of training.loss that train it; the first is that of `auto`, and reports itself."""

    @property
    def has_auc(self) -> bool:
        """Whether outputs are logits of a class, so that they have an AUC to monitor and to search by."""

    @property
    def counts_positives(self) -> bool:
        """Whether a region needs `splits.min_positives` labels above 0, and as many others, to be judged on."""

    @property
    def loss_in_label_sd(self) -> bool:
        """Whether the unit of the loss is the standard deviation of the training labels, so that losses after
        different training regions are not comparable."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Tasks to propose, the nearest first, where labels of this one are nearly all of one class."""

    def reads_high(self, price: str, /) -> bool:
        """Whether labels depend on the High under `target.price`."""

    def label(self, prices: Prices, price: str, horizon: int, /) -> NDArray[np.float64]:
        """Label of every day but the last `horizon`, from the prices of that day and of `horizon` days after it."""

    def training_loss(self, name: str, y_train_N: NDArray[np.floating]) -> Loss:
        """The loss that training.loss calls `name`, for these training labels. Imports torch.

        Raises BadInput where the labels do not allow it, ValueError for a name that is not one of `losses`.
        """

    def output_scale(self, y_train_N: NDArray[np.floating]) -> float | None:
        """What a model's raw output is multiplied by to be the forecast; None: it is the logit of a probability."""

    def constant_loss(self, y_train_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
        """Mean loss on `y_N` of the one forecast that needs nothing but training's labels."""

    def scoring(self, y_train_N: NDArray[np.floating]) -> Scoring:
        """Baselines, metrics and rows of predictions, on one horizon's training labels."""

    @property
    def label_audit(self) -> LabelAudit:
        """How the leak audit permutes, ranks and gives away the labels."""

    @property
    def words(self) -> Words:
        """What log and report call labels, losses and metrics."""
