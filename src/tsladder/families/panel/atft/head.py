"""The head: quantiles of the return of each stock over each horizon, never crossing. Shapes: ... any axes, D width,
O = horizons x quantiles outputs."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.parts.quantile_head import quantiles_of


class QuantileHead(nn.Module):
    """Linear, GELU and a Linear for every horizon: h_...D -> out_...O. The middle quantile of the first horizon is the
    score."""

    def __init__(self, d_model: int, horizons: int, quantiles: int) -> None:
        super().__init__()
        self.horizons, self.quantiles = horizons, quantiles
        self.hidden = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, horizons * quantiles)

    def forward(self, h: Tensor) -> Tensor:
        return quantiles_of(self.out(functional.gelu(self.hidden(h))), self.horizons, self.quantiles)
