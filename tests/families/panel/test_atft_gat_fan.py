"""What is known of atft_gat_fan alone: its counts, grids, toggles, graph and what it reads."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import cast

import pytest
import torch
from tests.families.panel_contract import (
    FEATURES,
    SESSIONS,
    built,
    geometry,
    kept_bytes,
    moved_by,
    noise,
    scores,
    spec_of,
)
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tsladder.families import load
from tsladder.families.panel.atft import sizes
from tsladder.families.panel.atft.active import TOGGLES, Active
from tsladder.families.panel.atft.gatv2 import graph_of
from tsladder.families.panel.atft.module import EDGE_DROPOUT, AtftGatFan
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.toggles import Toggled
from tsladder.models.build import build, count_params
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.planning.grid import build_grid

NAME = "atft_gat_fan"
SPECIFIED = {"horizons": 4, "quantiles": 5, "n_outputs": 20, "neighbours": 20}
EVERY_COMBINATION = [Active(fan=fan, san=san, gat=gat) for fan, san, gat in itertools.product((False, True), repeat=3)]


def specified(d_model: int, d_ff: int, n_layers: int, n_graph: int, **changes: object) -> ModelSpec:
    sizes_of = {"d_model": d_model, "d_ff": d_ff, "n_layers": n_layers, "n_graph": n_graph, "n_heads": 2}
    return spec_of(NAME, inside=geometry(NAME, **(SPECIFIED | changes)), **sizes_of)


def fresh(counted: ModelSpec | None = None, **options: object) -> AtftGatFan:
    """A model as training begins with it, where every toggled part is the identity."""
    torch.manual_seed(3)
    return cast(AtftGatFan, build(counted or spec_of(NAME, n_layers=2), **({"dropout": 0.0} | options)))  # type: ignore[arg-type]


def trained(model: AtftGatFan, inputs: DayInputs, steps: int = 1) -> None:
    """Step by step as the trainer does, with weight decay."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(steps):
        model.train()(inputs).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()


# Counts


@pytest.mark.parametrize(
    ("shape", "n_params", "selection"),
    [
        ((8, 32, 1, 1), 6_947, 4_373),
        ((16, 64, 2, 2), 26_835, 14_589),
        ((32, 128, 2, 2), 97_107, 52_685),
        ((64, 256, 3, 2), 418_195, 199_533),
        ((256, 1024, 4, 2), 7_230_035, 3_058_989),
    ],
)
def test_has_the_counts_of_the_specification(shape: tuple[int, int, int, int], n_params: int, selection: int) -> None:
    counted = specified(*shape)
    assert (counted.n_params, counted.n_params - counted.n_params_body) == (n_params, selection)
    with torch.device("meta"):
        assert count_params(build(counted, dropout=0.0)) == n_params


def test_variable_selection_holds_three_quarters_of_a_model_of_many_columns() -> None:
    counted = specified(16, 64, 2, 2, n_features=20)
    assert counted.n_params == 48_560
    assert (counted.n_params - counted.n_params_body) / counted.n_params == pytest.approx(0.73, abs=0.005)


@pytest.mark.parametrize("n_graph", [0, 1, 3])
def test_the_three_counts_are_those_of_the_parts_of_the_module(n_graph: int) -> None:
    counted = spec_of(NAME, inside=geometry(NAME, **SPECIFIED), n_layers=3, n_graph=n_graph)
    model = fresh(counted)
    over_sessions = (model.recurrence, model.blocks, model.norm_temporal)
    blocks = sum(count_params(part) for part in (*over_sessions, model.graph)) + model.position.numel()
    assert counted.n_params_blocks == blocks
    assert counted.n_params_body == count_params(model) - count_params(model.embed)
    assert sizes.head(16, 20) == count_params(model.head) + count_params(model.norm)
    assert count_params(model.fan) == count_params(model.san) == sizes.normalisation(FEATURES, 16)


@pytest.mark.parametrize(
    ("budget", "shapes"),
    [("12k", 33), ("30k", 56), ("80k", 87), ("200k", 68), ("750k", 7), ("2M", 26), ("20M", 43)],
)
def test_grids_have_as_many_shapes_as_specified(budget: str, shapes: int) -> None:
    assert len(build_grid(geometry(NAME, **SPECIFIED), budget).shapes) == shapes


