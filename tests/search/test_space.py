from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.families.counted_graph import counted_graph

from tsladder.models.spec import Geometry
from tsladder.params import Choices, SpaceParams, Span
from tsladder.planning.grid import Grid, build_grid
from tsladder.search.space import SearchSpace

GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
LADDER = ["12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B"]
QUICK = SpaceParams(
    learning_rate=Span(low=1e-4, high=2e-3, log=True),
    weight_decay=Span(low=1e-4, high=5e-3, log=True),
    dropout=Span(low=0.1, high=0.3, log=False),
    warmup_steps=None,
    warmup_fraction=Span(low=0.05, high=0.2, log=False),
    epochs=Choices(choices=(20.0,)),
)
SETTINGS = {"learning_rate": 1e-3, "weight_decay": 1e-3, "dropout": 0.2, "warmup_fraction": 0.1, "epochs": 20}


def space(budget: str) -> SearchSpace:
    return make_space(build_grid(GEOMETRY, budget), QUICK)


def make_space(grid: Grid, settings: SpaceParams, batches: tuple[int, ...] = (256,)) -> SearchSpace:
    return SearchSpace(grid=grid, settings=settings, effective_batches=batches, n_windows=2740)


@pytest.mark.parametrize("budget", LADDER)
def test_every_member_of_a_grid_is_reached_by_its_own_coordinates(budget: str) -> None:
    subject = space(budget)
    for member in subject.grid.members:
        assert subject.decode({**subject.coordinates(member), **SETTINGS}).spec == member


@given(
    budget=st.sampled_from(LADDER),
    place=st.floats(0.0, 1.0),
    ratio=st.sampled_from([2, 4]),
    heads=st.sampled_from([2, 4, 8, 16, 32]),
)
def test_any_draw_decodes_to_a_member_of_the_grid(budget: str, place: float, ratio: int, heads: int) -> None:
    subject = space(budget)
    aspect = next(draw for draw in subject.draws if draw.name == "depth_to_width")
    drawn = aspect.low * (aspect.high / aspect.low) ** place
    found = subject.decode({"depth_to_width": drawn, "d_ff_ratio": ratio, "n_heads": heads, **SETTINGS})
    assert found.spec in subject.grid.members


def test_a_warm_up_share_becomes_steps_of_the_whole_run() -> None:
    subject = space("12k")
    member = subject.grid.members[0]
    drawn = {**subject.coordinates(member), **SETTINGS}
    assert subject.decode(drawn).settings.warmup_steps == round(0.1 * 20 * 11)
    assert subject.decode({**drawn, "warmup_fraction": 0.0}).settings.warmup_steps == 1


def test_every_searched_draw_changes_what_is_decoded() -> None:
    subject = space("200k")
    member = subject.grid.members[0]
    base = {**subject.coordinates(member), **SETTINGS}
    for draw in subject.draws:
        other = base[draw.name]
        for candidate in (*draw.choices, draw.low, draw.high):
            if subject.decode({**base, draw.name: candidate}) != subject.decode(base):
                other = candidate
                break
        if draw.choices and len(draw.choices) == 1:
            continue
        assert other != base[draw.name], f"{draw.name} is searched and changes nothing"


def test_mission_draws_warm_up_steps_themselves() -> None:
    mission = dataclasses.replace(QUICK, warmup_steps=Choices(choices=(100.0, 500.0)), warmup_fraction=None)
    subject = make_space(build_grid(GEOMETRY, "12k"), mission)
    names = {draw.name for draw in subject.draws}
    assert "warmup_steps" in names
    assert "warmup_fraction" not in names
    member = subject.grid.members[0]
    drawn = {**subject.coordinates(member), **SETTINGS, "warmup_steps": 500}
    assert subject.decode(drawn).settings.warmup_steps == 500


def test_several_batches_are_drawn_and_a_warm_up_share_follows_the_batch() -> None:
    subject = make_space(build_grid(GEOMETRY, "12k"), QUICK, batches=(32, 256))
    assert "effective_batch" in {draw.name for draw in subject.draws}
    drawn = {**subject.coordinates(subject.grid.members[0]), **SETTINGS, "effective_batch": 32}
    found = subject.decode(drawn)
    assert found.effective_batch == 32
    assert found.settings.warmup_steps == round(0.1 * 20 * 86)


@pytest.mark.parametrize("budget", ["12k", "80k", "750k", "2M", "20M"])
def test_every_member_is_reached_where_models_differ_in_their_layers_over_a_graph(budget: str) -> None:
    with counted_graph() as geometry:
        subject = make_space(build_grid(geometry, budget), QUICK)
        (draw,) = (draw for draw in subject.draws if draw.name == "n_graph")
        assert draw.choices == subject.grid.graph_depths
        for member in subject.grid.members:
            found = subject.decode({**subject.coordinates(member), **SETTINGS})
            assert found.spec == member
            assert found.to_record()["n_graph"] == member.n_graph


@given(place=st.floats(0.0, 1.0), ratio=st.sampled_from([2, 4]), n_graph=st.sampled_from([1, 2, 4]))
def test_any_draw_of_layers_over_a_graph_decodes_to_the_nearest_number_of_its_ratio(
    place: float, ratio: int, n_graph: int
) -> None:
    with counted_graph() as geometry:
        subject = make_space(build_grid(geometry, "750k"), QUICK)
        aspect = next(draw for draw in subject.draws if draw.name == "depth_to_width")
        drawn = aspect.low * (aspect.high / aspect.low) ** place
        point = {"depth_to_width": drawn, "d_ff_ratio": ratio, "n_heads": 4, "n_graph": n_graph}
        found = subject.decode({**point, **SETTINGS}).spec
        offered = [shape.n_graph for shape in subject.grid.shapes if shape.d_ff == ratio * shape.d_model]
        assert found in subject.grid.members
        assert found.d_ff == ratio * found.d_model
        assert abs(found.n_graph - n_graph) == min(abs(one - n_graph) for one in offered)


@pytest.mark.parametrize("budget", LADDER)
def test_a_space_without_graphs_draws_what_it_always_drew(budget: str) -> None:
    subject = space(budget)
    assert [draw.name for draw in subject.draws][:4] == ["depth_to_width", "d_ff_ratio", "n_heads", "learning_rate"]
    assert "n_graph" not in subject.decode({**subject.coordinates(subject.grid.members[0]), **SETTINGS}).to_record()
