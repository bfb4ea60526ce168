"""Parameter counts, memory and work of a model of encoder blocks, from its stem. Pure, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.parts import activations, work
from tsladder.families.parts.family import Activations, Tokens
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.stem import Stem


@dataclass(frozen=True, slots=True)
class EncoderCosts:
    """The `Costs` of a model whose module is a `TokenEncoder` around `stem`."""

    model: Architecture
    stem: Stem

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters of the blocks: attention 4d^2 + 4d, feed-forward 2df + f + d, two LayerNorms 4d; for
        each block."""
        d, f = self.model.d_model, self.model.d_ff
        return self.model.n_layers * (4 * d * d + 4 * d + 4 * d + 2 * d * f + f + d)

    @property
    def n_params_body(self) -> int:
        """Number of parameters of blocks, distillings and final LayerNorm."""
        d = self.model.d_model
        distillings = sum(one.matrix * d * d + one.vectors * d for _, one in self.stem.distilled)
        return self.n_params_blocks + distillings + 2 * d

    @property
    def n_params(self) -> int:
        """Number of parameters of the projection of the tokens, positions, body and head."""
        stem, d, outputs = self.stem, self.model.d_model, self.model.geometry.n_outputs
        embedding = stem.inputs * d + d + stem.positions * d
        head = d * stem.tokens_read * outputs + outputs
        return embedding + self.n_params_body + head

    @property
    def largest_weight(self) -> int:
        """Number of values of the largest matrix: that of a feed-forward, or the fused projection of queries, keys and
        values."""
        return max(self.model.d_model * self.model.d_ff, 3 * self.model.d_model**2)

    def activations(self, body: int) -> Activations:
        return activations.activations_of(self.model, self.stem, body)

    @property
    def products(self) -> float:
        return work.products(self.model, self.stem)

    @property
    def moved(self) -> float:
        return work.moved(self.model, self.stem)

    @property
    def calls(self) -> int:
        return self.model.n_layers


def tokens_of(stem: Stem) -> Tokens:
    """Return the tokens of the first stage."""
    return Tokens(count=stem.stages[0].tokens, inputs=stem.inputs)
