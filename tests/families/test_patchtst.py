from __future__ import annotations

import pytest
import torch
from tests.building import FEATURES, geometry, spec

from tsladder.families.patchtst import dropped_days
from tsladder.models.build import build, count_params
from tsladder.models.spec import Geometry
from tsladder.planning.grid import build_grid

STUDY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)


@pytest.mark.parametrize("context_length", range(60, 253))
def test_the_newest_day_reaches_the_output_for_every_context_length(context_length: int) -> None:
    torch.manual_seed(0)
    wide = geometry(context_length, patch_len=16, stride=8)
    model = build(spec(geometry=wide), dropout=0.0).eval()
    x_BTC = torch.randn(2, context_length, FEATURES)
    moved = x_BTC.clone()
    moved[:, -1, :] += 1.0
    with torch.no_grad():
        assert not torch.allclose(model(x_BTC), model(moved), atol=1e-6)


def test_only_the_oldest_days_are_left_out_when_patches_do_not_divide_the_window() -> None:
    odd = geometry(27, patch_len=8, stride=4)
    assert dropped_days(odd) == 3
    model = build(spec(geometry=odd), dropout=0.0).eval()
    x_BTC = torch.randn(2, 27, FEATURES)
    oldest, next_oldest = x_BTC.clone(), x_BTC.clone()
    oldest[:, :3] += 5.0
    next_oldest[:, 3] += 5.0
    with torch.no_grad():
        assert torch.equal(model(x_BTC), model(oldest))
        assert not torch.allclose(model(x_BTC), model(next_oldest))


@pytest.mark.parametrize("budget", ["12k", "30k", "80k", "200k", "750k", "2M"])
def test_the_formula_counts_what_a_built_model_has(budget: str) -> None:
    for member in build_grid(STUDY, budget).shapes:
        with torch.device("meta"):
            on_meta = count_params(build(member, dropout=0.0))
        assert on_meta == member.n_params
    smallest = build_grid(STUDY, budget).shapes[0]
    assert count_params(build(smallest, dropout=0.0)) == smallest.n_params


@pytest.mark.parametrize("budget", ["20M", "200M", "2B"])
def test_the_formula_counts_the_largest_rungs_on_the_meta_device(budget: str) -> None:
    shapes = build_grid(STUDY, budget).shapes
    for member in (shapes[0], shapes[-1]):
        with torch.device("meta"):
            assert count_params(build(member, dropout=0.0)) == member.n_params


@pytest.mark.slow
@pytest.mark.parametrize("budget", ["12k", "30k", "80k", "200k", "750k", "2M", "20M"])
def test_the_formula_counts_real_tensors_over_the_whole_grid(budget: str) -> None:
    for member in build_grid(STUDY, budget).shapes:
        assert count_params(build(member, dropout=0.0)) == member.n_params


@pytest.mark.slow
@pytest.mark.parametrize("budget", ["200M", "2B"])
def test_the_formula_counts_every_member_of_the_largest_grids(budget: str) -> None:
    for member in build_grid(STUDY, budget).shapes:
        with torch.device("meta"):
            assert count_params(build(member, dropout=0.0)) == member.n_params


def test_models_return_logits_not_probabilities() -> None:
    torch.manual_seed(0)
    model = build(spec(), dropout=0.0).eval()
    with torch.no_grad():
        model.head.weight.mul_(100.0)  # type: ignore[union-attr,operator]
        logits_B = model(torch.randn(64, 24, FEATURES))
    assert logits_B.min() < 0.0
    assert logits_B.max() > 1.0
