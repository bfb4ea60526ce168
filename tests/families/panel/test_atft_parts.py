"""The parts of atft_gat_fan against their formulas written out in numpy, or in torch's own layers."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.panel.atft import sizes
from tsladder.families.panel.atft.column_networks import weighed_networks
from tsladder.families.panel.atft.fan import FrequencyNormalisation, strongest_oscillations
from tsladder.families.panel.atft.gatv2 import GraphLayer, graph_of
from tsladder.families.panel.atft.head import QuantileHead
from tsladder.families.panel.atft.san import SMALLEST_SPREAD, SliceNormalisation
from tsladder.families.panel.atft.temporal import GatedRecurrence, attend_to_earlier
from tsladder.families.panel.atft.variable_selection import VariableSelection
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.models.build import count_params


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


M = TypeVar("M", bound=nn.Module)


def with_random_parameters(module: M, seed: int = 2) -> M:
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    return module


def numbers(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: parameter.detach().numpy() for name, parameter in module.named_parameters()}


# Frequency adaptive normalisation


@pytest.mark.parametrize("components", [1, 2, 3])
def test_oscillations_are_taken_out_where_their_amplitude_is_largest(components: int) -> None:
    """A sum of three waves, the second one strongest, on a level that is no oscillation."""
    session = np.arange(20)
    waves = {3: 1.0, 5: 4.0, 8: 2.0}
    parts = {at: size * np.cos(2 * np.pi * at * session / 20 + at) for at, size in waves.items()}
    x_NTF = torch.from_numpy(7.0 + sum(parts.values()))[None, :, None]
    expected = sum(parts[at] for at in (5, 8, 3)[:components])
    np.testing.assert_allclose(strongest_oscillations(x_NTF, components)[0, :, 0], expected, atol=1e-12)


def test_frequency_normalisation_is_its_formula_in_every_window_and_column_by_itself() -> None:
    module = with_random_parameters(FrequencyNormalisation(3, 4, 2))
    x_NTF = drawn(5, 20, 3)
    changed_NTF, token_ND = module(x_NTF)
    weights = numbers(module)
    for n in range(5):
        main_TF = np.zeros((20, 3))
        for f in range(3):
            spectrum = np.fft.rfft(x_NTF[n, :, f].numpy())
            largest = 1 + np.argsort(-np.abs(spectrum[1:]))[:2]
            kept = np.zeros_like(spectrum)
            kept[largest] = spectrum[largest]
            main_TF[:, f] = np.fft.irfft(kept, 20)
        ending = np.concatenate([main_TF[-1], main_TF[-1] - main_TF[-2]])
        np.testing.assert_allclose(changed_NTF[n].detach(), x_NTF[n].numpy() - weights["share"] * main_TF, atol=1e-12)
        np.testing.assert_allclose(
            token_ND[n].detach(), weights["ending.weight"] @ ending + weights["ending.bias"], atol=1e-12
        )


# Slice adaptive normalisation


def test_slice_normalisation_is_its_formula_in_every_slice_by_itself() -> None:
    module = with_random_parameters(SliceNormalisation(3, 4))
    x_NTF = drawn(5, 20, 3)
    x_NTF[1, 5:10, 2] = 0.3
    changed_NTF, token_NTD = module(x_NTF)
    weights = numbers(module)
    for n in range(5):
        for first in range(0, 20, 5):
            slice_WF = x_NTF[n, first : first + 5].numpy()
            mean_F, spread_F = slice_WF.mean(0), slice_WF.std(0)
            normalised = (slice_WF - mean_F) / (spread_F + SMALLEST_SPREAD)
            told = np.concatenate([mean_F, np.log(spread_F + SMALLEST_SPREAD)])
            token_D = weights["statistics.weight"] @ told + weights["statistics.bias"]
            expected_WF = slice_WF + weights["share"] * (normalised - slice_WF)
            np.testing.assert_allclose(changed_NTF[n, first : first + 5].detach(), expected_WF, atol=1e-8)
            np.testing.assert_allclose(token_NTD[n, first : first + 5].detach(), np.tile(token_D, (5, 1)), atol=1e-4)


def test_a_column_that_stands_still_has_finite_gradients() -> None:
    module = with_random_parameters(SliceNormalisation(2, 3))
    x_NTF = torch.full((4, 10, 2), 0.7, dtype=torch.float64, requires_grad=True)
    changed_NTF, token_NTD = module(x_NTF)
    (changed_NTF.sum() + token_NTD.sum()).backward()
    assert x_NTF.grad is not None
    assert all(torch.isfinite(value).all() for value in (changed_NTF, token_NTD, x_NTF.grad))


@pytest.mark.parametrize("module", [FrequencyNormalisation(3, 4, 2), SliceNormalisation(3, 4)], ids=["fan", "san"])
def test_a_normalisation_begins_as_the_identity(module: nn.Module) -> None:
    x_NTF = drawn(5, 20, 3).float()
    changed_NTF, token = module(x_NTF)
    assert torch.equal(changed_NTF, x_NTF)
    assert not token.any()


# Variable selection


class WrittenOut(nn.Module):
    """Variable selection as Lim et al. (2021) write it, of torch's own layers, with the weights of `selection`."""

    def __init__(self, selection: VariableSelection) -> None:
        super().__init__()
        self.selection = selection

    def forward(self, x_NF: Tensor) -> Tensor:
        columns, width = self.selection.n_features, self.selection.d_model
        s = self.selection
        embedded = []
        for f in range(columns):
            own = slice(f * width, (f + 1) * width)
            embedded.append(functional.linear(x_NF[:, f : f + 1], s.value.weight[own], s.value.bias[own]))
        beside = torch.cat(embedded, dim=1)
        inner = s.weigh_hidden(functional.elu(s.weigh_in(beside)))
        value, gate = s.weigh_gate(inner).chunk(2, dim=-1)
        weight_NF = s.weigh_norm(s.weigh_skip(beside) + value * torch.sigmoid(gate)).softmax(-1)
        out_ND = torch.zeros(len(x_NF), width, dtype=x_NF.dtype)
        for f, embedded_ND in enumerate(embedded):
            own, gates = slice(f * width, (f + 1) * width), slice(2 * f * width, 2 * (f + 1) * width)
            inner = functional.elu(functional.linear(embedded_ND, s.each_in.weight[own], s.each_in.bias[own]))
            inner = functional.linear(inner, s.each_hidden.weight[own], s.each_hidden.bias[own])
            value, gate = functional.linear(inner, s.each_gate.weight[gates], s.each_gate.bias[gates]).chunk(2, dim=-1)
            residual = embedded_ND + value * torch.sigmoid(gate)
            normed = functional.layer_norm(residual, (width,), s.each_gain[own], s.each_shift[own])
            out_ND = out_ND + weight_NF[:, f : f + 1] * normed
        return out_ND


