"""What every family of models of a panel promises: a suite that any implementation of the port `PanelFamily` is run
through.

A test module makes a class of `PanelFamilyContract` and a fixture `family` that gives the name of one. Days are too
small to take time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from tsladder.artifacts.outcome import BatchPlan
from tsladder.errors import BadInput
from tsladder.families import is_of_panel, load, names, panel_names
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.panel_family import OwnDepths, PanelCosts
from tsladder.models.build import Model, build, count_params, lower
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.params.panel_sections import PanelModelParams
from tsladder.planning.duration import step_terms
from tsladder.planning.grid import HEADS, build_grid, is_within
from tsladder.planning.memory import memory_terms

SESSIONS = 60
"""Of a window: five patches of twelve, and more than the families of graphs read."""

FEATURES = 9
STOCKS = 11
DAYS = 3
DEPTH = 4
USUAL = {"patch_len": 12, "days": 20, "fan_components": 2}
EDGE_FEATURES = 3


def geometry(family: str, **changes: object) -> PanelGeometry:
    values: dict[str, object] = {
        "family": family,
        "context_length": SESSIONS,
        "n_features": FEATURES,
        "patch_len": 12,
        "stride": 12,
        "revin": False,
        "stocks": STOCKS,
        "days": 20,
        "fan_components": 2,
        "neighbours": 5,
    }
    return PanelGeometry(**(values | changes))  # type: ignore[arg-type]


def spec_of(family: str, *, n_layers: int = DEPTH, inside: PanelGeometry | None = None, **changes: int) -> ModelSpec:
    port = load(family)
    n_graph = port.graph_depths[-1] if isinstance(port, OwnDepths) else 0
    sizes = {"d_model": 16, "n_heads": 2, "d_ff": 32, "n_graph": n_graph} | changes
    return ModelSpec(geometry=inside or geometry(family), n_layers=n_layers, **sizes)


def wide_spec(family: str, n_layers: int = DEPTH, **changes: int) -> ModelSpec:
    """Of a size at which what a model keeps is more than odds and ends."""
    inside = geometry(family, stocks=30, n_features=16)
    return spec_of(family, n_layers=n_layers, inside=inside, **({"d_model": 48, "n_heads": 4, "d_ff": 192} | changes))


def built(counted: ModelSpec, *, dropout: float = 0.0, seed: int = 3, **options: int) -> Model:
    """A model whose parameters all differ from zero: what begins as the identity acts."""
    torch.manual_seed(seed)
    model = build(counted, dropout=dropout, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    return model


def noise(counted: ModelSpec, days: int = DAYS, seed: int = 1) -> DayInputs:
    """Days of noise: some stocks are no members, some sessions of stocks are missing."""
    drawn = torch.Generator().manual_seed(seed)
    g = counted.geometry
    assert isinstance(g, PanelGeometry)
    here_BST = torch.rand(days, g.stocks, g.context_length, generator=drawn) > 0.05
    member_BS = torch.rand(days, g.stocks, generator=drawn) > 0.2
    member_BS[:, :2] = True
    here_BST[:, :, -1] |= member_BS
    x_BSTF = torch.randn(days, g.stocks, g.context_length, g.n_features, generator=drawn) * here_BST[..., None]
    neighbours_BSk = _neighbours(member_BS, g.neighbours, drawn) if g.neighbours else None
    return DayInputs(
        x_BSTF=x_BSTF,
        here_BST=here_BST,
        member_BS=member_BS,
        neighbours_BSk=neighbours_BSk,
        edges_BSkK=None if neighbours_BSk is None else _edges(neighbours_BSk, drawn),
    )


def _neighbours(member_BS: Tensor, places: int, drawn: torch.Generator) -> Tensor:
    """Members that are neighbours of members, fewer than there are places for some of them."""
    days, stocks = member_BS.shape
    neighbours_BSk = torch.full((days, stocks, places), -1)
    for day in range(days):
        members = member_BS[day].nonzero().flatten()
        for stock in members.tolist():
            others = members[torch.randperm(len(members), generator=drawn)]
            others = others[others != stock][: places - stock % 2]
            neighbours_BSk[day, stock, : len(others)] = others
    return neighbours_BSk


def _edges(neighbours_BSk: Tensor, drawn: torch.Generator) -> Tensor:
    return torch.randn(*neighbours_BSk.shape, EDGE_FEATURES, generator=drawn) * (neighbours_BSk >= 0)[..., None]


def of_days(inputs: DayInputs, index_B: Tensor) -> DayInputs:
    return _mapped(inputs, lambda value: value[index_B])


def permuted(inputs: DayInputs, order_S: Tensor) -> DayInputs:
    """The same days with the stocks in another order."""
    moved = _mapped(inputs, lambda value: value[:, order_S])
    if moved.neighbours_BSk is None:
        return moved
    place_S = order_S.argsort()
    renamed_BSk = torch.where(moved.neighbours_BSk < 0, -1, place_S[moved.neighbours_BSk.clamp(min=0)])
    return dataclasses.replace(moved, neighbours_BSk=renamed_BSk)


def with_absent_stock(inputs: DayInputs, filled: float) -> DayInputs:
    """The same days with one more stock, which is absent and whose places hold `filled`."""

    def one_more(value: Tensor, fill: float) -> Tensor:
        return torch.cat([value, torch.full_like(value[:, :1], fill)], dim=1)

    return DayInputs(
        x_BSTF=one_more(inputs.x_BSTF, filled),
        here_BST=one_more(inputs.here_BST, False),
        member_BS=one_more(inputs.member_BS, False),
        neighbours_BSk=None if inputs.neighbours_BSk is None else one_more(inputs.neighbours_BSk, -1),
        edges_BSkK=None if inputs.edges_BSkK is None else one_more(inputs.edges_BSkK, 0.0),
    )


def moved_by(inputs: DayInputs, by_BSTF: Tensor) -> DayInputs:
    return dataclasses.replace(inputs, x_BSTF=inputs.x_BSTF + by_BSTF)


def in_double(inputs: DayInputs) -> DayInputs:
    edges_BSkK = None if inputs.edges_BSkK is None else inputs.edges_BSkK.double()
    return dataclasses.replace(inputs, x_BSTF=inputs.x_BSTF.double(), edges_BSkK=edges_BSkK)


def _mapped(inputs: DayInputs, change: object) -> DayInputs:
    values = {field.name: getattr(inputs, field.name) for field in dataclasses.fields(inputs)}
    return DayInputs(**{name: None if value is None else change(value) for name, value in values.items()})  # type: ignore[operator]


@torch.no_grad()
def scores(model: Model, inputs: DayInputs) -> Tensor:
    out_BSO: Tensor = model.eval()(inputs)
    return out_BSO


def gradients(model: Model, inputs: DayInputs, seed: int = 4) -> dict[str, Tensor]:
    """Of a sum that weighs every output of a member differently."""
    torch.manual_seed(seed)
    out_BSO = model.train()(inputs)
    weight_BSO = torch.linspace(-1.0, 1.0, out_BSO.numel(), dtype=out_BSO.dtype).view_as(out_BSO)
    (out_BSO * weight_BSO * inputs.member_BS[..., None]).sum().backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def kept_bytes(counted: ModelSpec, body: int, *, days: int = DAYS, **options: int) -> int:
    """Of storages that the graph of one forward pass holds beside parameters and buffers, and of what was given."""
    model = built(counted, dropout=0.2, **options).train()
    if body == 2:
        lower(model)
    own = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    kept: dict[int, Tensor] = {}

    def keep(value: Tensor) -> Tensor:
        if value.untyped_storage().data_ptr() not in own:
            kept[value.untyped_storage().data_ptr()] = value
        return value

    inputs = noise(counted, days)
    for value in (getattr(inputs, field.name) for field in dataclasses.fields(inputs)):
        if value is not None:
            keep(value)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        out_BSO = model(inputs)
        held = sum(value.untyped_storage().nbytes() for value in kept.values())
    out_BSO.sum().backward()
    return held


def batch_plan(days: int, **changes: object) -> BatchPlan:
    values: dict[str, object] = {
        "micro_batch": days,
        "accumulation_steps": 1,
        "effective_batch": days,
        "precision": "fp32",
        "optimizer": "adamw",
        "activation_checkpointing": False,
    }
    return BatchPlan(**(values | changes))  # type: ignore[arg-type]


class PanelFamilyContract:
    # What it declares

    def test_is_found_by_its_name_among_the_families_of_panels_alone(self, family: str) -> None:
        assert family in panel_names()
        assert family not in names()
        assert is_of_panel(family)
        assert load(family) is load(family)

    def test_reads_leaves_that_params_have(self, family: str) -> None:
        known = {field.name for field in dataclasses.fields(PanelModelParams)} - {"family"}
        assert set(load(family).leaves) <= known

    def test_finds_no_fault_in_what_it_is_tested_with_and_names_leaves_where_it_does(self, family: str) -> None:
        port = load(family)
        assert dict(port.faults(SESSIONS, {leaf: USUAL[leaf] for leaf in port.leaves})) == {}
        found = dict(port.faults(4, {leaf: USUAL[leaf] for leaf in port.leaves}))
        assert found, "a window of four sessions"
        for leaf, fault in found.items():
            assert leaf in port.leaves
            assert "4" in fault

    def test_says_how_to_have_fewer_parameters(self, family: str) -> None:
        inside = geometry(family, n_features=205)
        with pytest.raises(BadInput, match=f"1k has no architecture.*{family} of 205 features.*another rung, [a-z]"):
            build_grid(inside, "1k")

    # What it counts

    @pytest.mark.parametrize(("horizons", "quantiles"), [(1, 1), (4, 1), (2, 5)])
    def test_has_the_parameters_that_its_formula_counts(self, family: str, horizons: int, quantiles: int) -> None:
        outputs = {"horizons": horizons, "quantiles": quantiles, "n_outputs": horizons * quantiles}
        for d_model, n_layers, ratio in ((8, 2, 2), (12, 3, 4), (16, 8, 2)):
            inside = geometry(family, **outputs)
            counted = spec_of(family, inside=inside, d_model=d_model, n_layers=n_layers, d_ff=ratio * d_model)
            with torch.device("meta"):
                model = build(counted, dropout=0.0)
            assert count_params(model) == counted.n_params == counted.n_params_formula
            assert 0 < counted.n_params_blocks <= counted.n_params_body < counted.n_params
            assert count_params(model.blocks) <= counted.n_params_blocks
            assert 0 < counted.costs.largest_weight <= max(p.numel() for p in model.parameters())

    @pytest.mark.parametrize("budget", ["12k", "80k", "750k"])
    def test_has_the_parameters_of_every_shape_of_a_grid(self, family: str, budget: str) -> None:
        for member in build_grid(geometry(family), budget).shapes:
            with torch.device("meta"):
                assert count_params(build(member, dropout=0.0)) == member.n_params

    def test_has_at_least_one_head_count_of_every_shape_in_a_grid(self, family: str) -> None:
        grid = build_grid(geometry(family), "30k")
        assert all(is_within(member, 30_000) for member in grid.members)
        for shape in grid.shapes:
            offered = grid.heads_of(shape)
            assert offered == tuple(sorted(set(offered)))
            assert set(offered) <= set(HEADS)
        assert all(load(family).in_grid(member) for member in grid.members)

    def test_counts_depend_neither_on_the_heads_nor_on_the_number_of_stocks(self, family: str) -> None:
        assert len({spec_of(family, n_heads=heads).n_params for heads in (1, 2, 4)}) == 1
        assert len({spec_of(family, inside=geometry(family, stocks=s)).n_params for s in (2, 36, 431)}) == 1

    # What it takes

    @pytest.mark.parametrize("body", [4, 2])
    def test_keeps_the_memory_that_its_costs_claim(self, family: str, body: int) -> None:
        for n_layers in (DEPTH, DEPTH + 2):
            counted = wide_spec(family, n_layers)
            costs = counted.costs.activations(body)
            assert DAYS * (costs.blocks + costs.edges) == pytest.approx(kept_bytes(counted, body), rel=0.05)

    @pytest.mark.parametrize("body", [4, 2])
    def test_two_more_layers_keep_the_memory_that_its_costs_claim(self, family: str, body: int) -> None:
        low, high = wide_spec(family), wide_spec(family, DEPTH + 2)
        said = DAYS * (high.costs.activations(body).blocks - low.costs.activations(body).blocks)
        assert said == pytest.approx(kept_bytes(high, body) - kept_bytes(low, body), rel=0.06)

    def test_checkpointing_keeps_the_inputs_of_the_layers(self, family: str) -> None:
        low, high = wide_spec(family), wide_spec(family, DEPTH + 2)
        measured = kept_bytes(high, 4, activation_checkpointing=True) - kept_bytes(
            low, 4, activation_checkpointing=True
        )
        said = DAYS * (high.costs.activations(4).checkpointed - low.costs.activations(4).checkpointed)
        assert said == pytest.approx(measured, rel=0.05)

    def test_fewer_stocks_at_once_keep_less(self, family: str) -> None:
        counted = wide_spec(family, 8)
        options = {"activation_checkpointing": True}
        chunked, all_at_once = kept_bytes(counted, 4, stocks_at_once=7, **options), kept_bytes(counted, 4, **options)
        assert chunked < all_at_once
        costs = counted.costs
        whole = costs.activations(4)
        said = [_in_chunks(counted, stocks) for stocks in (30, 15, 7, 1)]
        peaks = [costs.checkpointed + costs.edges + costs.moment for costs in said]
        assert peaks == sorted(peaks, reverse=True)
        assert peaks[-1] < whole.checkpointed + whole.edges + whole.moment

    def test_more_days_stocks_layers_or_bytes_take_more(self, family: str) -> None:
        small, deep = wide_spec(family), wide_spec(family, DEPTH + 1)
        wide = wide_spec(family, d_model=64, d_ff=256)
        many = dataclasses.replace(small, geometry=dataclasses.replace(small.geometry, stocks=60))
        whole, half, deeper, wider, more = (
            one.costs.activations(body) for one, body in ((small, 4), (small, 2), (deep, 4), (wide, 4), (many, 4))
        )
        for term in (field.name for field in dataclasses.fields(whole)):
            assert getattr(half, term) > 0
            assert 0 < getattr(whole, term) < getattr(wider, term), term
            assert getattr(whole, term) < getattr(more, term), term
        assert deeper.blocks > whole.blocks > half.blocks
        assert deeper.checkpointed > whole.checkpointed
        assert whole.largest_block <= whole.blocks
        one, two = (memory_terms(small, batch_plan(days), 1.0) for days in (16, 32))
        assert one[0] == two[0] > 0
        assert one[1] < two[1]

    def test_larger_models_and_days_take_longer_steps(self, family: str) -> None:
        small, deep = wide_spec(family), wide_spec(family, DEPTH + 1)
        wide = wide_spec(family, d_model=64, d_ff=256)
        many = dataclasses.replace(small, geometry=dataclasses.replace(small.geometry, stocks=60))
        small_terms, deep_terms, wide_terms, many_terms = (
            step_terms(one, batch_plan(32), 1) for one in (small, deep, wide, many)
        )
        for term in ("fp32_product", "byte"):
            assert 0 < small_terms[term] < min(deep_terms[term], wide_terms[term], many_terms[term])
        assert 0 < small_terms["adamw_value"] < min(deep_terms["adamw_value"], wide_terms["adamw_value"])
        assert 0 < small_terms["call"] < deep_terms["call"]
        chunked = step_terms(small, batch_plan(1, activation_checkpointing=True, stocks_at_once=7), 1)
        plain = step_terms(small, batch_plan(1, activation_checkpointing=True), 1)
        assert chunked["call"] > plain["call"]
        assert chunked["fp32_product"] > plain["fp32_product"]

    # What its module does

    def test_gives_outputs_of_every_stock_of_every_day(self, family: str) -> None:
        counted = spec_of(family)
        assert scores(built(counted), noise(counted)).shape == (DAYS, STOCKS, 1)
        several = spec_of(family, inside=geometry(family, horizons=2, quantiles=5, n_outputs=10))
        assert scores(built(several), noise(several)).shape == (DAYS, STOCKS, 10)

    def test_gives_different_scores_to_different_stocks(self, family: str) -> None:
        counted = spec_of(family)
        assert scores(built(counted), noise(counted)).std(1).min() > 1e-4

    def test_gives_quantiles_that_never_cross(self, family: str) -> None:
        counted = spec_of(family, inside=geometry(family, horizons=2, quantiles=5, n_outputs=10))
        out_BSMQ = scores(built(counted), noise(counted)).unflatten(-1, (2, 5))
        assert (out_BSMQ.diff(dim=-1) > 0).all()

    def test_sends_a_gradient_to_every_parameter(self, family: str) -> None:
        counted = spec_of(family, inside=geometry(family, horizons=2, quantiles=5, n_outputs=10))
        model = built(counted)
        reached = gradients(model, noise(counted))
        assert set(reached) == {name for name, _ in model.named_parameters()}
        assert [name for name, grad in reached.items() if not torch.isfinite(grad).all()] == []
        assert [name for name, grad in reached.items() if not grad.abs().sum() > 0] == []

    def test_takes_a_batch_as_a_set_of_independent_days(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted, 4)
        whole = scores(model, inputs)
        order = torch.tensor([3, 1, 0, 2])
        torch.testing.assert_close(scores(model, of_days(inputs, order)), whole[order], atol=1e-6, rtol=0)
        one_by_one = torch.cat([scores(model, of_days(inputs, torch.tensor([day]))) for day in range(4)])
        torch.testing.assert_close(one_by_one, whole, atol=1e-6, rtol=0)

    def test_permuted_stocks_have_permuted_scores(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        order_S = torch.randperm(STOCKS, generator=torch.Generator().manual_seed(2))
        found = scores(model, permuted(inputs, order_S))
        torch.testing.assert_close(found, scores(model, inputs)[:, order_S], atol=1e-6, rtol=0)

    @pytest.mark.parametrize("filled", [0.0, 1e6])
    def test_an_absent_stock_changes_no_other_score(self, family: str, filled: float) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        found = scores(model, with_absent_stock(inputs, filled))
        assert torch.isfinite(found).all()
        members = inputs.member_BS[..., None]
        difference = (found[:, :-1] - scores(model, inputs)) * members
        assert difference.abs().max() < 1e-6

    def test_what_is_no_member_changes_no_score_of_a_member(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        strangers = ~inputs.member_BS[:, :, None, None] * torch.full_like(inputs.x_BSTF, 1e6)
        found = scores(model, moved_by(inputs, strangers))
        members = inputs.member_BS[..., None]
        assert ((found - scores(model, inputs)) * members).abs().max() < 1e-6
        assert torch.isfinite(found).all()

    def test_a_member_is_compared_with_other_members(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        before = scores(model, inputs)
        moved = torch.zeros_like(inputs.x_BSTF)
        moved[:, 0] = 1.0
        after = scores(model, moved_by(inputs, moved))
        changed_BS = (after - before).abs().squeeze(-1) > 1e-6
        assert (changed_BS[:, 1:] & inputs.member_BS[:, 1:]).any(1).all()

    def test_a_day_without_members_has_finite_scores_and_gradients(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        inputs.member_BS[1] = False
        if inputs.neighbours_BSk is not None:
            inputs.neighbours_BSk[1] = -1
        assert torch.isfinite(scores(model, inputs)).all()
        assert all(torch.isfinite(grad).all() for grad in gradients(model, inputs).values())

    def test_sees_the_newest_session_of_each_stock(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        moved = torch.zeros_like(inputs.x_BSTF)
        moved[:, :, -1, 0] = 1.0
        changed = (scores(model, moved_by(inputs, moved)) - scores(model, inputs)).abs().squeeze(-1)
        assert changed[inputs.member_BS].min() > 1e-6

    @pytest.mark.parametrize("feature", range(FEATURES))
    def test_sees_every_feature(self, family: str, feature: int) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        moved = torch.zeros_like(inputs.x_BSTF)
        moved[..., feature] = torch.linspace(0.0, 1.0, SESSIONS)
        changed = (scores(model, moved_by(inputs, moved)) - scores(model, inputs)).abs().squeeze(-1)
        assert changed[inputs.member_BS].min() > 1e-6

    def test_tells_features_apart(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted), noise(counted)
        swapped = dataclasses.replace(inputs, x_BSTF=inputs.x_BSTF.flip(-1))
        changed = (scores(model, swapped) - scores(model, inputs)).abs().squeeze(-1)
        assert changed[inputs.member_BS].min() > 1e-6

    @pytest.mark.parametrize("constant", [0.0, 1.0, -1e4])
    def test_answers_constant_windows_with_finite_scores(self, family: str, constant: float) -> None:
        counted = spec_of(family)
        inputs = noise(counted)
        constant_BSTF = torch.full_like(inputs.x_BSTF, constant)
        assert torch.isfinite(scores(built(counted), dataclasses.replace(inputs, x_BSTF=constant_BSTF))).all()

    def test_is_built_the_same_from_the_same_seed(self, family: str) -> None:
        counted = spec_of(family)
        inputs = noise(counted)
        one, same, other = built(counted), built(counted), built(counted, seed=4)
        torch.testing.assert_close(one.state_dict(), same.state_dict(), atol=0, rtol=0)
        assert torch.equal(scores(one, inputs), scores(same, inputs))
        assert not torch.equal(scores(one, inputs), scores(other, inputs))

    def test_scores_the_same_again_after_training_passes(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted, dropout=0.5), noise(counted)
        before = scores(model, inputs)
        dropped = model.train()(inputs).detach()
        assert not torch.equal(dropped, before)
        assert torch.equal(scores(model, inputs), before)

    def test_drops_the_same_units_from_the_same_seed(self, family: str) -> None:
        counted = spec_of(family)
        model, inputs = built(counted, dropout=0.5).train(), noise(counted)
        passes = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            passes.append(model(inputs).detach())
        assert torch.equal(passes[0], passes[1])
        assert not torch.equal(passes[0], passes[2])

    def test_computes_its_body_in_bf16_close_to_fp32(self, family: str) -> None:
        counted = spec_of(family)
        inputs = noise(counted)
        full = scores(built(counted), inputs)
        low = built(counted)
        lower(low)
        assert {p.dtype for part in low.body() for p in part.parameters()} == {torch.bfloat16}
        assert {p.dtype for part in (low.head, low.norm) for p in part.parameters()} == {torch.float32}
        found = scores(low, inputs)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, full, atol=0.05, rtol=0)
        reached = gradients(low, inputs)
        assert set(reached) == {name for name, _ in low.named_parameters()}
        assert all(torch.isfinite(grad).all() for grad in reached.values())

    def test_is_lowered_while_built_to_what_lowering_makes_of_it(self, family: str) -> None:
        torch.manual_seed(3)
        afterwards = build(spec_of(family), dropout=0.0)
        lower(afterwards)
        torch.manual_seed(3)
        state = build(spec_of(family), dropout=0.0, lowered=True).state_dict()
        torch.testing.assert_close(state, afterwards.state_dict(), atol=0, rtol=0)

    def test_has_the_same_gradients_under_activation_checkpointing(self, family: str) -> None:
        counted = spec_of(family)
        inputs = in_double(noise(counted))
        found = [
            gradients(built(counted, dropout=0.2, activation_checkpointing=one).double(), inputs)
            for one in (True, False)
        ]
        torch.testing.assert_close(*found, atol=1e-9, rtol=0)

    @pytest.mark.parametrize("stocks_at_once", [1, 7, 100])
    def test_has_the_same_gradients_in_chunks_of_stocks(self, family: str, stocks_at_once: int) -> None:
        counted = spec_of(family)
        inputs = noise(counted)
        whole = built(counted)
        chunked = built(counted, stocks_at_once=stocks_at_once, activation_checkpointing=True)
        torch.testing.assert_close(scores(chunked, inputs), scores(whole, inputs), atol=1e-6, rtol=0)
        torch.testing.assert_close(gradients(chunked, inputs), gradients(whole, inputs), atol=1e-6, rtol=1e-5)

    def test_drops_the_same_units_where_a_chunk_is_computed_again(self, family: str) -> None:
        """The gradient is that of the outputs, by finite differences under the same seed."""
        counted = spec_of(family)
        inputs = in_double(noise(counted))
        model = built(counted, dropout=0.3, stocks_at_once=4, activation_checkpointing=True).double().train()
        found = gradients(model, inputs)
        parameters = dict(model.named_parameters())
        drawn = torch.Generator().manual_seed(8)
        direction = {name: torch.randn(p.shape, generator=drawn, dtype=p.dtype) for name, p in parameters.items()}

        def weighed(step: float) -> float:
            with torch.no_grad():
                for name, parameter in parameters.items():
                    parameter += step * direction[name]
                torch.manual_seed(4)
                out_BSO = model(inputs)
                for name, parameter in parameters.items():
                    parameter -= step * direction[name]
            weight_BSO = torch.linspace(-1.0, 1.0, out_BSO.numel(), dtype=out_BSO.dtype).view_as(out_BSO)
            return float((out_BSO * weight_BSO * inputs.member_BS[..., None]).sum())

        slope = (weighed(1e-6) - weighed(-1e-6)) / 2e-6
        assert slope == pytest.approx(sum(float((found[name] * direction[name]).sum()) for name in found), rel=1e-4)

    def test_days_one_by_one_have_the_gradient_of_all(self, family: str) -> None:
        counted = spec_of(family)
        inputs = noise(counted, 4)
        model = built(counted)

        def gradient(parts: Iterator[Tensor]) -> dict[str, Tensor]:
            for index_B in parts:
                some = of_days(inputs, index_B)
                (model.train()(some).square() * some.member_BS[..., None]).sum().backward()
            found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
            model.zero_grad()
            return found

        one_by_one, at_once = (gradient(iter(torch.arange(4).split(size))) for size in (1, 4))
        torch.testing.assert_close(one_by_one, at_once, atol=1e-5, rtol=1e-4)

    def test_learns_to_rank_by_what_happened_last(self, family: str) -> None:
        counted = spec_of(family, n_layers=2)
        model = built(counted, dropout=0.0).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        errors = []
        for step in range(60):
            inputs = noise(counted, 8, seed=step)
            last_BS = inputs.x_BSTF[:, :, -1, 0]
            error_BS = (model(inputs).squeeze(-1) - last_BS) * inputs.member_BS
            loss = error_BS.square().sum() / inputs.member_BS.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            errors.append(loss.item())
        assert sum(errors[-10:]) < 0.5 * sum(errors[:10])


def _in_chunks(counted: ModelSpec, stocks: int) -> object:
    costs: PanelCosts = counted.costs  # type: ignore[assignment]
    return costs.activations_in_chunks(4, stocks)