def test_graph_layers_are_a_coordinate_where_there_is_a_graph_and_absent_where_there_is_none() -> None:
    assert build_grid(geometry(NAME, **SPECIFIED), "30k").graph_depths == (1, 2, 3, 4)
    without = build_grid(geometry(NAME, **(SPECIFIED | {"neighbours": 0})), "30k")
    assert without.graph_depths == (0,)
    assert "n_graph" not in without.coordinates


@pytest.mark.parametrize(("d_model", "n_features"), [(8, 9), (32, 21), (64, 3)])
@pytest.mark.parametrize("body", [4, 2])
def test_keeps_the_memory_that_its_costs_claim_at_any_width(d_model: int, n_features: int, body: int) -> None:
    inside = geometry(NAME, n_features=n_features, stocks=30, neighbours=20)
    counted = spec_of(NAME, inside=inside, n_layers=2, n_graph=2, d_model=d_model, d_ff=4 * d_model)
    costs = counted.costs.activations(body)
    assert 4 * (costs.blocks + costs.edges) == pytest.approx(kept_bytes(counted, body, days=4), rel=0.03)


@pytest.mark.filterwarnings("ignore:TF32 acceleration")
@pytest.mark.parametrize(("n_layers", "n_graph"), [(1, 0), (1, 2), (4, 1)])
def test_multiplies_as_often_for_each_day_as_its_costs_claim(n_layers: int, n_graph: int) -> None:
    """Products of weights with weights are the same for any number of days."""
    counted = spec_of(NAME, n_layers=n_layers, n_graph=n_graph, d_model=32, d_ff=64)
    model = built(counted).eval()

    def flops(days: int) -> int:
        # oneDNN's LSTM is one call, whose products are not seen.
        without = torch.backends.mkldnn.flags(enabled=False)
        with without, torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(noise(counted, days))
        return counter.get_total_flops()

    assert counted.costs.products == flops(3) - flops(2)


# Settings


@pytest.mark.parametrize(
    ("context_length", "days", "components", "leaf", "words"),
    [
        (60, 65, 2, "days", "60 sessions.*got 65"),
        (60, 18, 2, "days", "multiple of 5.*got 18"),
        (60, 4, 2, "days", "multiple of 5.*got 4"),
        (60, 20, 11, "fan_components", "1 to 10.*20 sessions.*got 11"),
        (60, 20, 0, "fan_components", "1 to 10.*got 0"),
    ],
)
def test_refuses_days_that_do_not_fit(context_length: int, days: int, components: int, leaf: str, words: str) -> None:
    faults = load(NAME).faults(context_length, {"days": days, "fan_components": components})
    assert list(faults) == [leaf]
    assert re.search(words, faults[leaf])


@pytest.mark.parametrize(
    ("context_length", "days", "components"), [(60, 20, 2), (20, 20, 10), (5, 5, 1), (252, 60, 30)]
)
def test_has_no_fault_in_days_that_fit(context_length: int, days: int, components: int) -> None:
    assert load(NAME).faults(context_length, {"days": days, "fan_components": components}) == {}


# Toggles


@pytest.mark.parametrize("toggle", TOGGLES)
@pytest.mark.parametrize("before", EVERY_COMBINATION, ids=str)
def test_switching_a_part_on_changes_no_output_at_that_instant_and_does_after_one_step(
    before: Active, toggle: str
) -> None:
    """The others have been trained by then, so that they are no identity any more."""
    model, inputs = fresh(), noise(spec_of(NAME))
    before = dataclasses.replace(before, **{toggle: False})
    model.activate(before)
    trained(model, inputs)
    off = scores(model, inputs)
    model.activate(dataclasses.replace(before, **{toggle: True}))
    torch.testing.assert_close(scores(model, inputs), off, atol=1e-6, rtol=0)
    trained(model, inputs)
    on = scores(model, inputs)
    model.activate(before)
    assert (on - scores(model, inputs)).abs().max() > 1e-6


