"""Sizes that modules and costs of atft_gat_fan agree on, and the parameter counts of its parts. Pure, no torch."""

from __future__ import annotations

from tsladder.families.parts.geometry import PanelGeometry

SLICE_SESSIONS = 5
"""Sessions of a slice of slice adaptive normalisation: a week of trading."""

EDGE_FEATURES = 3
"""Features of an edge of the graph: correlation, same sector, and whether it leads from a stock to itself."""


def places(geometry: PanelGeometry) -> int:
    """Return the number of edges that lead to a stock: its places for neighbours, and one from itself."""
    return geometry.neighbours + 1


def gated_residual_network(inputs: int, hidden: int, outputs: int) -> int:
    """Count the parameters of a gated residual network: two Linears, two more for gate and value, one for the skip
    where its ends differ in width, and a LayerNorm."""
    skip = 0 if inputs == outputs else inputs * outputs + outputs
    gated = 2 * (hidden * outputs + outputs)
    return inputs * hidden + hidden + hidden * hidden + hidden + gated + skip + 2 * outputs


def variable_selection(features: int, width: int) -> int:
    """Count the parameters of the variable selection: embeddings of the columns, the network that weighs them and a
    network for each."""
    weighing = gated_residual_network(features * width, width, features)
    return 2 * features * width + weighing + features * gated_residual_network(width, width, width)


def normalisation(features: int, width: int) -> int:
    """Count the parameters of frequency or of slice adaptive normalisation: a Linear of two statistics of each column,
    and a share of each column."""
    return 2 * features * width + width + features


def recurrence(width: int) -> int:
    """Count the parameters of the LSTM (two biases for each gate), its gated skip and LayerNorm."""
    return 8 * width * width + 8 * width + 2 * width * width + 2 * width + 2 * width


def causal_block(width: int, inner: int) -> int:
    """Count the parameters of a block: attention, feed-forward, two LayerNorms."""
    return 4 * width * width + 4 * width + 4 * width + 2 * width * inner + inner + width


def graph_layer(width: int) -> int:
    """Count the parameters of a graph layer: two Linears of the stocks, one of the edges without bias, the vector that
    scores an edge, the share of the residual, and a LayerNorm."""
    return 2 * width * width + 2 * width + EDGE_FEATURES * width + width + width + 2 * width


def head(width: int, outputs: int) -> int:
    """Count the parameters of LayerNorm, hidden layer and outputs."""
    return 2 * width + width * width + width + width * outputs + outputs
