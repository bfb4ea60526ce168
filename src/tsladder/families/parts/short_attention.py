"""Exact self-attention over few tokens on a CPU, by batches of small matrix products.

torch's fused CPU kernel starts one product for each window and head; here the products of all windows and heads are
computed together. torch's softmax over rows of nine values takes 20 times as long as its exponentials; here the softmax
is written out. Letters: N windows x heads, P tokens, K width of a head, D = heads x K, E = 3 D.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from tsladder.families.parts.heads import padded_head_width


def attend(heads_BPE: Tensor, n_heads: int, attended_BP: Tensor | None = None) -> Tensor:
    """Compute softmax attention within each window: queries, keys and values side by side in E -> mixed_BPD.

    `attended_BP`, bool: tokens that others attend to, at least one in each window; None: all.
    """
    mixed: Tensor = _ShortAttention.apply(heads_BPE, n_heads, attended_BP)  # type: ignore[no-untyped-call]
    return mixed


class _ShortAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, heads_BPE: Tensor, n_heads: int, attended_BP: Tensor | None) -> Tensor:
        batch, tokens, triple = heads_BPE.shape
        width = triple // 3 // n_heads
        padded = padded_head_width(width, tokens)
        query_NPK, key_NPK, value_NPK = _by_head(heads_BPE.view(batch, tokens, 3, n_heads, width), padded)
        share_NPP = torch.bmm(query_NPK, key_NPK.transpose(1, 2)).mul_(width**-0.5)
        if attended_BP is not None:
            left_out_B11P = ~attended_BP[:, None, None, :]
            share_NPP.view(batch, n_heads, tokens, tokens).masked_fill_(left_out_B11P, -math.inf)
        share_NPP.sub_(share_NPP.amax(-1, keepdim=True)).exp_()
        share_NPP.div_(share_NPP.sum(-1, keepdim=True))
        ctx.save_for_backward(query_NPK, key_NPK, value_NPK, share_NPP)
        ctx.shape = (batch, tokens, n_heads, width)
        mixed = torch.bmm(share_NPP, value_NPK).view(batch, n_heads, tokens, padded)[..., :width]
        return mixed.transpose(1, 2).reshape(batch, tokens, triple // 3)

    @staticmethod
    def backward(ctx: Any, gradient_BPD: Tensor) -> tuple[Tensor, None, None]:
        query_NPK, key_NPK, value_NPK, share_NPP = ctx.saved_tensors
        batch, tokens, n_heads, width = ctx.shape
        padded = query_NPK.shape[-1]
        (gradient_NPK,) = _by_head(gradient_BPD.reshape(batch, tokens, 1, n_heads, width), padded)
        out = gradient_NPK.new_empty(3, *gradient_NPK.shape)
        torch.bmm(share_NPP.transpose(1, 2), gradient_NPK, out=out[2])
        score_NPP = torch.bmm(gradient_NPK, value_NPK.transpose(1, 2))
        score_NPP.sub_((score_NPP * share_NPP).sum(-1, keepdim=True)).mul_(share_NPP).mul_(width**-0.5)
        torch.bmm(score_NPP, key_NPK, out=out[0])
        torch.bmm(score_NPP.transpose(1, 2), query_NPK, out=out[1])
        heads = out.view(3, batch, n_heads, tokens, padded)[..., :width].permute(1, 3, 0, 2, 4)
        return heads.reshape(batch, tokens, -1), None, None


def _by_head(parts: Tensor, padded: int) -> tuple[Tensor, ...]:
    """Rearrange (B, P, parts, heads, K) into (N, P, K) for each part, contiguous, K padded with zeros to `padded`."""
    batch, tokens, count, n_heads, width = parts.shape
    arranged = parts.permute(2, 0, 3, 1, 4)
    if padded > width:
        whole = parts.new_zeros(count, batch, n_heads, tokens, padded)
        whole[..., :width] = arranged
    else:
        whole = arranged.contiguous()
    return whole.view(count, batch * n_heads, tokens, padded).unbind(0)
