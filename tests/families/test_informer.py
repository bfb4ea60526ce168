"""The Informer's parts against plain reckonings of the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.families.contract import logits, noise, spec_of
from torch import Tensor
from torch.nn import functional

from tsladder.families.informer import DISTILLING, FEWEST_TOKENS, positions
from tsladder.families.parts.active_queries import active_queries
from tsladder.families.parts.distilling import Distilling
from tsladder.families.parts.layers import attend_to_all
from tsladder.families.parts.sparse_attention import ProbSparse, sampled_keys
from tsladder.models.build import build, count_params


def one_by_one(heads_BPE: Tensor, n_heads: int, keys_PU: np.ndarray, active: int) -> Tensor:
    """ProbSparse attention query by query, in loops."""
    batch, tokens, triple = heads_BPE.shape
    width = triple // 3 // n_heads
    parts = heads_BPE.view(batch, tokens, 3, n_heads, width)
    mixed = torch.zeros(batch, tokens, n_heads, width, dtype=heads_BPE.dtype)
    for window in range(batch):
        for head in range(n_heads):
            query, key, value = (parts[window, :, part, head] for part in range(3))
            measures = []
            for token in range(tokens):
                scores = [float(query[token] @ key[other]) for other in keys_PU[token]]
                measures.append(max(scores) - sum(scores) / len(scores))
            chosen = sorted(range(tokens), key=lambda token: -measures[token])[:active]
            for token in range(tokens):
                mixed[window, token, head] = value.mean(0)
                if token in chosen:
                    shares = torch.softmax(key @ query[token] / math.sqrt(width), 0)
                    mixed[window, token, head] = shares @ value
    return mixed.flatten(2)


@pytest.mark.parametrize(("tokens", "n_heads"), [(30, 1), (30, 2), (41, 2)])
def test_sparse_attention_is_that_of_loops_over_queries(tokens: int, n_heads: int) -> None:
    torch.manual_seed(0)
    heads_BPE = torch.randn(2, tokens, 3 * 8, dtype=torch.float64)
    active = active_queries(tokens)
    assert active < tokens
    sparse = ProbSparse(tokens, stream=1)
    expected = one_by_one(heads_BPE, n_heads, sampled_keys(tokens, 1), active)
    torch.testing.assert_close(sparse(heads_BPE, n_heads), expected, atol=1e-12, rtol=0)


def test_sparse_attention_of_few_tokens_is_full_attention() -> None:
    torch.manual_seed(0)
    heads_BPE = torch.randn(3, 10, 3 * 8, dtype=torch.float64)
    torch.testing.assert_close(ProbSparse(10, stream=0)(heads_BPE, 2), attend_to_all(heads_BPE, 2))


def test_a_query_that_tells_keys_apart_attends_and_the_others_take_the_mean() -> None:
    """All queries but a few are zero, so that they score all keys alike."""
    torch.manual_seed(0)
    tokens, told = 80, [3, 40, 79]
    query, key, value = torch.randn(3, 1, tokens, 4, dtype=torch.float64)
    query[:, [token for token in range(tokens) if token not in told]] = 0.0
    mixed = ProbSparse(tokens, stream=0)(torch.cat([query, key, value], 2), 1)
    full = functional.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(mixed[:, told], full[:, told])
    # A query of zeros attends to all keys alike: attending or not, it gets the mean.
    torch.testing.assert_close(mixed, full)


@pytest.mark.parametrize("tokens", [16, 80, 252])
def test_keys_are_sampled_once_a_query_and_the_same_each_time(tokens: int) -> None:
    keys_PU = sampled_keys(tokens, 2)
    assert keys_PU.shape == (tokens, active_queries(tokens))
    assert all(len(set(row)) == len(row) for row in keys_PU.tolist())
    assert keys_PU.min() >= 0
    assert keys_PU.max() < tokens
    np.testing.assert_array_equal(keys_PU, sampled_keys(tokens, 2))
    if active_queries(tokens) < tokens:
        assert not np.array_equal(keys_PU, sampled_keys(tokens, 3))


@pytest.mark.parametrize(("tokens", "active"), [(2, 2), (4, 4), (15, 15), (24, 20), (80, 25), (252, 30), (2000, 40)])
def test_five_times_the_logarithm_of_the_tokens_are_active(tokens: int, active: int) -> None:
    assert active_queries(tokens) == active


@pytest.mark.parametrize("tokens", [8, 9, 80])
def test_distilling_is_a_convolution_and_a_maximum_of_three_at_every_second_token(tokens: int) -> None:
    torch.manual_seed(0)
    distilling = Distilling(4).double()
    h_BPD = torch.randn(3, tokens, 4, dtype=torch.float64)
    # The Linear's columns are the three tokens after each other, a convolution's kernel is channels x three.
    kernel = distilling.convolve.weight.view(4, 3, 4).transpose(1, 2)
    convolved = functional.conv1d(h_BPD.transpose(1, 2), kernel, distilling.convolve.bias, padding=1)
    activated = functional.elu(distilling.norm(convolved.transpose(1, 2)))
    expected = functional.max_pool1d(activated.transpose(1, 2), 3, stride=2, padding=1).transpose(1, 2)
    assert expected.shape[1] == -(-tokens // 2)
    torch.testing.assert_close(distilling(h_BPD), expected)


@pytest.mark.parametrize("width", [2, 7, 8])
def test_every_day_has_a_position_of_its_own(width: int) -> None:
    position_TD = positions(80, width)
    assert position_TD.shape == (80, width)
    assert position_TD.abs().max() <= 1.0
    apart = torch.cdist(position_TD, position_TD) + torch.eye(80)
    assert apart.min() > 1e-3
    for day, angle in ((0, 0.0), (1, 1.0), (5, 5.0)):
        assert position_TD[day, 0].item() == pytest.approx(math.sin(angle), abs=1e-6)


@pytest.mark.parametrize("width", [4, 7])
def test_distilling_has_the_parameters_that_its_costs_count(width: int) -> None:
    assert count_params(Distilling(width)) == DISTILLING.matrix * width**2 + DISTILLING.vectors * width


@pytest.mark.parametrize(
    ("context_length", "n_layers", "tokens"),
    [
        (80, 1, [80]),
        (80, 3, [80, 40, 20]),
        (80, 6, [80, 40, 20, 10, 10, 10]),
        (81, 5, [81, 41, 21, 11, 11]),
        (15, 3, [15, 8, 8]),
        (14, 3, [14, 14, 14]),
        (5, 4, [5, 5, 5, 5]),
    ],
)
def test_the_informer_halves_its_days_while_eight_are_left(
    context_length: int, n_layers: int, tokens: list[int]
) -> None:
    model = build(spec_of("informer", context_length, n_layers=n_layers), dropout=0.0).eval()
    seen: list[int] = []
    for block in model.blocks:
        block.register_forward_hook(lambda _block, given, _out: seen.append(given[0].shape[1]))
    logits(model, noise(2, context_length))
    assert seen == tokens
    assert min(seen) >= min(FEWEST_TOKENS, context_length)
