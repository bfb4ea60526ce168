"""Work of one day in atft_gat_fan: multiplications, numbers moved, calls. Pure, no torch.

With T sessions, F columns, width d, feed-forward width f, h heads, L blocks, G graph layers, J places of neighbours and
the stock itself and O outputs, the forward pass multiplies and adds for each stock

- T (2 F d^2 + 4 F d + F^2) in variable selection, whose products of weights with weights are no work of a day;
- T 10 d^2 in the LSTM and its gate, and 2 F d (1 + T / 5) for what the normalisations tell;
- (L - 1) T (4 d^2 + 2 d f + 2 T d) in whole blocks, T 2 d^2 + 2 d^2 + 2 d f in the last one;
- G (2 d^2 + 3 J d) in graph layers, d^2 + d O in the head,

times 2. Elementwise work moves about T F (24 d + 20) numbers in variable selection, T 60 d around the LSTM, as many in
blocks as parts/work.py says, and J (16 d + 10 h) + 24 d in a graph layer.
"""

from __future__ import annotations

from tsladder.families.panel.atft import sizes
from tsladder.families.parts.geometry import Architecture, PanelGeometry

_COLUMNS_PER_CALL = 3
"""Columns whose networks together take as many calls as a block."""


def products(model: Architecture, geometry: PanelGeometry) -> float:
    """Count the multiplications and additions of the forward pass."""
    d, f, columns, sessions = model.d_model, model.d_ff, geometry.n_features, geometry.days
    selection = 2 * columns * d * d + 4 * columns * d + columns * columns
    earlier = (model.n_layers - 1) * (4 * d * d + 2 * d * f + 2 * sessions * d)
    tokens = sessions * (selection + 10 * d * d + earlier + 2 * d * d)
    normalisations = 2 * columns * d * (1 + sessions // sizes.SLICE_SESSIONS)
    graph = model.n_graph * (2 * d * d + sizes.places(geometry) * sizes.EDGE_FEATURES * d)
    newest = 2 * d * d + 2 * d * f + d * d + d * geometry.n_outputs
    return 2.0 * geometry.stocks * (tokens + normalisations + graph + newest)


def moved(model: Architecture, geometry: PanelGeometry) -> float:
    """Count the numbers read and written by the elementwise work of the forward and backward pass."""
    d, f, h, sessions = model.d_model, model.d_ff, model.n_heads, geometry.days
    earlier = (model.n_layers - 1) * (24 * d + 8 * f + 6 * h * sessions)
    tokens = sessions * (geometry.n_features * (24 * d + 20) + 60 * d + earlier + 14 * d + 6 * h)
    graph = model.n_graph * (sizes.places(geometry) * (16 * d + 10 * h) + 24 * d)
    return float(geometry.stocks * (tokens + 16 * d + 8 * f + graph))


def calls(model: Architecture, geometry: PanelGeometry, stocks_at_once: int) -> int:
    """Count the layers that each micro-batch passes through, one after the other, with so many stocks at once."""
    before_the_graph = -(-geometry.n_features // _COLUMNS_PER_CALL) + 1 + model.n_layers
    return before_the_graph * -(-geometry.stocks // stocks_at_once) + model.n_graph
