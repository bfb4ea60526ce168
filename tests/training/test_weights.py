"""What the optimizer steps, what the model computes with, and what is saved, by precision."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from tests.building import build_loss, job, recipe, settings, spec, windows
from torch import Tensor

from tsladder.models.build import Model, build, lower
from tsladder.training.best_weights import BestWeights
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import accumulate_gradients
from tsladder.training.optim import RoundingAdamW, build_optimizer
from tsladder.training.trainer import Trainer, fit, predict_logits
from tsladder.training.weights import Weights

DATA = windows(64, seed=1)
FEED = WindowFeed(DATA, torch.device("cpu"))
BCE = build_loss("bce", DATA.y_N)
PRECISIONS = ("fp32", "bf16-mixed", "bf16")
BODY = ("embed.", "blocks.")


def model(**changes: object) -> Model:
    torch.manual_seed(0)
    return build(spec(**changes), dropout=0.0)


@pytest.mark.parametrize(
    ("precision", "computed", "stepped"),
    [
        ("fp32", torch.float32, torch.float32),
        ("bf16-mixed", torch.bfloat16, torch.float32),
        ("bf16", torch.bfloat16, torch.bfloat16),
    ],
)
def test_a_precision_says_what_the_body_computes_in_and_what_is_stepped(
    precision: str, computed: torch.dtype, stepped: torch.dtype
) -> None:
    built = model()
    weights = Weights(built, precision)
    for name, parameter in built.named_parameters():
        in_body = name.startswith(BODY)
        assert parameter.dtype is (computed if in_body else torch.float32), name
        assert weights.stepped[name].dtype is (stepped if in_body else torch.float32), name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_accumulation_gives_the_gradients_of_the_full_batch(precision: str) -> None:
    index_B = torch.arange(48)
    found = []
    for micro_batch in (48, 7):
        built = model()
        weights = Weights(built, precision)
        accumulate_gradients(built, weights, FEED, index_B, micro_batch, BCE)
        found.append({name: p.grad.float() for name, p in weights.stepped.items() if p.grad is not None})
    assert found[0].keys() == found[1].keys() == dict(model().named_parameters()).keys()
    # Seven micro-batches summed in bf16 would be off by more than a bf16 product is.
    tolerance = 1e-6 if precision == "fp32" else 4e-2
    for name, full in found[0].items():
        assert (full - found[1][name]).norm() <= tolerance * max(full.norm().item(), 1e-3), name


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_best_weights_come_back_from_memory_and_from_disk(precision: str, on_disk: bool, tmp_path: Path) -> None:
    trainer = Trainer(job(recipe=recipe(precision=precision), settings=settings(dropout=0.0)), BCE)
    before = predict_logits(trainer.model, FEED)
    best = BestWeights(trainer.weights, tmp_path / "scratch" if on_disk else None)
    best.keep(1)
    for _ in range(2):
        trainer.step(FEED, torch.arange(32), 1e-2)
        assert not torch.equal(predict_logits(trainer.model, FEED), before)
        best.restore()
        assert torch.equal(predict_logits(trainer.model, FEED), before)
    assert on_disk == bool(list(tmp_path.rglob("*.safetensors")))
    best.discard()
    assert not list(tmp_path.rglob("*.*"))


def test_weights_that_were_never_kept_cannot_be_restored() -> None:
    trainer = Trainer(job(), BCE)
    with pytest.raises(ValueError, match="kept"):
        BestWeights(trainer.weights, None).restore()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_saved_weights_give_the_logits_that_were_scored(precision: str) -> None:
    fitted = fit(job(recipe=recipe(precision=precision)), DATA, DATA, lambda _record: True)
    loaded = model()
    loaded.load_state_dict(fitted.weights.to_save)
    if precision != "fp32":
        lower(loaded)
    assert torch.equal(predict_logits(loaded, FEED), predict_logits(fitted.model, FEED))


def test_masters_take_steps_that_bf16_weights_would_lose() -> None:
    """A step of 1e-5 on weights of about 0.1 is far below their bf16 spacing of 5e-4, and a thousand are not."""
    trainer = Trainer(job(recipe=recipe(precision="bf16-mixed"), settings=settings(dropout=0.0, weight_decay=0.0)), BCE)
    first = trainer.weights.to_save["blocks.0.expand.weight"].clone()
    trainer.step(FEED, torch.arange(32), 1e-5)
    moved = (trainer.weights.to_save["blocks.0.expand.weight"] - first).abs()
    assert 0 < moved.max() < 1e-4


def test_every_parameter_must_get_a_gradient() -> None:
    weights = Weights(model(), "bf16-mixed")
    with pytest.raises(ValueError, match="got no gradient"):
        weights.add_gradients(more_follow=False)


def rounding_steps(value: float, steps: int, *, learning_rate: float) -> Tensor:
    parameter = torch.full((4096,), value, dtype=torch.bfloat16)
    optimizer = RoundingAdamW([{"params": [parameter]}], learning_rate=learning_rate, seed=3)
    for _ in range(steps):
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    return parameter


def test_stochastic_rounding_keeps_small_steps_on_average() -> None:
    """AdamW's step on a constant gradient is the learning rate; 100 of 1e-5 are a fifth of the spacing at 1."""
    moved = rounding_steps(1.0, 100, learning_rate=1e-5)
    assert moved.float().mean().item() == pytest.approx(1.0 - 100 * 1e-5, abs=2e-4)
    nearest = torch.full((), 1.0, dtype=torch.bfloat16) - 1e-5
    assert nearest == 1.0, "rounding to nearest must lose the step for this test to mean anything"
    assert torch.equal(moved, rounding_steps(1.0, 100, learning_rate=1e-5)), "the same seed rounds the same way"


def test_rounding_adamw_is_adamw_for_fp32_weights() -> None:
    fp32 = dataclasses.replace(recipe(), precision="fp32")
    states = []
    for lowered in (False, True):
        built = model()
        parameters = dict(built.named_parameters())
        chosen = recipe(precision="bf16") if lowered else fp32
        optimizer = build_optimizer(parameters, chosen, settings(weight_decay=0.1), seed=0)
        weights = Weights(built, "fp32")
        for _ in range(5):
            accumulate_gradients(built, weights, FEED, torch.arange(64), 64, BCE)
            optimizer.step()
            optimizer.zero_grad()
        states.append(built.state_dict())
    for name, value in states[0].items():
        # The key's bias cancels in a softmax: its gradient is rounding, which AdamW scales up to whole steps.
        if not name.endswith("project_in.bias"):
            torch.testing.assert_close(value, states[1][name], atol=2e-6, rtol=1e-4)
