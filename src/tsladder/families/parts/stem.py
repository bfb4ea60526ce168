"""The tokens of a family of encoder blocks and the parameters around the blocks, in numbers.

Consecutive blocks that see equally many tokens are a *stage*. PatchTST and iTransformer have one; the Informer halves
its tokens between blocks, so each of its first blocks is a stage of its own. Pure, no torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A stage of `n_blocks` consecutive blocks that see `tokens` tokens each. `queries` of the tokens attend to the
    others; with fewer than `tokens` it is ProbSparse attention."""

    tokens: int
    n_blocks: int
    queries: int

    @property
    def sparse(self) -> bool:
        return self.queries < self.tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillingCosts:
    """Costs of distilling tokens to half between two stages, at width d: `matrix` d^2 weights that every token is
    multiplied with, `vectors` d further parameters; `kept` d numbers per token are kept for the backward pass, and
    `moved` d numbers per token are read and written."""

    matrix: int
    vectors: int
    kept: float
    moved: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stem:
    """The tokens of a model and its stages. `inputs`: values from which a token is embedded. `positions`: learned
    vectors of width d_model that are added.

    `distilling`: costs of the step between two stages; None where there is one stage.
    """

    inputs: int
    positions: int
    stages: tuple[Stage, ...]
    distilling: DistillingCosts | None = None

    @property
    def tokens_read(self) -> int:
        """Number of tokens that the head reads side by side."""
        return self.stages[-1].tokens

    @property
    def distilled(self) -> tuple[tuple[Stage, DistillingCosts], ...]:
        """Stages that end in a distilling, each with the distilling's costs."""
        if self.distilling is None:
            return ()
        return tuple((stage, self.distilling) for stage in self.stages[:-1])
