"""Parameter counts, memory and work of atft_gat_fan. A sample is a day with all its stocks. Pure, no torch.

With S stocks, T sessions, F columns, width d, feed-forward width f, h heads, L blocks, G graph layers, J places of
neighbours and the stock itself; b bytes per number of the body, 4 bytes elsewhere. What a layer keeps for the backward
pass, each measured (tests/families/panel/test_atft_costs.py):

- variable selection, per token: 5 d b for each of F columns (inside, gate 2d, residual, output), the networks' weights
  (d + 4 F) b, LayerNorms' 8 (F + 1).
- LSTM with gated skip, per token, in fp32: oneDNN's workspace, 8.2 d and 7.3 d with d rounded up to a multiple of 16;
  6 d more around it.
- a causal block, per token: as an encoder block with torch's fused attention (parts/activations.py). Of the last block
  only keys and values exist for each token, all else once for a stock.
- a graph layer, per stock: 2 d + h for each of J edges, 4 d.

All of it is counted with normalisations and graph layers active.
"""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.panel.atft import sizes
from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture, PanelGeometry

_ROUNDED_TO = 16
"""Multiple to which oneDNN rounds the width of an LSTM's workspace up."""

_NORM = 8
"""Bytes that LayerNorm keeps of each row beside its input: mean and standard deviation."""


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
        four gates, or that of a feed-forward."""
        d = self.model.d_model
        return max(2 * self.geometry.n_features * d * d, 4 * d * d, d * self.model.d_ff)

    def activations(self, body: int) -> Activations:
        return self._activations(body, self.geometry.stocks)

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        some = min(self.geometry.stocks, stocks_at_once)
        chunk, graph = self._activations(body, some, n_graph=0), self._graph_inputs + self._graph_bytes
        # Of a chunk that is computed again: the inputs of its layers, and the largest of them.
        kept = self._graph_inputs + max(chunk.checkpointed + some * self._beside_layers(body), graph)
        return Activations(
            blocks=kept,
            checkpointed=kept,
            largest_block=max(chunk.largest_block, self._graph_bytes),
            moment=max(chunk.moment, self._graph_moment),
            edges=self._edges(0),
        )

    @property
    def products(self) -> float:
        model, g = self.model, self.geometry
        d, f, columns, sessions = model.d_model, model.d_ff, g.n_features, g.days
        selection = 2 * columns * d * d + 3 * columns * d + columns * columns
        recurrence = 10 * d * d
        earlier = (model.n_layers - 1) * (4 * d * d + 2 * d * f + 2 * sessions * d)
        tokens = sessions * (selection + recurrence + earlier + 2 * d * d)
        newest = 2 * d * d + 2 * d * f + 2 * sessions * d
        normalisations = 2 * columns * d * (1 + sessions // sizes.SLICE_SESSIONS)
        graph = model.n_graph * (2 * d * d + self._edges_of_stock * sizes.EDGE_FEATURES * d)
        return 2.0 * g.stocks * (tokens + newest + normalisations + graph + d * d + d * g.n_outputs)

    @property
    def moved(self) -> float:
        model, g = self.model, self.geometry
        d, sessions = model.d_model, g.days
        selection = g.n_features * (45 * d + 60)
        block = 24 * d + 8 * model.d_ff + 6 * model.n_heads * sessions
        tokens = sessions * (selection + 70 * d + (model.n_layers - 1) * block + 12 * d)
        graph = model.n_graph * (self._edges_of_stock * (15 * d + 10 * model.n_heads) + 24 * d)
        return float(g.stocks * (tokens + block + graph))

    @property
    def calls(self) -> int:
        return self._calls_before_the_graph + self.model.n_graph

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self._calls_before_the_graph * -(-self.geometry.stocks // stocks_at_once) + self.model.n_graph

    @property
    def _calls_before_the_graph(self) -> int:
        """Variable selection makes calls for each column, the LSTM about as many as a block."""
        return -(-self.geometry.n_features // 4) + 1 + self.model.n_layers

    def _activations(self, body: int, stocks: int, n_graph: int | None = None) -> Activations:
        """Return the memory of the layers for so many stocks, and for so many graph layers; None: all."""
        model, d, sessions = self.model, self.model.d_model, self.geometry.days
        n_graph = model.n_graph if n_graph is None else n_graph
        before = stocks * sessions * (self._selection_bytes(body) + self._recurrence_bytes)
        earlier = stocks * sessions * self._block_bytes(body)
        newest = stocks * self._newest_bytes(body)
        inputs = stocks * sessions * (self.geometry.n_features * body + 4 * d + model.n_layers * d * body)
        largest = max(
            stocks * sessions * max(self._selection_bytes(body), self._recurrence_bytes), newest,
            earlier if model.n_layers > 1 else 0.0, self._graph_bytes if n_graph else 0.0,
        )
        return Activations(
            blocks=before + (model.n_layers - 1) * earlier + newest + n_graph * self._graph_bytes,
            checkpointed=inputs + n_graph * self.geometry.stocks * 4 * d + largest,
            largest_block=largest,
            moment=max(stocks * sessions * self._token_moment(body), self._graph_moment if n_graph else 0.0),
            edges=self._edges(body),
        )
