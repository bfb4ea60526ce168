"""Parameter counts, memory and work of atft_gat_fan. A sample is a day with all its stocks. Pure, no torch.

With S stocks, T sessions, F columns, width d, feed-forward width f, h heads, L blocks, G graph layers, J places of
neighbours and the stock itself, and b bytes per number of the body, a layer keeps for the backward pass:

- variable selection, per token: 4 d + 7 for each of F columns (inside, gate 2 d, normalised output; scale, value, and
  what gives the column its weight) and d of the network that weighs them, of b bytes;
- LSTM with gated skip, per token, in fp32: oneDNN's workspace, 8.2 d and 7.3 d with the second d rounded up to a
  multiple of 16; 6 d more around it. Nine of these d are never written to, and the backward pass temporarily needs
  nine: 2 d on top are ample;
- a block, per token: two LayerNorms' inputs and outputs, the attention's output, two dropout masks (7 d), the
  feed-forward before and after GELU (2 f), of b bytes; queries, keys and values (3 d) and one number per head in fp32,
  and d in fp32 more where the body is in bf16;
- the last block, which computes one token: of each token LayerNorm's input and output (2 d) and in fp32 keys, values
  and weights (2 d + h); of the newest one 6 d and 2 f;
- a graph layer, per stock, in fp32: 2 d + h for each of J edges, and 4 d.

Counted with normalisations and graph layers active. A layer's temporary memory is that of its gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.families.panel.atft import sizes
from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture, PanelGeometry

_ROUNDED_TO = 16
"""Multiple to which oneDNN rounds the width in one part of an LSTM's workspace."""


