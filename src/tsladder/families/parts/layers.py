"""Building blocks of the transformer families. Shapes: B batch, T days, C features, P tokens, D width."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.parts.dropout import Masks
from tsladder.families.parts.heads import SHORT_TOKENS
from tsladder.families.parts.short_attention import attend


class RevinAffine(nn.Module):
    """The learned affine of RevIN (Kim et al. 2022) on windows already normalised to zero mean and unit sd.

    There is no de-normalisation, since the target is a class, not the series itself.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))

    def forward(self, x_BTC: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x_BTC, self.gain)


Mix = Callable[[Tensor, int], Tensor]
"""An attention: queries, keys and values side by side in heads_BPE, and the number of heads -> mixed_BPD."""


def split_heads(heads_BPE: Tensor, n_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Split into queries, keys and values with separate heads: batch x heads x P x width of a head."""
    batch, tokens, triple = heads_BPE.shape
    query, key, value = (
        part.view(batch, tokens, n_heads, triple // 3 // n_heads).transpose(1, 2) for part in heads_BPE.chunk(3, dim=-1)
    )
    return query, key, value


def attend_to_all(heads_BPE: Tensor, n_heads: int) -> Tensor:
    """Compute softmax attention of every token to every other: a `Mix`.

    It uses torch's scaled_dot_product_attention, except for short sequences on a CPU, where that is the slowest part.
    """
    return attend_to_some(heads_BPE, n_heads, None)


def attend_to_some(heads_BPE: Tensor, n_heads: int, attended_BP: Tensor | None) -> Tensor:
    """Compute softmax attention of every token to those in `attended_BP`, bool, at least one in each sequence; None: to
    all."""
    if heads_BPE.device.type == "cpu" and heads_BPE.shape[1] <= SHORT_TOKENS:
        return attend(heads_BPE, n_heads, attended_BP)
    mask = None if attended_BP is None else attended_BP[:, None, None, :]
    mixed = functional.scaled_dot_product_attention(*split_heads(heads_BPE, n_heads), attn_mask=mask)
    return mixed.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with one fused projection. `mix` computes the attention."""

    def __init__(self, d_model: int, n_heads: int, mix: Mix = attend_to_all) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.project_in = nn.Linear(d_model, 3 * d_model)
        self.project_out = nn.Linear(d_model, d_model)
        self.mix = mix

    def forward(self, h_BPD: Tensor, mix: Mix | None = None) -> Tensor:
        """Mix the tokens by the attention `mix`; None: by that which the block was built with."""
        heads_BPE = self.project_in(h_BPD)
        if heads_BPE.device.type == "cpu" and heads_BPE.dtype == torch.bfloat16:
            # torch's CPU kernel falls back to plain loops for the backward pass in bf16, 25 times slower.
            heads_BPE = heads_BPE.float()
        mixed_BPD = (mix or self.mix)(heads_BPE, self.n_heads)
        projected: Tensor = self.project_out(mixed_BPD.to(h_BPD.dtype))
        return projected


class EncoderBlock(nn.Module):
    """A pre-norm block: attention, then a GELU feed-forward, each with dropout on its residual branch."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float, mix: Mix = attend_to_all) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, n_heads, mix)
        self.norm_feed_forward = nn.LayerNorm(d_model)
        self.expand = nn.Linear(d_model, d_ff)
        self.contract = nn.Linear(d_ff, d_model)
        self.dropout = dropout

    def forward(self, h_BPD: Tensor, key: int | None, mix: Mix | None = None) -> Tensor:
        """Pass the tokens through the block. `key` decides the dropout masks; None drops nothing. `mix`: another
        attention than that which the block was built with, for this pass."""
        masks = None if key is None else Masks(self.dropout, key)
        mixed_BPD = self.attention(self.norm_attention(h_BPD), mix)
        h_BPD = h_BPD + mixed_BPD if masks is None else masks.add(h_BPD, mixed_BPD)
        h_BPF = functional.gelu(self.expand(self.norm_feed_forward(h_BPD)))
        out_BPD: Tensor = self.contract(h_BPF)
        return h_BPD + out_BPD if masks is None else masks.add(h_BPD, out_BPD)