@pytest.mark.parametrize(("columns", "width"), [(1, 4), (3, 5), (9, 8)])
def test_variable_selection_is_that_of_the_paper_with_all_gradients(columns: int, width: int) -> None:
    selection = with_random_parameters(VariableSelection(columns, width))
    x_NF = drawn(7, columns).requires_grad_()
    wanted = [x_NF, *selection.parameters()]
    weight_ND = drawn(7, width, seed=5)
    folded, written = selection(x_NF), WrittenOut(selection)(x_NF)
    torch.testing.assert_close(folded, written, atol=1e-10, rtol=1e-10)
    found, expected = (torch.autograd.grad((one * weight_ND).sum(), wanted) for one in (folded, written))
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-8)


def test_the_columns_networks_have_the_gradient_of_what_they_compute() -> None:
    columns, width, tokens = 3, 4, 5
    shapes = [(columns, tokens)] * 2 + [(columns, width)] * 2
    shapes += [(columns, 2 * width, width), (columns, 2 * width)] + [(columns, width)] * 3
    given = tuple(drawn(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes))
    assert torch.autograd.gradcheck(weighed_networks, given)


def test_the_columns_networks_compute_the_same_where_no_gradient_follows() -> None:
    selection = with_random_parameters(VariableSelection(9, 8))
    x_NTF = drawn(4, 20, 9)
    with torch.no_grad():
        without = selection(x_NTF)
    assert torch.equal(without, selection(x_NTF))


