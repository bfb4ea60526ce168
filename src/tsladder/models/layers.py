"""Building blocks of the transformer families. Shapes: B batch, T days, C features, P tokens, D width."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class RevinAffine(nn.Module):
    """The learned affine of RevIN (Kim et al. 2022) on windows already normalised to zero mean and unit sd.

    There is no de-normalisation: the target is a class, not the series itself.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))

    def forward(self, x_BTC: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x_BTC, self.gain)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one fused projection, through torch's scaled_dot_product_attention."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.project_in = nn.Linear(d_model, 3 * d_model)
        self.project_out = nn.Linear(d_model, d_model)

    def forward(self, h_BPD: Tensor) -> Tensor:
        batch, tokens, width = h_BPD.shape
        heads = self.project_in(h_BPD).view(batch, tokens, 3, self.n_heads, width // self.n_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.project_out(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return projected


class EncoderBlock(nn.Module):
    """Pre-norm block: attention, then a GELU feed-forward, each with dropout on its residual branch."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads)
        self.norm_feed_forward = nn.LayerNorm(d_model)
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h_BPD: Tensor) -> Tensor:
        h_BPD = h_BPD + self.dropout(self.attention(self.norm_attention(h_BPD)))
        h_BPF = functional.gelu(self.expand(self.norm_feed_forward(h_BPD)))
        out_BPD: Tensor = h_BPD + self.dropout(self.contract(h_BPF))
        return out_BPD
