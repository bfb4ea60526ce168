"""Losses as tables show them: as they are, or as the RankIC in a panel study, whose loss is 1 - RankIC. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.formatting import number
from tsladder.status.study_state import StudyState


@dataclass(frozen=True, slots=True)
class LossWords:
    """Names of the losses of a study, and how they are shown. `ranks`: as the RankIC."""

    ranks: bool

    @classmethod
    def of(cls, state: StudyState) -> LossWords:
        return cls(state.panel is not None)

    @property
    def name(self) -> str:
        """Return the name of a loss as it stands in the middle of a sentence."""
        return "RankIC" if self.ranks else "loss"

    def heading(self, region: str) -> str:
        """Return the heading of a column of losses of `region`."""
        return f"{region} RankIC" if self.ranks else region

    def shown(self, loss: float | None) -> str:
        """Format a loss."""
        return number(1.0 - loss if self.ranks and loss is not None else loss, 4)
