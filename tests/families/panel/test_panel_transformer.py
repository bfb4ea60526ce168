"""What is known of panel_transformer alone: its counts, its patches, its two kinds of blocks."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tests.families.panel_contract import built, geometry, gradients, moved_by, noise, scores, spec_of, wide_spec
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tsladder.families.panel.panel_transformer import n_patches, temporal_blocks
from tsladder.families.parts.panel_geometry import panel_geometry
from tsladder.models.build import build, count_params
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.planning.grid import build_grid

NAME = "panel_transformer"
BUDGETS = ("12k", "30k", "80k", "200k", "750k", "2M")


@pytest.mark.parametrize(
    ("d_model", "n_layers", "d_ff", "n_params"),
    [(16, 3, 64, 11_745), (24, 4, 96, 31_753), (32, 6, 128, 80_033), (64, 4, 256, 207_553), (128, 4, 512, 808_321)],
)
def test_has_the_counts_of_the_specification(d_model: int, n_layers: int, d_ff: int, n_params: int) -> None:
    counted = spec_of(NAME, d_model=d_model, n_layers=n_layers, d_ff=d_ff)
    assert counted.n_params == n_params
    with torch.device("meta"):
        assert count_params(build(counted, dropout=0.0)) == n_params


@pytest.mark.parametrize("budget", BUDGETS)
def test_every_shape_of_every_grid_has_the_parameters_that_are_counted(budget: str) -> None:
    for member in build_grid(geometry(NAME), budget).shapes:
        with torch.device("meta"):
            assert count_params(build(member, dropout=0.0)) == member.n_params


def test_counts_of_blocks_and_body_are_those_of_the_parts_of_that_name() -> None:
    counted = spec_of(NAME, n_layers=5, inside=geometry(NAME, horizons=2, quantiles=5, n_outputs=10))
    model = build(counted, dropout=0.0)
    around = sum(count_params(part) for part in (model.embed, model.head))
    position = model.get_parameter("position").numel()
    assert counted.n_params_body == count_params(model) - around - position
    assert counted.n_params_blocks == count_params(model.blocks)
    assert counted.costs.largest_weight == max(p.numel() for p in model.blocks.parameters())


@pytest.mark.parametrize("n_layers", [2, 3, 4, 7])
def test_multiplies_as_often_as_its_costs_claim(n_layers: int) -> None:
    counted = wide_spec(NAME, n_layers, d_model=64, d_ff=256)
    model, inputs = built(counted).eval(), noise(counted)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(inputs)
    assert len(inputs) * counted.costs.products == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(("n_layers", "over_patches"), [(2, 1), (3, 2), (4, 2), (5, 3), (16, 8)])
def test_half_of_the_blocks_rounded_up_see_the_patches_of_a_stock(n_layers: int, over_patches: int) -> None:
    assert temporal_blocks(spec_of(NAME, n_layers=n_layers)) == over_patches


@pytest.mark.parametrize(("sessions", "patch_len", "patches"), [(60, 12, 5), (60, 16, 3), (60, 60, 1), (63, 12, 5)])
def test_the_oldest_sessions_that_fill_no_patch_are_not_read(sessions: int, patch_len: int, patches: int) -> None:
    inside = geometry(NAME, context_length=sessions, patch_len=patch_len)
    assert n_patches(inside) == patches
    counted = spec_of(NAME, inside=inside)
    model, inputs = built(counted), noise(counted)
    before = scores(model, inputs)
    unread = sessions - patches * patch_len
    for first, last, read in ((0, unread, False), (unread, unread + 1, True), (sessions - 1, sessions, True)):
        moved = torch.zeros_like(inputs.x_BSTF)
        moved[:, :, first:last] = 1.0
        assert torch.equal(scores(model, moved_by(inputs, moved)), before) is not read


def test_the_stride_of_a_geometry_is_not_read() -> None:
    for stride in (1, 5, 12):
        assert spec_of(NAME, inside=geometry(NAME, stride=stride)).n_params == spec_of(NAME).n_params


def test_is_what_the_formulas_of_its_blocks_give_written_out_stock_by_stock() -> None:
    """Stock by stock and day by day, with the members alone and whole blocks, by the same parameters."""
    counted = spec_of(NAME, n_layers=5)
    model, inputs = built(counted).double().eval(), noise(counted)
    blocks = list(model.blocks)
    norm_stocks = model.get_submodule("norm_stocks")
    found_BS1 = scores(model, dataclasses.replace(inputs, x_BSTF=inputs.x_BSTF.double()))
    for day in range(len(inputs)):
        members = inputs.member_BS[day].nonzero().flatten().tolist()
        tokens = []
        for stock in members:
            window_TF = inputs.x_BSTF[day, stock].double()
            patches_PE = torch.stack([window_TF[first : first + 12].flatten() for first in range(0, 60, 12)])
            h_1PD = (model.embed(patches_PE) + model.get_parameter("position")).unsqueeze(0)
            for block in blocks[:3]:
                h_1PD = block(h_1PD, None)
            tokens.append(norm_stocks(h_1PD[0, -1]))
        h_1SD = torch.stack(tokens).unsqueeze(0)
        for block in blocks[3:]:
            h_1SD = block(h_1SD, None)
        expected_S1 = model.head(model.norm(h_1SD))[0]
        torch.testing.assert_close(found_BS1[day, members], expected_S1, atol=1e-9, rtol=0)


def test_stocks_meet_only_after_the_blocks_over_their_patches() -> None:
    """A gradient of one stock's token reaches no input of another."""
    counted = spec_of(NAME)
    model, inputs = built(counted).eval(), noise(counted)
    x_BSTF = inputs.x_BSTF.clone().requires_grad_()
    seen: list[torch.Tensor] = []
    model.get_submodule("norm_stocks").register_forward_hook(lambda _norm, given, _out: seen.append(given[0]))
    model(dataclasses.replace(inputs, x_BSTF=x_BSTF))
    seen[0][0, 3].sum().backward()
    assert x_BSTF.grad is not None
    reached_BS = x_BSTF.grad.abs().sum((2, 3)) > 0
    assert reached_BS.nonzero().tolist() == [[0, 3]]


