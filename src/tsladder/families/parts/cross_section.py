"""The sequences of a `CrossSectionalEncoder`, in numbers. Pure, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.stem import Stage


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossSection:
    """Three kinds of blocks that follow each other on a day of `stocks` stocks.

    `temporal_blocks` see the `patches` of a stock, of `inputs` values each, S sequences a day; the last of them
    computes its last token alone. The other blocks see the stocks of the day, one sequence.
    """

    model: Architecture
    stocks: int
    patches: int
    inputs: int
    temporal_blocks: int

    @property
    def cross_sectional_blocks(self) -> int:
        return self.model.n_layers - self.temporal_blocks

    @property
    def over_patches(self) -> Stage:
        """The temporal blocks that compute all tokens."""
        return Stage(tokens=self.patches, n_blocks=self.temporal_blocks - 1, queries=self.patches)

    @property
    def over_stocks(self) -> Stage:
        return Stage(tokens=self.stocks, n_blocks=self.cross_sectional_blocks, queries=self.stocks)