@pytest.mark.parametrize("active", EVERY_COMBINATION, ids=str)
def test_parameters_that_are_not_active_get_no_gradient_and_stay_the_same_to_the_last_bit(active: Active) -> None:
    model, inputs = fresh(), noise(spec_of(NAME))
    trained(model, inputs)
    model.activate(active)
    inactive = model.inactive_parameters()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert inactive == {
        name for name in before for toggle, part in (("fan", "fan."), ("san", "san."), ("gat", "graph."))
        if name.startswith(part) and not getattr(active, toggle)
    }  # fmt: skip
    model.train()(inputs).square().sum().backward()
    assert {name for name, p in model.named_parameters() if p.grad is None} == inactive
    model.zero_grad()
    trained(model, inputs, steps=3)
    after = model.state_dict()
    assert {name for name in before if torch.equal(before[name], after[name])} == inactive


@pytest.mark.parametrize("active", EVERY_COMBINATION, ids=str)
def test_sees_the_day_and_tells_stocks_apart_whatever_is_active(active: Active) -> None:
    counted = spec_of(NAME)
    model, inputs = cast(AtftGatFan, built(counted)), noise(counted)
    model.activate(active)
    before = scores(model, inputs)
    moved = torch.zeros_like(inputs.x_BSTF)
    moved[:, :, -1, 0] = 1.0
    changed_BS = (scores(model, moved_by(inputs, moved)) - before).abs().squeeze(-1)
    assert changed_BS[inputs.member_BS].min() > 1e-6
    for day in range(len(inputs)):
        assert before[day, inputs.member_BS[day]].std() > 1e-4


def test_the_graph_layers_are_active_from_the_start_where_there_are_any() -> None:
    assert fresh().active == Active()
    without = fresh(spec_of(NAME, n_graph=0))
    assert without.active == Active(gat=False)
    with pytest.raises(ValueError, match="no layers over a graph"):
        without.activate(Active())


def test_its_family_switches_parts_by_name_and_refuses_others() -> None:
    family, model = load(NAME), fresh()
    assert isinstance(family, Toggled)
    assert family.activate(model, ("san",)) == model.inactive_parameters()
    assert model.active == Active(fan=False, san=True, gat=False)
    with pytest.raises(ValueError, match="fan, san, gat, got vsn"):
        family.activate(model, ("san", "vsn"))


def test_needs_a_graph_while_its_graph_layers_are_active_and_none_otherwise() -> None:
    model, inputs = fresh(), noise(spec_of(NAME))
    graphless = dataclasses.replace(inputs, neighbours_BSk=None, edges_BSkK=None)
    with pytest.raises(ValueError, match="no graph"):
        model(graphless)
    model.activate(Active(gat=False))
    assert torch.equal(scores(model, graphless), scores(model, inputs))


# What it reads


@pytest.mark.parametrize("days", [5, 20, 60])
def test_reads_the_newest_sessions_alone(days: int) -> None:
    counted = spec_of(NAME, inside=geometry(NAME, days=days))
    model, inputs = built(counted), noise(counted)
    before = scores(model, inputs)
    for first, read in ((SESSIONS - days, True), (0, days == SESSIONS)):
        moved = torch.zeros_like(inputs.x_BSTF)
        moved[:, :, first] = 1.0
        assert torch.equal(scores(model, moved_by(inputs, moved)), before) is not read


def test_what_lies_in_the_places_of_absent_sessions_is_not_read() -> None:
    counted = spec_of(NAME)
    model, inputs = built(counted), noise(counted)
    filled = inputs.x_BSTF.masked_fill(~inputs.here_BST[..., None], 1e6)
    assert not torch.equal(filled, inputs.x_BSTF)
    assert torch.equal(scores(model, dataclasses.replace(inputs, x_BSTF=filled)), scores(model, inputs))


@pytest.mark.parametrize("session", [0, 7, 18, 19])
def test_a_token_sees_its_own_and_earlier_sessions_alone(session: int) -> None:
    model = cast(AtftGatFan, built(spec_of(NAME)))
    h_NTD = torch.randn(4, 20, 16, generator=torch.Generator().manual_seed(6))

    @torch.no_grad()
    def tokens(h_NTD: Tensor) -> Tensor:
        h_NTD = model.recurrence(h_NTD) + model.position
        for block in model.blocks:
            h_NTD = block(h_NTD, None)
        return h_NTD

    later, own = h_NTD.clone(), h_NTD.clone()
    later[:, session + 1 :] += 1.0
    own[:, session] += 1.0
    before = tokens(h_NTD)
    torch.testing.assert_close(tokens(later)[:, : session + 1], before[:, : session + 1], atol=1e-6, rtol=0)
    assert (tokens(own)[:, session] - before[:, session]).abs().amax(1).min() > 1e-4


