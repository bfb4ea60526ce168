"""Task `rank`: rank the stocks of a day by their return over the horizon.

Models are scored by the rank error, 1 - the day's rank IC. Neither numpy nor torch is imported before they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.tasks.parts.ranking_loss_names import NAMES
from tsladder.tasks.parts.task import OutputLayout, RankingRecipe, RankingTask
from tsladder.vocabulary import RANK_ERROR

if TYPE_CHECKING:
    from tsladder.tasks.parts.losses import Loss
    from tsladder.tasks.parts.words import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class Rank:
    """Task of ranking the stocks of a day."""

    metric: str = RANK_ERROR
    losses: tuple[str, ...] = NAMES
    has_auc: bool = False
    loss_in_label_sd: bool = False

    def training_loss(self, recipe: RankingRecipe, layout: OutputLayout, /) -> Loss:
        from tsladder.tasks.parts.ranking_losses import ranking_loss

        return ranking_loss(
            recipe.loss_weights, recipe.horizon_weights, quantiles=layout.quantiles > 1, n_horizons=layout.horizons
        )

    def constant_loss(self) -> float:
        return 1.0

    @property
    def words(self) -> Words:
        from tsladder.tasks.parts.rank_words import WORDS

        return WORDS


TASKS: dict[str, RankingTask] = {"rank": Rank()}
