"""What every model family promises, on windows too small to take time."""

from __future__ import annotations

import pytest
import torch
from tests.building import FEATURES, batch_plan, geometry, job, recipe, settings, spec, windows
from torch import Tensor

from tsladder.models.build import Model, build, count_params, lower
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.models.stem import FEWEST_TOKENS
from tsladder.planning.grid import build_grid
from tsladder.training.trainer import fit

DAYS = 48
"""Long enough for the Informer to distil twice, and for its attention to be sparse before and full after."""

every_family = pytest.mark.parametrize("family", ["patchtst", "itransformer", "informer"])


def spec_of(
    family: str, context_length: int = DAYS, *, n_layers: int = 3, revin: bool = True, **changes: int
) -> ModelSpec:
    inside = geometry(context_length, family=family, revin=revin)
    return spec(geometry=inside, n_layers=n_layers, **changes)


def built(family: str, context_length: int = DAYS, *, dropout: float = 0.0, seed: int = 3, **options: bool) -> Model:
    torch.manual_seed(seed)
    return build(spec_of(family, context_length), dropout=dropout, **options)


def noise(count: int = 6, context_length: int = DAYS) -> Tensor:
    return torch.randn(count, context_length, FEATURES, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def logits(model: Model, x_BTC: Tensor) -> Tensor:
    scored: Tensor = model.eval()(x_BTC)
    return scored


@every_family
class TestEveryFamily:
    def test_gives_one_logit_a_window(self, family: str) -> None:
        assert logits(built(family), noise()).shape == (6,)

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

    @pytest.mark.parametrize("n_features", [25, 205])
    @pytest.mark.parametrize("budget", ["30k", "750k", "2B"])
    def test_has_the_parameters_of_the_shapes_of_a_grid(self, family: str, n_features: int, budget: str) -> None:
        study = Geometry(family=family, context_length=80, n_features=n_features, patch_len=16, stride=8, revin=False)
        shapes = sorted(build_grid(study, budget).shapes, key=lambda member: member.n_layers)
        # The deepest take seconds to build; the formula has been tried on depths above.
        for member in {shapes[0], shapes[len(shapes) // 4]}:
            with torch.device("meta"):
                assert count_params(build(member, dropout=0.0)) == member.n_params

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

    @pytest.mark.parametrize("precision", ["fp32", "bf16-mixed"])
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
        for name, value in first.weights.kept.items():
            assert torch.equal(value, again.weights.kept[name]), name
        assert len(first.curve) == 2
        assert first.curve[1].train_loss < first.curve[0].train_loss


def test_only_patchtst_uses_patches() -> None:
    for family, same in (("patchtst", False), ("itransformer", True), ("informer", True)):
        long, short = (spec(geometry=geometry(patch_len=p, family=family)) for p in (8, 4))
        assert (long.n_params == short.n_params) is same


def test_tokens_are_patches_features_or_days() -> None:
    found = {f: geometry(80, 16, 8, family=f).n_tokens for f in ("patchtst", "itransformer", "informer")}
    assert found == {"patchtst": 9, "itransformer": FEATURES, "informer": 80}


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
