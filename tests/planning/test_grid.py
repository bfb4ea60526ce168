from __future__ import annotations

import dataclasses

import pytest

from tsladder.errors import BadInput
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.planning.grid import build_grid


def geometry(context_length: int, patch_len: int, stride: int) -> Geometry:
    return Geometry(
        family="patchtst",
        context_length=context_length,
        n_features=25,
        patch_len=patch_len,
        stride=stride,
        revin=False,
    )


EARLIER = geometry(60, 10, 5)
DEFAULT = geometry(80, 16, 8)


@pytest.mark.parametrize(
    ("budget", "configurations", "shapes"),
    [("750k", 40, 8), ("2M", 80, 16), ("20M", 75, 15), ("200M", 125, 25), ("2B", 75, 15)],
)
def test_the_earlier_geometry_has_the_grids_of_the_earlier_study(budget: str, configurations: int, shapes: int) -> None:
    grid = build_grid(EARLIER, budget)
    assert (len(grid.members), len(grid.shapes)) == (configurations, shapes)


@pytest.mark.parametrize(
    ("budget", "configurations"), [("750k", 40), ("2M", 75), ("20M", 75), ("200M", 125), ("2B", 75)]
)
def test_the_default_geometry_has_its_known_grids(budget: str, configurations: int) -> None:
    assert len(build_grid(DEFAULT, budget).members) == configurations


@pytest.mark.parametrize(("budget", "shapes"), [("12k", 15), ("50k", 27), ("200k", 24)])
def test_small_budgets_have_their_known_shapes(budget: str, shapes: int) -> None:
    assert len(build_grid(DEFAULT, budget).shapes) == shapes


@pytest.mark.parametrize("budget", ["12k", "200k", "750k", "2M", "2B"])
def test_every_member_lies_within_a_quarter_of_its_budget_and_heads_divide_the_width(budget: str) -> None:
    grid = build_grid(DEFAULT, budget)
    for member in grid.members:
        assert abs(member.n_params_formula - grid.n_budget) <= 0.25 * grid.n_budget
        assert member.d_model % member.n_heads == 0
    counts = [member.n_params_formula for member in grid.members]
    assert counts == sorted(counts)


@pytest.mark.parametrize("n_features", [25, 205])
@pytest.mark.parametrize("family", ["itransformer", "informer"])
def test_every_rung_of_the_ladder_has_a_grid_for_the_other_families(family: str, n_features: int) -> None:
    inside = dataclasses.replace(DEFAULT, family=family, n_features=n_features)
    for budget in ("12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B"):
        grid = build_grid(inside, budget)
        assert len(grid.shapes) >= 7
        assert all(abs(member.n_params_formula - grid.n_budget) <= 0.25 * grid.n_budget for member in grid.members)


def test_one_patch_of_two_hundred_features_exceeds_the_smallest_rung_and_the_remedy_is_named() -> None:
    with pytest.raises(BadInput, match=r"12k has no architecture .* patchtst of 205 features .* shorter patches"):
        build_grid(dataclasses.replace(DEFAULT, n_features=205), "12k")


def test_the_forced_shapes_named_off_budget_have_the_counts_of_the_specification() -> None:
    def count(d_model: int, n_layers: int) -> int:
        return ModelSpec(
            geometry=DEFAULT, d_model=d_model, n_layers=n_layers, n_heads=4, d_ff=4 * d_model
        ).n_params_formula

    assert count(192, 2) == 970_561
    assert count(320, 2) == 2_600_641


def test_a_budget_without_any_architecture_is_refused_with_ways_out() -> None:
    with pytest.raises(BadInput, match="1k has no architecture"):
        build_grid(DEFAULT, "1k")