def test_a_stock_without_neighbours_is_scored_by_itself() -> None:
    """Of the stock, everything else on that day is replaced."""
    counted = spec_of(NAME)
    model, inputs = built(counted), noise(counted)
    assert inputs.neighbours_BSk is not None
    inputs.neighbours_BSk[:, 0] = -1
    others = torch.full_like(inputs.x_BSTF, 1.0)
    others[:, 0] = 0.0
    assert torch.equal(scores(model, moved_by(inputs, others))[:, 0], scores(model, inputs)[:, 0])


# The graph


def test_a_neighbour_that_has_left_the_cross_section_is_left_out() -> None:
    counted = spec_of(NAME)
    model, inputs = built(counted), noise(counted)
    assert inputs.neighbours_BSk is not None
    inputs.member_BS[:, 1] = False
    listed = inputs.neighbours_BSk == 1
    assert listed.any()
    delisted = dataclasses.replace(inputs, neighbours_BSk=inputs.neighbours_BSk.masked_fill(listed, -1))
    assert torch.equal(scores(model, inputs), scores(model, delisted))


def test_edges_need_not_say_that_they_lead_to_another_stock() -> None:
    counted = spec_of(NAME)
    model, inputs = built(counted), noise(counted)
    assert inputs.edges_BSkK is not None
    said = inputs.edges_BSkK.clone()
    said[..., 2] = 0.0
    unsaid = dataclasses.replace(inputs, edges_BSkK=said[..., :2])
    assert torch.equal(scores(model, dataclasses.replace(inputs, edges_BSkK=said)), scores(model, unsaid))
    with pytest.raises(ValueError, match="correlation, a sector"):
        model(dataclasses.replace(inputs, edges_BSkK=torch.cat([said, said], dim=-1)))


def test_training_leaves_out_a_tenth_of_the_edges_between_stocks_and_no_other() -> None:
    counted = spec_of(NAME, inside=geometry(NAME, stocks=40, neighbours=20))
    inputs = noise(counted, days=30)
    assert inputs.neighbours_BSk is not None
    torch.manual_seed(5)
    whole, thinned = graph_of(inputs, 0.0), graph_of(inputs, EDGE_DROPOUT)
    assert torch.equal(whole.absent_BSJ[..., :-1], inputs.neighbours_BSk < 0)
    assert not whole.absent_BSJ[..., -1].any()
    assert not thinned.absent_BSJ[..., -1].any()
    dropped = thinned.absent_BSJ & ~whole.absent_BSJ
    assert not (whole.absent_BSJ & ~thinned.absent_BSJ).any()
    share = dropped.sum() / (~whole.absent_BSJ[..., :-1]).sum()
    assert share == pytest.approx(EDGE_DROPOUT, abs=0.01)


def test_edges_are_drawn_by_the_seed_and_only_where_anything_is_dropped() -> None:
    counted = spec_of(NAME, n_layers=1)
    inputs = noise(counted, days=8)
    plain = built(counted).train()
    torch.testing.assert_close(plain(inputs).detach(), scores(plain, inputs), atol=1e-6, rtol=0)
    dropping = cast(AtftGatFan, built(counted, dropout=1e-9)).train()
    passes = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        passes.append(dropping(inputs).detach())
    assert torch.equal(passes[0], passes[1])
    assert (passes[0] - passes[2]).abs().max() > 1e-4


def test_the_window_of_a_panel_of_many_stocks_takes_memory_by_edges_and_not_by_pairs() -> None:
    def of(stocks: int) -> float:
        inside: PanelGeometry = geometry(NAME, stocks=stocks, neighbours=20)
        return spec_of(NAME, inside=inside).costs.activations(4).blocks / stocks

    assert of(400) == pytest.approx(of(40))
