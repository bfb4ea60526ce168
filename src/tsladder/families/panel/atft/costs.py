"""Parameter counts, memory and work of atft_gat_fan. A sample is a day with all its stocks. Pure, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.panel.atft import activations, sizes, work
from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture, PanelGeometry


@dataclass(frozen=True, kw_only=True, slots=True)
class AtftCosts:
    """The `PanelCosts` of a model whose module is an `AtftGatFan`."""

    model: Architecture
    geometry: PanelGeometry

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters over the sessions (LSTM, positions, causal blocks, LayerNorm) and over the graph."""
        model, d = self.model, self.model.d_model
        temporal = sizes.recurrence(d) + self.geometry.days * d + model.n_layers * sizes.causal_block(d, model.d_ff)
        return temporal + 2 * d + model.n_graph * sizes.graph_layer(d)

    @property
    def n_params_body(self) -> int:
        """Number of all parameters but those of variable selection."""
        return self.n_params - sizes.variable_selection(self.geometry.n_features, self.model.d_model)

    @property
    def n_params(self) -> int:
        """Number of parameters of both normalisations, variable selection, blocks and head."""
        features, d = self.geometry.n_features, self.model.d_model
        normalisations = 2 * sizes.normalisation(features, d)
        selection = sizes.variable_selection(features, d)
        return normalisations + selection + self.n_params_blocks + sizes.head(d, self.geometry.n_outputs)

    @property
    def largest_weight(self) -> int:
        """Number of values of the largest matrix: the gates of the columns' networks one below the other, the LSTM's
        gates, or that of a feed-forward."""
        d = self.model.d_model
        return max(2 * self.geometry.n_features * d * d, 4 * d * d, d * self.model.d_ff)

    def activations(self, body: int) -> Activations:
        return activations.activations_of(self.model, self.geometry, body)

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        return activations.activations_in_chunks(self.model, self.geometry, body, stocks_at_once)

    @property
    def products(self) -> float:
        return work.products(self.model, self.geometry)

    @property
    def moved(self) -> float:
        return work.moved(self.model, self.geometry)

    @property
    def calls(self) -> int:
        return work.calls(self.model, self.geometry, self.geometry.stocks)

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return work.calls(self.model, self.geometry, stocks_at_once)