def test_the_weights_of_the_columns_are_positive_and_sum_to_one() -> None:
    selection = with_random_parameters(VariableSelection(9, 8))
    weight_FN = selection.weights(drawn(9, 50))
    assert weight_FN.min() > 0
    torch.testing.assert_close(weight_FN.sum(0), torch.ones(50, dtype=torch.float64))


@pytest.mark.parametrize(("features", "width"), [(1, 4), (9, 8), (21, 16)])
def test_each_part_has_the_parameters_that_its_formula_counts(features: int, width: int) -> None:
    assert count_params(VariableSelection(features, width)) == sizes.variable_selection(features, width)
    assert count_params(FrequencyNormalisation(features, width, 2)) == sizes.normalisation(features, width)
    assert count_params(SliceNormalisation(features, width)) == sizes.normalisation(features, width)
    assert count_params(GatedRecurrence(width)) == sizes.recurrence(width)
    assert count_params(GraphLayer(width, 2, 0.0)) == sizes.graph_layer(width)
    assert count_params(QuantileHead(width, 4, 5)) + 2 * width == sizes.head(width, 20)


# Sessions


def test_the_recurrence_is_an_lstm_with_a_gated_skip_written_out() -> None:
    module = with_random_parameters(GatedRecurrence(3))
    h_NTD = drawn(4, 6, 3)
    weights = numbers(module)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for n in range(4):
        state, cell = np.zeros(3), np.zeros(3)
        for t in range(6):
            x = h_NTD[n, t].numpy()
            gates = weights["lstm.weight_ih_l0"] @ x + weights["lstm.bias_ih_l0"]
            gates = gates + weights["lstm.weight_hh_l0"] @ state + weights["lstm.bias_hh_l0"]
            entry, forget, candidate, exit_gate = np.split(gates, 4)
            cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(candidate)
            state = sigmoid(exit_gate) * np.tanh(cell)
            value, gate = np.split(weights["gate.weight"] @ state + weights["gate.bias"], 2)
            mixed = x + value * sigmoid(gate)
            normed = (mixed - mixed.mean()) / np.sqrt(mixed.var() + 1e-5)
            expected = weights["norm.weight"] * normed + weights["norm.bias"]
            np.testing.assert_allclose(module(h_NTD)[n, t].detach(), expected, atol=1e-10)


def test_attention_to_earlier_sessions_is_softmax_over_them_written_out() -> None:
    heads_NTE, n_heads, width = drawn(3, 5, 24), 2, 8
    mixed_NTD = attend_to_earlier(heads_NTE, n_heads)
    query, key, value = (part.reshape(3, 5, n_heads, 4).numpy() for part in heads_NTE.split(width, dim=-1))
    for n, t, h in np.ndindex(3, 5, n_heads):
        score_T = key[n, : t + 1, h] @ query[n, t, h] / 2.0
        weight_T = np.exp(score_T) / np.exp(score_T).sum()
        np.testing.assert_allclose(mixed_NTD[n, t, 4 * h : 4 * h + 4], weight_T @ value[n, : t + 1, h], atol=1e-12)


# The graph


def random_days(days: int = 3, stocks: int = 7, places: int = 4, seed: int = 3) -> DayInputs:
    rng = np.random.default_rng(seed)
    member_BS = rng.random((days, stocks)) > 0.2
    neighbours_BSk = np.full((days, stocks, places), -1)
    for day, stock in np.ndindex(days, stocks):
        others = [other for other in range(stocks) if other != stock]
        listed = rng.permutation(others)[: rng.integers(0, places + 1)]
        neighbours_BSk[day, stock, : len(listed)] = listed
    edges_BSkK = rng.normal(size=(days, stocks, places, 2)) * (neighbours_BSk >= 0)[..., None]
    return DayInputs(
        x_BSTF=torch.zeros(days, stocks, 1, 1),
        here_BST=torch.ones(days, stocks, 1, dtype=torch.bool),
        member_BS=torch.from_numpy(member_BS),
        neighbours_BSk=torch.from_numpy(neighbours_BSk),
        edges_BSkK=torch.from_numpy(edges_BSkK),
    )