@pytest.mark.parametrize("stocks", [2, 24, 25, 60])
def test_scores_of_days_of_few_and_of_many_stocks_do_not_depend_on_absent_ones(stocks: int) -> None:
    """Attention of up to 24 tokens is computed in another way than of more."""
    counted = spec_of(NAME, inside=geometry(NAME, stocks=stocks))
    model, inputs = built(counted), noise(counted)
    padded = dataclasses.replace(
        inputs,
        x_BSTF=torch.cat([inputs.x_BSTF, torch.full((3, 30, 60, 9), 1e6)], dim=1),
        here_BST=torch.cat([inputs.here_BST, torch.zeros(3, 30, 60, dtype=torch.bool)], dim=1),
        member_BS=torch.cat([inputs.member_BS, torch.zeros(3, 30, dtype=torch.bool)], dim=1),
        neighbours_BSk=None,
        edges_BSkK=None,
    )
    difference = (scores(model, padded)[:, :stocks] - scores(model, inputs)) * inputs.member_BS[..., None]
    assert difference.abs().max() < 1e-6


def test_its_gradients_in_double_precision_do_not_depend_on_the_chunks() -> None:
    counted = spec_of(NAME)
    inputs = noise(counted)
    inputs = dataclasses.replace(inputs, x_BSTF=inputs.x_BSTF.double())
    whole, chunked = (gradients(built(counted, **options).double(), inputs) for options in ({}, {"stocks_at_once": 7}))
    torch.testing.assert_close(chunked, whole, atol=1e-12, rtol=1e-9)


def test_refuses_a_geometry_of_one_series() -> None:
    series = Geometry(family=NAME, context_length=60, n_features=9, patch_len=12, stride=12, revin=False)
    counted = ModelSpec(geometry=series, d_model=16, n_layers=2, n_heads=2, d_ff=32)
    with pytest.raises(TypeError, match="needs a PanelGeometry"):
        panel_geometry(counted.geometry)


def test_a_family_of_one_series_has_no_stocks_at_once() -> None:
    series = Geometry(family="patchtst", context_length=60, n_features=9, patch_len=12, stride=12, revin=False)
    counted = ModelSpec(geometry=series, d_model=16, n_layers=2, n_heads=2, d_ff=32)
    with pytest.raises(ValueError, match="patchtst has no stocks"):
        build(counted, dropout=0.0, stocks_at_once=7)
