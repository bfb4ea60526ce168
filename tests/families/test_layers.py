from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tsladder.families.parts.heads import SHORT_TOKENS
from tsladder.families.parts.layers import attend_to_all, attend_to_some
from tsladder.families.parts.short_attention import attend


def fused(heads_BPE: Tensor, n_heads: int, attended_BP: Tensor | None = None) -> Tensor:
    batch, tokens, triple = heads_BPE.shape
    query, key, value = (part.view(batch, tokens, n_heads, -1).transpose(1, 2) for part in heads_BPE.chunk(3, dim=-1))
    mask = None if attended_BP is None else attended_BP[:, None, None, :]
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
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


@pytest.mark.parametrize("tokens", [2, 9, SHORT_TOKENS, SHORT_TOKENS + 6])
@pytest.mark.parametrize(("d_model", "n_heads"), [(8, 4), (64, 1)])
def test_attention_to_some_is_attention_without_the_others(tokens: int, d_model: int, n_heads: int) -> None:
    torch.manual_seed(0)
    heads_BPE = torch.randn(5, tokens, 3 * d_model, dtype=torch.float64, requires_grad=True)
    attended_BP = torch.rand(5, tokens) > 0.4
    attended_BP[:, 0] = True
    mixed_BPD = attend_to_some(heads_BPE, n_heads, attended_BP)
    for sequence, attended_P in zip(heads_BPE, attended_BP, strict=True):
        alone_PE = sequence[attended_P].unsqueeze(0)
        expected = fused(alone_PE, n_heads)[0]
        found = attend_to_some(sequence.unsqueeze(0), n_heads, attended_P.unsqueeze(0))[0][attended_P]
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    (gradient,) = torch.autograd.grad(mixed_BPD.square().sum(), heads_BPE)
    (expected_gradient,) = torch.autograd.grad(fused(heads_BPE, n_heads, attended_BP).square().sum(), heads_BPE)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-12, rtol=1e-9)


def test_what_is_not_attended_to_changes_no_other_token() -> None:
    torch.manual_seed(0)
    heads_BPE, attended_BP = torch.randn(3, 9, 24), torch.ones(3, 9, dtype=torch.bool)
    attended_BP[:, 4] = False
    before = attend_to_some(heads_BPE, 2, attended_BP)
    heads_BPE[:, 4] = 1e6
    after = attend_to_some(heads_BPE, 2, attended_BP)
    torch.testing.assert_close(after[attended_BP], before[attended_BP], atol=0, rtol=0)


def test_attention_to_all_tokens_of_a_mask_is_attention_to_all() -> None:
    torch.manual_seed(0)
    for tokens in (9, SHORT_TOKENS + 6):
        heads_BPE = torch.randn(3, tokens, 24)
        everyone = torch.ones(3, tokens, dtype=torch.bool)
        torch.testing.assert_close(attend_to_some(heads_BPE, 2, everyone), attend_to_all(heads_BPE, 2))
