"""The pass that computes one token of a block gives what the whole block gives there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tsladder.families.parts.last_token import last_token
from tsladder.families.parts.layers import EncoderBlock


def block(d_model: int = 16, n_heads: int = 4, dropout: float = 0.0) -> EncoderBlock:
    torch.manual_seed(2)
    return EncoderBlock(d_model, n_heads, 4 * d_model, dropout)


def tokens(count: int = 5, d_model: int = 16) -> Tensor:
    return torch.randn(7, count, d_model, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("count", [1, 5, 20, 30])
@pytest.mark.parametrize(("d_model", "n_heads"), [(8, 2), (16, 1), (16, 4)])
def test_the_last_token_and_all_gradients_are_those_of_the_whole_block(count: int, d_model: int, n_heads: int) -> None:
    whole, one = block(d_model, n_heads).double(), block(d_model, n_heads).double()
    given, given_again = (tokens(count, d_model).requires_grad_() for _ in range(2))
    weight_ND = torch.randn(7, d_model, dtype=torch.float64)
    expected, found = whole(given, None)[:, -1], last_token(one, given_again, None)
    for output in (expected, found):
        (output * weight_ND).sum().backward()
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(given_again.grad, given.grad, atol=1e-12, rtol=0)
    for name, parameter in one.named_parameters():
        torch.testing.assert_close(parameter.grad, whole.get_parameter(name).grad, atol=1e-11, rtol=1e-9)


def test_in_bf16_it_is_close_to_the_whole_block() -> None:
    lowered, given = block().to(torch.bfloat16), tokens().to(torch.bfloat16)
    found = last_token(lowered, given, None)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), lowered(given, None)[:, -1].float(), atol=0.05, rtol=0)


def test_units_are_dropped_at_the_rate_of_the_block_and_by_the_key() -> None:
    subject = block(d_model=64, dropout=0.25).double()
    # One constant output of both branches: what is added to a token then only shows what was dropped.
    for linear, bias in ((subject.attention.project_out, 1.0), (subject.contract, 0.0)):
        torch.nn.init.zeros_(linear.weight)
        torch.nn.init.constant_(linear.bias, bias)
    given = torch.zeros(4000, 3, 64, dtype=torch.float64)
    found = last_token(subject, given, 5)
    assert set(found.unique().round(decimals=3).tolist()) == {0.0, 1.333}
    assert (found == 0).double().mean().item() == pytest.approx(0.25, abs=0.005)
    assert torch.equal(found, last_token(subject, given, 5))
    assert not torch.equal(found, last_token(subject, given, 6))
