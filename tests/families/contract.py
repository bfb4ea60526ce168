"""What every model family promises: a suite that any implementation of the port `Family` is run through.

A test module makes a class of `FamilyContract` and a fixture `family` that gives the name of one. Windows are too small
to take time.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tests.building import FEATURES, batch_plan, geometry, job, recipe, settings, spec, windows
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tsladder.errors import BadInput
from tsladder.families import load, names
from tsladder.models.build import Model, build, count_params, lower
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params.sections import ModelParams
from tsladder.planning.duration import step_terms
from tsladder.planning.grid import HEADS, build_grid, is_within
from tsladder.planning.memory import memory_terms
from tsladder.training.trainer import fit

DAYS = 48
"""Long enough for the Informer to distil twice, and for its attention to be sparse before and full after."""

WINDOWS = 8


def spec_of(
    family: str, context_length: int = DAYS, *, n_layers: int = 3, revin: bool = True, **changes: int
) -> ModelSpec:
    inside = geometry(context_length, family=family, revin=revin)
    return spec(geometry=inside, n_layers=n_layers, **changes)


def wide_spec(family: str, n_layers: int = 3, **changes: int) -> ModelSpec:
    """Of a size at which what a model keeps is more than odds and ends."""
    inside = geometry(80, 16, 8, family=family, n_features=40)
    return spec(geometry=inside, n_layers=n_layers, **({"d_model": 32, "n_heads": 4, "d_ff": 128} | changes))


def built(family: str, context_length: int = DAYS, *, dropout: float = 0.0, seed: int = 3, **options: bool) -> Model:
    torch.manual_seed(seed)
    return build(spec_of(family, context_length), dropout=dropout, **options)


def noise(count: int = 6, context_length: int = DAYS) -> Tensor:
    return torch.randn(count, context_length, FEATURES, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def logits(model: Model, x_BTC: Tensor) -> Tensor:
    scored: Tensor = model.eval()(x_BTC)
    return scored


def kept_bytes(counted: ModelSpec, body: int, *, checkpointing: bool = False) -> int:
    """Of storages that the graph of one forward pass holds beside parameters and buffers."""
    model = build(counted, dropout=0.2, activation_checkpointing=checkpointing).train()
    if body == 2:
        lower(model)
    own = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    kept: dict[int, Tensor] = {}

    def keep(value: Tensor) -> Tensor:
        if value.untyped_storage().data_ptr() not in own:
            kept[value.untyped_storage().data_ptr()] = value
        return value

    days, features = counted.geometry.context_length, counted.geometry.n_features
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        logits_B = model(torch.randn(WINDOWS, days, features))
        held = sum(value.untyped_storage().nbytes() for value in kept.values())
    logits_B.sum().backward()
    return held


def read_bytes(counted: ModelSpec) -> int:
    """What the last norm and the head keep of what they see, in fp32: the head's weights are a number each of it."""
    with torch.device("meta"):
        model = build(counted, dropout=0.0)
    assert isinstance(model.head, torch.nn.Linear)
    return WINDOWS * model.head.in_features * 2 * 4