@dataclass(frozen=True, slots=True)
class _Layers:
    """Layers of one kind, in bytes a day: `inputs` and `kept`, inputs included, of each for the backward pass; `moment`
    needed temporarily."""

    count: int
    inputs: float
    kept: float
    moment: float


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
        stocks = self.geometry.stocks
        kinds = [kind for kind in (*self._temporal(body, stocks), self._graph) if kind.count]
        largest, moment = _largest(kinds)
        return Activations(
            blocks=sum(kind.count * kind.kept for kind in kinds),
            checkpointed=sum(kind.count * kind.inputs for kind in kinds) + largest,
            largest_block=largest,
            moment=moment,
            edges=self._edges + stocks * self._beside_layers,
        )

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        some = min(self.geometry.stocks, stocks_at_once)
        temporal, graph = [kind for kind in self._temporal(body, some) if kind.count], self._graph
        largest, moment = _largest([*temporal, graph] if graph.count else temporal)
        # Of a chunk that is computed again: what lies beside its layers, their inputs, and one layer.
        inputs = sum(kind.count * kind.inputs for kind in temporal)
        chunk = some * self._beside_layers + inputs + max(kind.kept for kind in temporal)
        kept = graph.count * graph.inputs + max(chunk, graph.kept if graph.count else 0.0)
        return Activations(
            blocks=kept,
            checkpointed=kept,
            largest_block=largest,
            moment=moment,
            # Chunks keep the sessions that they read and what becomes of a stock.
            edges=self._edges + 4 * self.geometry.stocks * (self.geometry.days * self.geometry.n_features + self.model.d_model),
        )

    @property
    def products(self) -> float:
        model, g = self.model, self.geometry
        d, f, columns, sessions = model.d_model, model.d_ff, g.n_features, g.days
        selection = 2 * columns * d * d + 3 * columns * d + columns * columns
        earlier = (model.n_layers - 1) * (4 * d * d + 2 * d * f + 2 * sessions * d)
        tokens = sessions * (selection + 10 * d * d + earlier + 2 * d * d)
        normalisations = 2 * columns * d * (1 + sessions // sizes.SLICE_SESSIONS)
        graph = model.n_graph * (2 * d * d + self._places * sizes.EDGE_FEATURES * d)
        newest = 2 * d * d + 2 * d * f + d * d + d * g.n_outputs
        return 2.0 * g.stocks * (tokens + normalisations + graph + newest)

    @property
    def moved(self) -> float:
        model, g = self.model, self.geometry
        d, f, h, sessions = model.d_model, model.d_ff, model.n_heads, g.days
        earlier = (model.n_layers - 1) * (24 * d + 8 * f + 6 * h * sessions)
        tokens = sessions * (g.n_features * (45 * d + 40) + 60 * d + earlier + 14 * d + 6 * h)
        graph = model.n_graph * (self._places * (16 * d + 10 * h) + 24 * d)
        return float(g.stocks * (tokens + 16 * d + 8 * f + graph))

    @property
    def calls(self) -> int:
        return self._temporal_calls + self.model.n_graph

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self._temporal_calls * -(-self.geometry.stocks // stocks_at_once) + self.model.n_graph

    @property
    def _temporal_calls(self) -> int:
        """Number of layers before the graph, each column's network as a third of one."""
        return -(-self.geometry.n_features // 3) + 1 + self.model.n_layers

    @property
    def _places(self) -> int:
        """Number of edges that lead to a stock, its own included."""
        return self.geometry.neighbours + 1

    def _temporal(self, body: int, stocks: int) -> tuple[_Layers, ...]:
        """Return what of so many stocks comes before the graph: variable selection, LSTM, blocks, the last block."""
        model, columns = self.model, self.geometry.n_features
        d, f, h, tokens = model.d_model, model.d_ff, model.n_heads, stocks * self.geometry.days
        selection = (columns * (4 * d + 7) + d) * body
        rounded = -(-d // _ROUNDED_TO) * _ROUNDED_TO
        workspace = 4 * (8.2 * d + 7.3 * rounded)
        in_bf16 = 0 if body == 4 else 4 * d
        block = (7 * d + 2 * f) * body + 4 * (3 * d + h) + in_bf16 + 16
        last = tokens * (2 * d * body + 4 * (2 * d + h) + 8) + stocks * (4 * d + (5 * d + 2 * f) * body)
        inputs = tokens * d * body
        # Gradients of the token, of a column's gate and its two sides.
        of_column = (6 * d + 2 * columns) * body
        of_block = max(2 * f * body, 4 * 6 * d + (0 if body == 4 else 6 * d)) + 2 * d * body
        of_last = tokens * (4 * 4 * d + (0 if body == 4 else 4 * d)) + stocks * 2 * f * body
        return (
            _Layers(1, tokens * columns * body, tokens * selection, tokens * of_column),
            _Layers(1, tokens * 4 * d, tokens * (workspace + 4 * 6 * d + 8), tokens * 4 * 2 * d),
            _Layers(model.n_layers - 1, inputs, tokens * block, tokens * of_block),
            _Layers(1, inputs, last, of_last),
        )

    @property
    def _graph(self) -> _Layers:
        d, h, stocks = self.model.d_model, self.model.n_heads, self.geometry.stocks
        kept = 4.0 * stocks * (self._places * (2 * d + h) + 4 * d + 2)
        return _Layers(self.model.n_graph, 4.0 * stocks * d, kept, 4.0 * stocks * self._places * (2 * d + 2 * h))

    @property
    def _edges(self) -> float:
        """Bytes of the inputs and of what the head keeps: its LayerNorm's and GELU's two sides, increments of
        quantiles."""
        g, d = self.geometry, self.model.d_model
        inputs = g.context_length * (4 * g.n_features + 1) + g.neighbours * (8 + 4 * sizes.EDGE_FEATURES)
        edges = self._places * (8 + 4 * sizes.EDGE_FEATURES + 1) if self.model.n_graph else 0
        return g.stocks * (inputs + edges + 4 * (4 * d + 2 * g.n_outputs))

    @property
    def _beside_layers(self) -> float:
        """Bytes per stock of what both normalisations keep (4 F a token), of the tokens' dropout mask, and of the
        LayerNorm after the last block."""
        g, d = self.geometry, self.model.d_model
        return 4.0 * (g.days * (4 * g.n_features + d) + 2 * d)


def _largest(kinds: Sequence[_Layers]) -> tuple[float, float]:
    """Return the most that a layer keeps, and what is temporarily needed on top where a layer needs most."""
    largest = max(kind.kept for kind in kinds)
    return largest, max(kind.kept + kind.moment for kind in kinds) - largest
