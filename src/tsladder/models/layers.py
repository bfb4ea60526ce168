"""Building blocks of the transformer families. Shapes: B batch, T days, C features, P tokens, D width."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.models.dropout import Masks


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
        head_width = width // self.n_heads
        on_cpu = h_BPD.device.type == "cpu"
        paired = on_cpu and batch % 2 == 0 and tokens <= PAIRED_TOKENS and head_width < PAIRED_HEAD_WIDTH
        rows, length = (batch // 2, 2 * tokens) if paired else (batch, tokens)
        heads = self.project_in(h_BPD)
        if on_cpu and heads.dtype == torch.bfloat16:
            # torch's CPU kernel falls back to plain loops for the backward pass in bf16, 25 times slower.
            heads = heads.float()
        query, key, value = (
            part.view(rows, length, self.n_heads, head_width).transpose(1, 2) for part in heads.chunk(3, dim=-1)
        )
        mask = _own_half(tokens, heads.dtype) if paired else None
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed_BPD = mixed.transpose(1, 2).reshape(batch, tokens, width).to(h_BPD.dtype)
        projected: Tensor = self.project_out(mixed_BPD)
        return projected


PAIRED_TOKENS = 16
PAIRED_HEAD_WIDTH = 64
"""Below these, torch's CPU kernel spends its time on starting products of 9 x 16 values: two windows in one sequence,
blind to each other, take 0.55 to 0.95 of the time, four or more take longer again (9 tokens, one thread)."""


@functools.cache
def _own_half(tokens: int, dtype: torch.dtype) -> Tensor:
    """Additive mask (2P, 2P) under which two windows in one sequence do not see each other."""
    mask = torch.full((2 * tokens, 2 * tokens), -torch.inf, dtype=dtype)
    mask[:tokens, :tokens] = 0
    mask[tokens:, tokens:] = 0
    return mask


class EncoderBlock(nn.Module):
    """Pre-norm block: attention, then a GELU feed-forward, each with dropout on its residual branch."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads)
        self.norm_feed_forward = nn.LayerNorm(d_model)
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)
        self.dropout = dropout

    def forward(self, h_BPD: Tensor, key: int | None) -> Tensor:
        """`key` decides the dropout masks; None drops nothing."""
        masks = None if key is None else Masks(self.dropout, key)
        mixed_BPD = self.attention(self.norm_attention(h_BPD))
        h_BPD = h_BPD + mixed_BPD if masks is None else masks.add(h_BPD, mixed_BPD)
        h_BPF = functional.gelu(self.expand(self.norm_feed_forward(h_BPD)))
        out_BPD: Tensor = self.contract(h_BPF)
        return h_BPD + out_BPD if masks is None else masks.add(h_BPD, out_BPD)
