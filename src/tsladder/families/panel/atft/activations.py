"""Memory of the activations of atft_gat_fan, in bytes per day with all its stocks. Pure, no torch.

With S stocks, T sessions, F columns, width d, feed-forward width f, h heads, J places of neighbours and the stock
itself, and b bytes per number of the body (4 in fp32, 2 in bf16), a layer keeps for the backward pass:

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

Counted with normalisations and graph layers active.
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


def activations_of(model: Architecture, geometry: PanelGeometry, body: int) -> Activations:
    """Return the memory where all stocks are computed at once."""
    kinds = [*_temporal(model, geometry, body, geometry.stocks), *_graph(model, geometry)]
    largest, moment = _largest(kinds)
    return Activations(
        blocks=sum(kind.count * kind.kept for kind in kinds),
        checkpointed=sum(kind.count * kind.inputs for kind in kinds) + largest,
        largest_block=largest,
        moment=moment,
        edges=_edges(model, geometry) + geometry.stocks * _beside_layers(model, geometry),
    )


def activations_in_chunks(model: Architecture, geometry: PanelGeometry, body: int, stocks_at_once: int) -> Activations:
    """Return the memory where what comes before the graph is computed for so many stocks at once."""
    some = min(geometry.stocks, stocks_at_once)
    temporal, graph = _temporal(model, geometry, body, some), _graph(model, geometry)
    largest, moment = _largest([*temporal, *graph])
    # Of a chunk that is computed again: what lies beside its layers, their inputs, and one layer.
    inputs = sum(kind.count * kind.inputs for kind in temporal)
    chunk = some * _beside_layers(model, geometry) + inputs + max(kind.kept for kind in temporal)
    kept = sum(kind.count * kind.inputs for kind in graph) + max([chunk, *(kind.kept for kind in graph)])
    # Each chunk keeps the sessions that it read, and what its stocks have become.
    read = 4 * geometry.stocks * (geometry.days * geometry.n_features + model.d_model)
    return Activations(
        blocks=kept, checkpointed=kept, largest_block=largest, moment=moment, edges=_edges(model, geometry) + read
    )


def _largest(kinds: Sequence[_Layers]) -> tuple[float, float]:
    """Return the most that a layer keeps, and what is temporarily needed on top where a layer needs most."""
    largest = max(kind.kept for kind in kinds)
    return largest, max(kind.kept + kind.moment for kind in kinds) - largest


def _temporal(model: Architecture, geometry: PanelGeometry, body: int, stocks: int) -> list[_Layers]:
    """Return what of so many stocks comes before the graph: variable selection, LSTM, blocks, the last block."""
    d, f, h, columns, tokens = model.d_model, model.d_ff, model.n_heads, geometry.n_features, stocks * geometry.days
    in_bf16 = 0 if body == 4 else 1
    selection = (columns * (4 * d + 7) + d) * body
    # Gradients of the token, of a column's gate and its two sides.
    of_column = (6 * d + 2 * columns) * body
    workspace = 4 * (8.2 * d + 7.3 * -(-d // _ROUNDED_TO) * _ROUNDED_TO)
    recurrence = workspace + 4 * 6 * d + 8
    block = (7 * d + 2 * f) * body + 4 * (3 * d + h) + in_bf16 * 4 * d + 16
    of_block = max(2 * f * body, 4 * 6 * d + in_bf16 * 6 * d) + 2 * d * body
    last = tokens * (2 * d * body + 4 * (2 * d + h) + 8) + stocks * (4 * d + (5 * d + 2 * f) * body)
    of_last = tokens * (4 * 4 * d + in_bf16 * 4 * d) + stocks * 2 * f * body
    inputs = tokens * d * body
    earlier = _Layers(model.n_layers - 1, inputs, tokens * block, tokens * of_block)
    return [
        _Layers(1, tokens * columns * body, tokens * selection, tokens * of_column),
        _Layers(1, tokens * 4 * d, tokens * recurrence, tokens * 4 * 2 * d),
        *([earlier] if earlier.count else []),
        _Layers(1, inputs, last, of_last),
    ]


def _graph(model: Architecture, geometry: PanelGeometry) -> list[_Layers]:
    if model.n_graph == 0:
        return []
    d, h, places, stocks = model.d_model, model.n_heads, sizes.places(geometry), geometry.stocks
    kept, moment = places * (2 * d + h) + 4 * d + 2, places * (2 * d + 2 * h)
    return [_Layers(model.n_graph, 4.0 * stocks * d, 4.0 * stocks * kept, 4.0 * stocks * moment)]


def _edges(model: Architecture, geometry: PanelGeometry) -> float:
    """Return the bytes of the inputs, of the edges, and of what the head keeps: its LayerNorm's and GELU's two sides,
    increments of quantiles."""
    an_edge = 8 + 4 * sizes.EDGE_FEATURES
    inputs = geometry.context_length * (4 * geometry.n_features + 1) + geometry.neighbours * an_edge
    edges = sizes.places(geometry) * (an_edge + 1) if model.n_graph else 0
    return geometry.stocks * (inputs + edges + 4 * (4 * model.d_model + 2 * geometry.n_outputs))


def _beside_layers(model: Architecture, geometry: PanelGeometry) -> float:
    """Return the bytes per stock of what both normalisations keep (4 F a token), of the tokens' dropout mask, and of
    the LayerNorm after the last block."""
    return 4.0 * (geometry.days * (4 * geometry.n_features + model.d_model) + 2 * model.d_model)
