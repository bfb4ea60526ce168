"""The ports `Task` and `RankingTask`: all that the program needs to know of a forecasting task of a series or of a
panel. Imports neither numpy nor torch.

tests/tasks/contract.py tests what every implementation promises. What a task declares (names, losses, flags) is read
wherever params.yaml is. Its functions import late what they compute with, and are called by different stages: `label`
and `training_loss` while a model is trained, `scoring` where it is scored, `label_audit` by the leak audit, `words` by
log and report. A task may hold all of them in its one file. The tasks of the package keep the latter three in modules
of their own, since an edit of the scoring should not make a training stale, nor an edit of a word anything
(`planning/stage_code.py`).

Letters: T days of one symbol, N windows of a region, B windows of a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class AnyTask(Protocol):
    """Forecasting task of a series or of a panel."""

    @property
    def metric(self) -> str:
        """Name, as in files, of the loss by which models are scored and to which the law is fitted."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Losses that can train the task; the first is the one that `auto` means."""

    @property
    def has_auc(self) -> bool:
        """True if outputs are logits of a class, so that they have an AUC to monitor and to search by."""

    @property
    def loss_in_label_sd(self) -> bool:
        """True if the unit of the loss is the standard deviation of the training labels, so that losses after different
        training regions are not comparable."""

    @property
    def words(self) -> Words:
        """Names of the labels, losses and metrics in log and report."""


class RankingRecipe(Protocol):
    """Training settings that make the loss of a ranking.

    `loss_weights`: name of a loss -> its weight in the sum that is trained on. `horizon_weights`: weights of the
    horizons where quantiles are trained, the cell's own first.
    """

    @property
    def loss_weights(self) -> Mapping[str, float]: ...

    @property
    def horizon_weights(self) -> Sequence[float]: ...


class OutputLayout(Protocol):
    """Outputs of a model for each stock: `quantiles` of each of `horizons`; 1 quantile is a score."""

    @property
    def horizons(self) -> int: ...

    @property
    def quantiles(self) -> int: ...


class RankingTask(AnyTask, Protocol):
    """Task of ranking the stocks of a day."""

    def training_loss(self, recipe: RankingRecipe, layout: OutputLayout, /) -> Loss:
        """Build the loss that `recipe` describes, for the outputs of a model. Imports torch.

        Raises ValueError for a recipe that names no loss, or one that the outputs do not allow.
        """

    def constant_loss(self) -> float:
        """Return the reported loss of a forecast without any order."""


class Task(AnyTask, Protocol):
    """Forecasting task of a series, from the label of each window's last day to its score.

    The first of its `losses` is the reported loss itself.
    """

    @property
    def counts_positives(self) -> bool:
        """True if a region is scored only with at least `splits.min_positives` labels above 0, and as many others."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Tasks to propose, the nearest first, if nearly all labels of this task are of one class."""

    def reads_high(self, price: str, /) -> bool:
        """Check whether labels depend on the High under `target.price`."""

    def label(self, prices: Prices, price: str, horizon: int, /) -> NDArray[np.float64]:
        """Compute the label of every day but the last `horizon`, from the prices of that day and of the `horizon` days
        after it."""

    def training_loss(self, name: str, y_train_N: NDArray[np.floating]) -> Loss:
        """Build the loss that training.loss calls `name`, for these training labels. Imports torch.

        Raises BadInput if the labels do not allow it, ValueError for a name that is not one of `losses`.
        """

    def output_scale(self, y_train_N: NDArray[np.floating]) -> float | None:
        """Return the factor that turns a model's raw output into the forecast; None if the output is the logit of a
        probability."""

    def constant_loss(self, y_train_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
        """Compute the mean loss on `y_N` of the constant forecast that is fitted to the training labels."""

    def scoring(self, y_train_N: NDArray[np.floating]) -> Scoring:
        """Build the scoring of the task (baselines, metrics and rows of predictions) from one horizon's training
        labels."""

    @property
    def label_audit(self) -> LabelAudit:
        """Operations with which the leak audit permutes, ranks and leaks the labels."""