def gatv2(weights: dict[str, np.ndarray], h_SD: np.ndarray, inputs: DayInputs, day: int) -> np.ndarray:
    """GATv2 of Brody et al. (2022) on one day, stock by stock and head by head: with x_r = W_l h_i of the stock itself,
    x_l = W_r h_j of a neighbour, and the features of the edge, as torch_geometric's GATv2Conv has it with
    share_weights False, edge_dim 3, no self-loops of its own and no output bias."""
    assert inputs.neighbours_BSk is not None
    assert inputs.edges_BSkK is not None
    score_HC = weights["score_HC"]
    n_heads, width = score_HC.shape
    out_SD = np.zeros_like(h_SD)
    for i in range(len(h_SD)):
        listed = [(int(j), e) for j, e in zip(inputs.neighbours_BSk[day, i], inputs.edges_BSkK[day, i], strict=True)]
        edges = [(j, np.array([*e, 0.0])) for j, e in listed if j >= 0 and inputs.member_BS[day, j]]
        edges.append((i, np.ones(3)))
        target_HC = (weights["target.weight"] @ h_SD[i] + weights["target.bias"]).reshape(n_heads, width)
        for head in range(n_heads):
            logits, values = [], []
            for j, edge_K in edges:
                source_HC = (weights["source.weight"] @ h_SD[j] + weights["source.bias"]).reshape(n_heads, width)
                edge_HC = (weights["edge.weight"] @ edge_K).reshape(n_heads, width)
                inner_C = target_HC[head] + source_HC[head] + edge_HC[head]
                logits.append(score_HC[head] @ np.where(inner_C > 0, inner_C, 0.2 * inner_C))
                values.append(source_HC[head])
            share = np.exp(logits) / np.exp(logits).sum()
            out_SD[i, head * width : (head + 1) * width] = share @ np.array(values)
    return out_SD


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_graph_attention_is_gatv2_written_out(n_heads: int) -> None:
    layer, inputs = with_random_parameters(GraphLayer(8, n_heads, 0.0)), random_days()
    h_BSD = drawn(3, 7, 8)
    found_BSD = layer.attend(h_BSD, graph_of(inputs, 0.0)).detach()
    for day in range(3):
        np.testing.assert_allclose(found_BSD[day], gatv2(numbers(layer), h_BSD[day].numpy(), inputs, day), atol=1e-10)


def test_a_graph_layer_adds_a_share_of_the_attention_to_normalised_tokens() -> None:
    layer, inputs = with_random_parameters(GraphLayer(8, 2, 0.0)), random_days()
    h_BSD, weights = drawn(3, 7, 8), numbers(layer)
    found_BSD = layer(h_BSD, graph_of(inputs, 0.0), None).detach()
    for day in range(3):
        h_SD = h_BSD[day].numpy()
        normed = (h_SD - h_SD.mean(-1, keepdims=True)) / np.sqrt(h_SD.var(-1, keepdims=True) + 1e-5)
        mixed = gatv2(weights, weights["norm.weight"] * normed + weights["norm.bias"], inputs, day)
        np.testing.assert_allclose(found_BSD[day], h_SD + weights["share"] * mixed, atol=1e-10)


def test_a_graph_layer_begins_as_the_identity() -> None:
    h_BSD = drawn(3, 7, 8).float()
    days = random_days()
    assert days.edges_BSkK is not None
    inputs = DayInputs(
        x_BSTF=days.x_BSTF,
        here_BST=days.here_BST,
        member_BS=days.member_BS,
        neighbours_BSk=days.neighbours_BSk,
        edges_BSkK=days.edges_BSkK.float(),
    )
    assert torch.equal(GraphLayer(8, 2, 0.0)(h_BSD, graph_of(inputs, 0.0), None), h_BSD)


# The head


def test_the_median_of_the_first_horizon_is_the_output_of_its_own_row() -> None:
    head = with_random_parameters(QuantileHead(6, 3, 5))
    h_ND = drawn(4, 6)
    inner_ND = functional.gelu(head.hidden(h_ND))
    out_NMQ = head(h_ND).unflatten(-1, (3, 5))
    for horizon in range(3):
        row = 5 * horizon + 2
        torch.testing.assert_close(out_NMQ[:, horizon, 2], inner_ND @ head.out.weight[row] + head.out.bias[row])
    assert (out_NMQ.diff(dim=-1) > 0).all()
