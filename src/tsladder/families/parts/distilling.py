"""Distilling of the Informer (Zhou et al. 2021): halves the tokens, each made from its neighbours.

Shapes: B batch, P tokens, D width, E three widths.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

CONVOLVED = 3
"""Number of neighbouring tokens that the convolution reads."""


class Distilling(nn.Module):
    """A convolution over three tokens, LayerNorm, ELU, and a maximum of three tokens with stride 2: h_BPD to half of P.

    The convolution is a Linear on three tokens side by side: one large product, without a kernel that CPUs lack in
    bf16.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.convolve = nn.Linear(CONVOLVED * d_model, d_model)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, h_BPD: Tensor) -> Tensor:
        padded_BPD = functional.pad(h_BPD, (0, 0, 1, 1))
        three_BPE = torch.cat([padded_BPD[:, :-2], h_BPD, padded_BPD[:, 2:]], dim=2)
        h_BPD = functional.elu(self.norm(self.convolve(three_BPE)))
        padded_BPD = functional.pad(h_BPD, (0, 0, 1, 1), value=-math.inf)
        return torch.maximum(torch.maximum(padded_BPD[:, :-2:2], padded_BPD[:, 1:-1:2]), padded_BPD[:, 2::2])
