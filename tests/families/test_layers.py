from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tsladder.families.parts.heads import SHORT_TOKENS
from tsladder.families.parts.short_attention import attend


def fused(heads_BPE: Tensor, n_heads: int) -> Tensor:
    batch, tokens, triple = heads_BPE.shape
    query, key, value = (part.view(batch, tokens, n_heads, -1).transpose(1, 2) for part in heads_BPE.chunk(3, dim=-1))
    mixed = functional.scaled_dot_product_attention(query, key, value)
    return mixed.transpose(1, 2).reshape(batch, tokens, triple // 3)


# At nine tokens heads narrower than five are padded, at one token all of these are.
@pytest.mark.parametrize("tokens", [1, 9, SHORT_TOKENS])
@pytest.mark.parametrize("batch", [1, 6])
@pytest.mark.parametrize(("d_model", "n_heads"), [(8, 4), (8, 2), (24, 2), (64, 1)])
def test_short_attention_is_attention(tokens: int, batch: int, d_model: int, n_heads: int) -> None:
    torch.manual_seed(0)
    heads_BPE = torch.randn(batch, tokens, 3 * d_model, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn(batch, tokens, d_model, dtype=torch.float64)
    found = []
    for attention in (fused, attend):
        heads_BPE.grad = None
        mixed_BPD = attention(heads_BPE, n_heads)
        mixed_BPD.backward(gradient)
        assert heads_BPE.grad is not None
        found.append((mixed_BPD.detach(), heads_BPE.grad.clone()))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-9)


def test_short_attention_bears_scores_that_would_overflow_an_exponential() -> None:
    torch.manual_seed(0)
    heads_BPE = 200.0 * torch.randn(4, 9, 24)
    torch.testing.assert_close(attend(heads_BPE, 2), fused(heads_BPE, 2), atol=1e-3, rtol=1e-4)
