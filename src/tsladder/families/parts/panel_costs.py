"""Parameter counts, memory and work of `panel_transformer`, from its sizes. A sample is a day. Pure, no torch."""

from __future__ import annotations

from tsladder.families.parts import panel_activations, panel_work
from tsladder.families.parts.cross_section import CrossSection
from tsladder.families.parts.family import Activations


class CrossSectionalCosts(CrossSection):
    """The `PanelCosts` of a model whose module is a `CrossSectionalEncoder`."""

    __slots__ = ()

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters of the blocks: attention 4d^2 + 4d, feed-forward 2df + f + d, two LayerNorms 4d; for
        each block."""
        d, f = self.model.d_model, self.model.d_ff
        return self.model.n_layers * (4 * d * d + 4 * d + 4 * d + 2 * d * f + f + d)

    @property
    def n_params_body(self) -> int:
        """Number of parameters of blocks and of the LayerNorms behind the temporal and behind all blocks."""
        return self.n_params_blocks + 4 * self.model.d_model

    @property
    def n_params(self) -> int:
        """Number of parameters of the projection of the patches, positions, body and head."""
        d, outputs = self.model.d_model, self.model.geometry.n_outputs
        embedding = self.inputs * d + d + self.patches * d
        return embedding + self.n_params_body + d * outputs + outputs

    @property
    def largest_weight(self) -> int:
        """Number of values of the largest matrix: that of a feed-forward, or the fused projection of queries, keys and
        values."""
        return max(self.model.d_model * self.model.d_ff, 3 * self.model.d_model**2)

    def activations(self, body: int) -> Activations:
        return panel_activations.activations_of(self, body)

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        return panel_activations.activations_in_chunks(self, body, stocks_at_once)

    @property
    def products(self) -> float:
        return panel_work.products(self)

    @property
    def moved(self) -> float:
        return panel_work.moved(self)

    @property
    def calls(self) -> int:
        return self.model.n_layers

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self.temporal_blocks * -(-self.stocks // stocks_at_once) + self.cross_sectional_blocks
