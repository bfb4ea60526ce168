"""Tokens of a family of encoder blocks, and what it trains around the blocks, in numbers.

Blocks that see equally many tokens are a *stage*. PatchTST and iTransformer have one; the Informer halves its tokens
between blocks, so each of its first blocks is a stage of its own. Pure, no torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """`n_blocks` blocks in a row that see `tokens` tokens each. `queries` of the tokens attend to the others; less than
    `tokens` is ProbSparse attention."""

    tokens: int
    n_blocks: int
    queries: int

    @property
    def sparse(self) -> bool:
        return self.queries < self.tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillingCosts:
    """Distilling of tokens to half between two stages, at width d: `matrix` d^2 weights that every token is multiplied
    with, `vectors` d further trained values; `kept` d numbers a token are left for the backward pass, and `moved` d
    numbers a token are read and written."""

    matrix: int
    vectors: int
    kept: float
    moved: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stem:
    """`inputs`: values from which a token is embedded. `positions`: learned vectors of width d_model that are added.

    `distilling`: what lies between two stages; None where there is one stage.
    """

    inputs: int
    positions: int
    stages: tuple[Stage, ...]
    distilling: DistillingCosts | None = None

    @property
    def tokens_read(self) -> int:
        """Tokens that the head sees, laid side by side."""
        return self.stages[-1].tokens

    @property
    def distilled(self) -> tuple[tuple[Stage, DistillingCosts], ...]:
        """Each stage that ends in a distilling."""
        if self.distilling is None:
            return ()
        return tuple((stage, self.distilling) for stage in self.stages[:-1])
