"""Task `regression`: log return of the Close over the horizon. target.price is ignored.

Outputs are returns in standard deviations of the training labels; models are scored by their Huber loss in that unit.
Neither numpy nor torch is imported before they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.tasks.parts.task import Prices, Task
from tsladder.vocabulary import HUBER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tsladder.tasks.parts.losses import Loss
    from tsladder.tasks.parts.return_audit import ReturnAudit
    from tsladder.tasks.parts.return_scoring import ReturnScoring
    from tsladder.tasks.parts.words import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Regression:
    """Task of forecasting a log return."""

    metric: str = HUBER
    losses: tuple[str, ...] = ("huber",)
    has_auc: bool = False
    counts_positives: bool = True
    loss_in_label_sd: bool = True
    alternatives: tuple[str, ...] = ()

    def reads_high(self, price: str, /) -> bool:
        return False

    def label(self, prices: Prices, _price: str, horizon: int, /) -> NDArray[np.float64]:
        """Label each day with ln(Close[t+H] / Close[t])."""
        import numpy as np

        return np.asarray(np.log(prices.close_T[horizon:] / prices.close_T[:-horizon]), dtype=np.float64)

    def training_loss(self, name: str, y_train_N: NDArray[np.floating]) -> Loss:
        from tsladder.tasks.parts.return_losses import build_loss

        return build_loss(name, y_train_N)

    def output_scale(self, y_train_N: NDArray[np.floating]) -> float:
        from tsladder.evaluation.regression_metrics import scale_of

        return scale_of(y_train_N)

    def constant_loss(self, y_train_N: NDArray[np.floating], y_N: NDArray[np.floating]) -> float:
        from tsladder.evaluation.constant import constant_huber_loss

        return constant_huber_loss(y_train_N, y_N)

    def scoring(self, y_train_N: NDArray[np.floating]) -> ReturnScoring:
        from tsladder.tasks.parts.return_scoring import ReturnScoring

        return ReturnScoring.of(y_train_N)

    @property
    def label_audit(self) -> ReturnAudit:
        from tsladder.tasks.parts.return_audit import ReturnAudit

        return ReturnAudit()

    @property
    def words(self) -> Words:
        from tsladder.tasks.parts.return_words import WORDS

        return WORDS


TASKS: dict[str, Task] = {"regression": Regression()}
