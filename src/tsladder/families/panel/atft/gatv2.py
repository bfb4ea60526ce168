"""Attention of a stock to its neighbours in a graph: GATv2 (Brody et al. 2022) with features of the edges.

Neighbours are lists, so that work and memory grow with the number of edges and not with the square of the stocks. Every
stock is also its own neighbour, by an edge with features of its own. A neighbour that is not in the day's cross-section
is left out. Always in fp32: a stock has one token a day here, a small part of the work.

Shapes: B days, S stocks, k neighbours, J = k + 1 places of neighbours and the stock itself, K features of an edge, D
width, H heads, C width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.panel.atft.sizes import EDGE_FEATURES
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.dropout import Masks

NEGATIVE_SLOPE = 0.2
"""Slope of LeakyReLU below 0, that of the paper."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Graph:
    """Edges that lead to each stock of each day, the last one from the stock itself.

    place_BSJ    int64: where the edge comes from, counted over all stocks of all days
    edge_BSJK    float32: correlation, same sector, itself
    absent_BSJ   bool: there is no such edge
    """

    place_BSJ: Tensor
    edge_BSJK: Tensor
    absent_BSJ: Tensor


def graph_of(inputs: DayInputs, dropped: float) -> Graph:
    """Return the graph of `inputs`, less a share `dropped` of the edges between stocks, drawn from torch's generator.

    A stock's edge to itself says correlation 1, the same sector, itself; `inputs` need not say of the others that they
    are no such edges. Raises ValueError where `inputs` have no graph, or one with other features.
    """
    neighbours_BSk, given_BSkK = inputs.neighbours_BSk, inputs.edges_BSkK
    if neighbours_BSk is None or given_BSkK is None:
        raise ValueError("these days have no graph, and the model has layers over one: neighbours and edges are None")
    missing = EDGE_FEATURES - given_BSkK.shape[-1]
    if missing not in (0, 1):
        raise ValueError(f"an edge has a correlation, a sector and perhaps a mark of itself; got {given_BSkK.shape}")
    days, stocks, _ = neighbours_BSk.shape
    device = neighbours_BSk.device
    first_B11 = stocks * torch.arange(days, device=device)[:, None, None]
    itself_BS1 = torch.arange(days * stocks, device=device).view(days, stocks, 1)
    place_BSk = neighbours_BSk.clamp_min(0) + first_B11
    absent_BSk = (neighbours_BSk < 0) | ~inputs.member_BS.flatten()[place_BSk]
    if dropped > 0:
        absent_BSk = absent_BSk | (torch.rand(absent_BSk.shape, device=device) < dropped)
    edge_BSkK = functional.pad(given_BSkK, (0, missing))
    return Graph(
        place_BSJ=torch.cat([place_BSk, itself_BS1], dim=2),
        edge_BSJK=functional.pad(edge_BSkK, (0, 0, 0, 1), value=1.0),
        absent_BSJ=functional.pad(absent_BSk, (0, 1), value=False),
    )


class GraphLayer(nn.Module):
    """h + share * GATv2(LayerNorm(h)) over the stocks of each day. 2 D^2 + (6 + K) D parameters; `share` starts at 0,
    so that h_BSD is returned as it is."""

    def __init__(self, d_model: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm = nn.LayerNorm(d_model)
        self.target = nn.Linear(d_model, d_model)
        self.source = nn.Linear(d_model, d_model)
        self.edge = nn.Linear(EDGE_FEATURES, d_model, bias=False)
        bound = (6.0 / (n_heads + d_model // n_heads)) ** 0.5
        self.score_HC = nn.Parameter(torch.empty(n_heads, d_model // n_heads).uniform_(-bound, bound))
        self.share = nn.Parameter(torch.zeros(d_model))

    def forward(self, h_BSD: Tensor, graph: Graph, key: int | None) -> Tensor:
        """Let every stock attend to its neighbours and itself. `key` decides the dropout mask; None drops nothing."""
        mixed_BSD = self.share * self.attend(self.norm(h_BSD), graph)
        return h_BSD + mixed_BSD if key is None else Masks(self.dropout, key).add(h_BSD, mixed_BSD)

    def attend(self, h_BSD: Tensor, graph: Graph) -> Tensor:
        """Return the neighbours of every stock, weighed: for each head sum_j a_ij W_r h_j, where a_ij is the softmax of
        a . LeakyReLU(W_l h_i + W_r h_j + W_e e_ij) over j."""
        from_BSJD = _rows(self.source(h_BSD).flatten(0, 1), graph.place_BSJ)
        edge_BSJD = functional.leaky_relu(
            self.target(h_BSD)[:, :, None] + from_BSJD + self.edge(graph.edge_BSJK), NEGATIVE_SLOPE, inplace=True
        )
        score_BSJH = (edge_BSJD.unflatten(-1, self.score_HC.shape) * self.score_HC).sum(-1)
        weight_BSJH = score_BSJH.masked_fill(graph.absent_BSJ[..., None], -torch.inf).softmax(2)
        weighed_BSJHC: Tensor = weight_BSJH[..., None] * from_BSJD.unflatten(-1, self.score_HC.shape)
        return weighed_BSJHC.sum(2).flatten(2)


def _rows(rows_ND: Tensor, place_BSJ: Tensor) -> Tensor:
    """Gather rows, so that gradients are added up in the same order each time."""
    if rows_ND.device.type == "cpu":
        # Plain indexing takes twice as long here, and on a GPU index_select adds up in any order.
        return rows_ND.index_select(0, place_BSJ.flatten()).view(*place_BSJ.shape, -1)
    return rows_ND[place_BSJ]
