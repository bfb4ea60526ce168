"""Grids of the families of panels: their known sizes, and layers over a graph as a further size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.families.counted_graph import counted_graph

from tsladder.families import load
from tsladder.models.spec import Geometry, ModelSpec, PanelGeometry, spec_from_architecture
from tsladder.planning.grid import COORDINATES, N_GRAPH, Grid, build_grid
from tsladder.search.strategies.architectural import STRATEGY

PANEL = PanelGeometry(
    family="panel_transformer", context_length=60, n_features=9, patch_len=12, stride=12, revin=False, stocks=36
)
SERIES = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)


@pytest.fixture(scope="module")
def graph() -> Iterator[PanelGeometry]:
    with counted_graph() as inside:
        yield inside


@pytest.fixture(params=["12k", "80k", "2M"])
def grid(request: pytest.FixtureRequest, graph: PanelGeometry) -> Grid:
    return build_grid(graph, request.param)


@pytest.mark.parametrize(
    ("budget", "shapes"), [("12k", 12), ("30k", 19), ("80k", 21), ("200k", 25), ("750k", 9), ("2M", 16)]
)
def test_panel_transformer_has_its_known_shapes_with_two_layers_or_more(budget: str, shapes: int) -> None:
    grid = build_grid(PANEL, budget)
    assert len(grid.shapes) == shapes
    assert min(member.n_layers for member in grid.members) == 2


def test_the_grid_of_a_panel_is_the_same_for_any_number_of_stocks() -> None:
    many = PanelGeometry(
        family="panel_transformer", context_length=60, n_features=9, patch_len=12, stride=12, revin=False, stocks=431
    )
    for budget in ("12k", "750k"):
        sizes = [[spec.architecture() for spec in build_grid(inside, budget).members] for inside in (PANEL, many)]
        assert sizes[0] == sizes[1]


def test_a_family_has_the_depths_that_it_offers(graph: PanelGeometry) -> None:
    members = [member for budget in ("12k", "80k", "2M", "20M") for member in build_grid(graph, budget).members]
    port = load(graph.family)
    assert {member.n_layers for member in members} <= set(port.depths)  # type: ignore[attr-defined]
    assert {member.n_graph for member in members} == set(port.graph_depths)  # type: ignore[attr-defined]


def test_shapes_differ_in_their_layers_over_a_graph(grid: Grid) -> None:
    assert len({(*member.shape, member.n_heads) for member in grid.members}) == len(grid.members)
    assert len({shape.shape for shape in grid.shapes}) == len(grid.shapes)
    for shape in grid.shapes:
        assert shape.shape == (shape.d_model, shape.n_layers, shape.d_ff, shape.n_graph)
        assert grid.heads_of(shape) == tuple(member.n_heads for member in grid.members if member.shape == shape.shape)


def test_an_architecture_names_its_layers_over_a_graph_and_is_rebuilt_from_its_names(grid: Grid) -> None:
    for member in grid.members:
        assert member.architecture()["n_graph"] == member.n_graph
        assert spec_from_architecture(member.geometry, member.architecture()) == member


def test_an_architecture_without_a_graph_has_the_names_that_it_always_had() -> None:
    for geometry in (SERIES, PANEL):
        spec = ModelSpec(geometry=geometry, d_model=16, n_layers=3, n_heads=4, d_ff=64)
        assert list(spec.architecture()) == ["d_model", "n_layers", "n_heads", "d_ff", "patch_len", "stride"]
        assert spec.shape == (16, 3, 64)
        assert spec_from_architecture(geometry, spec.architecture()) == spec


def test_only_a_grid_that_differs_in_layers_over_a_graph_is_searched_by_them(grid: Grid) -> None:
    assert list(grid.coordinates) == [*COORDINATES, N_GRAPH]
    for member in grid.members:
        assert grid.coordinates[N_GRAPH](member) == member.n_graph
    one = Grid(grid.budget, tuple(member for member in grid.members if member.n_graph == 2))
    for without in (one, build_grid(PANEL, "30k"), build_grid(SERIES, "30k")):
        assert without.coordinates == COORDINATES


def test_the_fewest_and_most_layers_over_a_graph_are_forced(grid: Grid) -> None:
    forced = {one.what: one.spec for one in STRATEGY.forced(grid)}
    assert forced["smallest n_graph"].n_graph == min(grid.graph_depths)
    assert forced["largest n_graph"].n_graph == max(grid.graph_depths)
    assert set(forced.values()) <= set(grid.members)
    assert len(set(forced.values())) == len(forced)