class FamilyContract:
    # What it declares

    def test_is_found_by_its_name(self, family: str) -> None:
        assert family in names()
        assert load(family) is load(family)

    def test_reads_leaves_that_params_have(self, family: str) -> None:
        known = {field.name for field in dataclasses.fields(ModelParams)} - {"family"}
        assert set(load(family).leaves) <= known

    def test_finds_no_fault_in_what_it_is_tested_with_and_names_leaves_where_it_does(self, family: str) -> None:
        port = load(family)
        usual = {"patch_len": 8, "stride": 4}
        assert dict(port.faults(DAYS, {leaf: usual[leaf] for leaf in port.leaves})) == {}
        for days, patch_len in ((4, 8), (4, 1), (2000, 2001)):
            given = {leaf: {"patch_len": patch_len, "stride": 4}[leaf] for leaf in port.leaves}
            for leaf, fault in port.faults(days, given).items():
                assert leaf in (*port.leaves, "family")
                assert fault

    def test_ignores_the_leaves_that_are_not_its_own(self, family: str) -> None:
        for leaf in {"patch_len", "stride"} - set(load(family).leaves):
            other = spec(geometry=geometry(DAYS, family=family, **{leaf: 5}), n_layers=2)
            assert other.n_params == spec(geometry=geometry(DAYS, family=family), n_layers=2).n_params

    def test_says_how_to_have_fewer_parameters(self, family: str) -> None:
        inside = Geometry(family=family, context_length=80, n_features=205, patch_len=80, stride=8, revin=False)
        with pytest.raises(BadInput, match=f"1k has no architecture.*{family} of 205 features.*another rung, [a-z]"):
            build_grid(inside, "1k")

    # What it counts

    @pytest.mark.parametrize("revin", [False, True])
    @pytest.mark.parametrize("context_length", [9, 24, 60, 80, 81])
    def test_has_the_parameters_that_its_formula_counts(self, family: str, context_length: int, revin: bool) -> None:
        for d_model, n_layers, ratio, n_outputs in ((8, 1, 2, 1), (12, 2, 4, 1), (16, 6, 2, 3), (4, 9, 4, 1)):
            inside = geometry(context_length, family=family, revin=revin, n_outputs=n_outputs)
            counted = spec(geometry=inside, d_model=d_model, n_layers=n_layers, d_ff=ratio * d_model)
            with torch.device("meta"):
                model = build(counted, dropout=0.0)
            assert count_params(model) == counted.n_params
            assert counted.n_params - counted.n_params_formula == (2 * FEATURES if revin else 0)
            around = sum(count_params(part) for part in (model.embed, model.head)) + (2 * FEATURES if revin else 0)
            learned = sum(p.numel() for name, p in model.named_parameters() if name == "position")
            assert counted.n_params_body == count_params(model) - around - learned
            assert counted.n_params_blocks == count_params(model.blocks)
            largest = max(p.numel() for p in model.blocks.parameters())
            assert counted.costs.largest_weight == largest

    @pytest.mark.parametrize("n_features", [25, 205])
    @pytest.mark.parametrize("budget", ["30k", "750k", "2B"])
    def test_has_the_parameters_of_the_shapes_of_a_grid(self, family: str, n_features: int, budget: str) -> None:
        study = Geometry(family=family, context_length=80, n_features=n_features, patch_len=16, stride=8, revin=False)
        try:
            shapes = sorted(build_grid(study, budget).shapes, key=lambda member: member.n_layers)
        except BadInput:
            assert budget != "2B", "only a small rung may have no room for a window of many features"
            return
        # The deepest take seconds to build; the formula has been tried on depths above.
        for member in {shapes[0], shapes[len(shapes) // 4]}:
            with torch.device("meta"):
                assert count_params(build(member, dropout=0.0)) == member.n_params

    def test_has_at_least_one_head_count_of_every_shape_in_a_grid(self, family: str) -> None:
        grid = build_grid(geometry(DAYS, family=family), "30k")
        assert all(is_within(member, 30_000) for member in grid.members)
        for shape in grid.shapes:
            offered = grid.heads_of(shape)
            assert offered == tuple(sorted(set(offered)))
            assert set(offered) <= set(HEADS)
        assert all(load(family).in_grid(member) for member in grid.members)

    def test_counts_do_not_depend_on_the_heads(self, family: str) -> None:
        assert len({spec_of(family, n_heads=heads).n_params for heads in (1, 2, 4)}) == 1

    def test_tokens_are_as_many_values_as_the_embedding_takes(self, family: str) -> None:
        counted = wide_spec(family)
        seen: list[torch.Size] = []
        model = build(counted, dropout=0.0).eval()
        model.embed.register_forward_hook(lambda _embed, given, _out: seen.append(given[0].shape))
        g = counted.geometry
        model(torch.randn(2, g.context_length, g.n_features))
        (shape,) = seen
        assert shape[-1] == counted.tokens.inputs
        assert shape[1:].numel() == counted.tokens.count * counted.tokens.inputs

    # What it takes

    @pytest.mark.parametrize("body", [4, 2])
    @pytest.mark.parametrize("fewer", [1, 2, 3, 5])
    def test_one_more_block_keeps_the_memory_that_its_costs_claim(self, family: str, body: int, fewer: int) -> None:
        """From one to four blocks the Informer's new block sees half of the tokens and comes with a distilling."""
        low, high = wide_spec(family, fewer), wide_spec(family, fewer + 1)
        measured = kept_bytes(high, body) - read_bytes(high) - (kept_bytes(low, body) - read_bytes(low))
        said = WINDOWS * (high.costs.activations(body).blocks - low.costs.activations(body).blocks)
        assert said == pytest.approx(measured, rel=0.06)

    def test_checkpointing_keeps_the_input_of_each_block(self, family: str) -> None:
        low, high = wide_spec(family, 5), wide_spec(family, 6)
        measured = kept_bytes(high, 4, checkpointing=True) - kept_bytes(low, 4, checkpointing=True)
        said = WINDOWS * (high.costs.activations(4).checkpointed - low.costs.activations(4).checkpointed)
        assert said == pytest.approx(measured, rel=0.05)

    def test_more_windows_blocks_or_bytes_take_more(self, family: str) -> None:
        small, deep, wide = (wide_spec(family, *sizes) for sizes in ((2,), (3,), (2,)))
        wide = dataclasses.replace(wide, d_model=64, d_ff=256)
        whole, half, deeper, wider = (
            one.costs.activations(body) for one, body in ((small, 4), (small, 2), (deep, 4), (wide, 4))
        )
        for term in (field.name for field in dataclasses.fields(whole)):
            assert getattr(half, term) > 0
            assert 0 < getattr(whole, term) < getattr(wider, term), term
        assert deeper.blocks > whole.blocks > half.blocks
        assert deeper.checkpointed > whole.checkpointed
        assert whole.largest_block <= whole.blocks
        six = wide_spec(family, 6).costs.activations(4)
        assert six.checkpointed < six.blocks
        one, two = (memory_terms(small, batch_plan(size, 256), 1.0) for size in (64, 128))
        assert one[0] == two[0] > 0
        assert one[1] < two[1]

    @pytest.mark.parametrize("n_layers", [1, 3, 6])
    def test_multiplies_as_often_as_its_costs_claim(self, family: str, n_layers: int) -> None:
        counted = dataclasses.replace(wide_spec(family, n_layers), d_model=64)
        g, model = counted.geometry, build(counted, dropout=0.0).eval()
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(torch.randn(WINDOWS, g.context_length, g.n_features))
        assert WINDOWS * counted.costs.products == pytest.approx(counter.get_total_flops(), rel=0.01)

    def test_larger_models_take_longer_steps(self, family: str) -> None:
        small, deep = wide_spec(family, 2), wide_spec(family, 3)
        wide = dataclasses.replace(small, d_model=64, d_ff=256)
        plan = batch_plan(256, 256)
        small_terms, deep_terms, wide_terms = (step_terms(one, plan, 1) for one in (small, deep, wide))
        for term in ("fp32_product", "byte", "adamw_value"):
            assert 0 < small_terms[term] < deep_terms[term]
            assert small_terms[term] < wide_terms[term]
        assert 0 < small_terms["call"] < deep_terms["call"]

    # What its module does

    def test_gives_one_logit_a_window(self, family: str) -> None:
        assert logits(built(family), noise()).shape == (6,)
        several = spec(geometry=geometry(DAYS, family=family, n_outputs=3))
        assert logits(build(several, dropout=0.0), noise()).shape == (6, 3)

    def test_sends_a_gradient_to_every_parameter(self, family: str) -> None:
        model = built(family)
        model(noise()).sum().backward()
        reached = {name: p.grad for name, p in model.named_parameters()}
        assert [name for name, grad in reached.items() if grad is None or not torch.isfinite(grad).all()] == []
        assert [name for name, grad in reached.items() if grad is not None and not grad.abs().sum() > 0] == []

    def test_takes_a_batch_as_a_set_of_independent_windows(self, family: str) -> None:
        model, x_BTC = built(family), noise()
        whole = logits(model, x_BTC)
        order = torch.tensor([3, 1, 5, 0, 2, 4])
        torch.testing.assert_close(logits(model, x_BTC[order]), whole[order], atol=1e-6, rtol=0)
        one_by_one = torch.cat([logits(model, x_BTC[i : i + 1]) for i in range(len(x_BTC))])
        torch.testing.assert_close(one_by_one, whole, atol=1e-6, rtol=0)

    @pytest.mark.parametrize("context_length", [8, 9, 15, 16, 17, 31, 32, 47, 60, 63, 80, 81, 126, 252])
    def test_sees_the_newest_day(self, family: str, context_length: int) -> None:
        model, x_BTC = built(family, context_length), noise(4, context_length)
        moved = x_BTC.clone()
        moved[:, -1, :] += 1.0
        assert (logits(model, x_BTC) - logits(model, moved)).abs().min() > 1e-6

    @pytest.mark.parametrize("feature", range(FEATURES))
    def test_sees_every_feature(self, family: str, feature: int) -> None:
        model, x_BTC = built(family), noise()
        moved = x_BTC.clone()
        moved[:, :, feature] += torch.linspace(0.0, 1.0, DAYS)
        assert (logits(model, x_BTC) - logits(model, moved)).abs().min() > 1e-6

    def test_tells_features_apart(self, family: str) -> None:
        """Two features that change places are another market."""
        model, x_BTC = built(family), noise()
        assert (logits(model, x_BTC) - logits(model, x_BTC.flip(2))).abs().min() > 1e-6

    @pytest.mark.parametrize("constant", [0.0, 1.0, -1e4])
    def test_answers_a_constant_window_with_a_finite_logit(self, family: str, constant: float) -> None:
        assert torch.isfinite(logits(built(family), torch.full((3, DAYS, FEATURES), constant))).all()

    def test_is_built_the_same_from_the_same_seed(self, family: str) -> None:
        one, same, other = built(family), built(family), built(family, seed=4)
        torch.testing.assert_close(one.state_dict(), same.state_dict(), atol=0, rtol=0)
        assert torch.equal(logits(one, noise()), logits(same, noise()))
        assert not torch.equal(logits(one, noise()), logits(other, noise()))

    def test_scores_the_same_again_after_training_passes(self, family: str) -> None:
        model = built(family, dropout=0.5)
        before = logits(model, noise())
        model.train()
        dropped = model(noise()).detach()
        assert not torch.equal(dropped, before)
        assert torch.equal(logits(model, noise()), before)

    def test_drops_the_same_units_from_the_same_seed(self, family: str) -> None:
        model = built(family, dropout=0.5).train()
        passes = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            passes.append(model(noise()).detach())
        assert torch.equal(passes[0], passes[1])
        assert not torch.equal(passes[0], passes[2])

    def test_computes_its_body_in_bf16_close_to_fp32(self, family: str) -> None:
        full = logits(built(family), noise())
        low = built(family)
        lower(low)
        assert {p.dtype for part in low.body() for p in part.parameters()} == {torch.bfloat16}
        assert low.head.weight.dtype == low.norm.weight.dtype == torch.float32
        torch.testing.assert_close(logits(low, noise()), full, atol=0.05, rtol=0)
        low.train()(noise()).sum().backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in low.parameters())

    def test_is_lowered_while_built_to_what_lowering_makes_of_it(self, family: str) -> None:
        afterwards = built(family)
        lower(afterwards)
        torch.testing.assert_close(built(family, lowered=True).state_dict(), afterwards.state_dict(), atol=0, rtol=0)

    def test_has_the_same_gradients_under_activation_checkpointing(self, family: str) -> None:
        def gradients(checkpointing: bool) -> dict[str, Tensor]:
            model = built(family, dropout=0.2, activation_checkpointing=checkpointing).double()
            torch.manual_seed(4)
            model(noise().double()).sum().backward()
            return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

        torch.testing.assert_close(gradients(True), gradients(False), atol=1e-9, rtol=0)

    @pytest.mark.parametrize("precision", ["fp32", pytest.param("bf16-mixed", marks=pytest.mark.slow)])
    def test_learns_a_plain_rule_in_two_epochs_and_repeats_bit_for_bit(self, family: str, precision: str) -> None:
        run = job(
            spec=spec_of(family, 24, n_layers=2),
            settings=settings(epochs=2, learning_rate=1e-2),
            recipe=recipe(precision=precision),
            plan=batch_plan(16, 32, precision=precision),
        )
        train, validation = windows(400), windows(80, seed=1)
        first, again = (fit(run, train, validation, lambda _record: True) for _ in range(2))
        assert first.n_params == run.spec.n_params
        assert [epoch.val_loss for epoch in first.curve] == [epoch.val_loss for epoch in again.curve]
        for name, value in first.weights.to_save.items():
            assert torch.equal(value, again.weights.to_save[name]), name
        assert len(first.curve) == 2
        assert first.curve[1].train_loss < first.curve[0].train_loss
