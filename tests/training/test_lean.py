"""The lean optimizer: its update against a plain one, inside and after the backward pass, and what it keeps."""

from __future__ import annotations

import pytest
import torch
from tests.building import batch_plan, build_loss, job, recipe, settings, spec, windows
from torch import Tensor

from tsladder.training.feed import WindowFeed
from tsladder.training.lean import DECAY_EXPONENT, FLOOR, LeanOptimizer
from tsladder.training.trainer import Trainer, fit, predict_logits

DATA = windows(96)
FEED = WindowFeed(DATA, torch.device("cpu"))
BCE = build_loss("bce", DATA.y_N)


def optimizer(parameter: Tensor, *, learning_rate: float = 1e-2, weight_decay: float = 0.1) -> LeanOptimizer:
    groups = [{"params": [parameter], "weight_decay": weight_decay}]
    return LeanOptimizer(groups, learning_rate=learning_rate, seed=1)


def plain_adafactor(value: Tensor, gradients: list[Tensor], learning_rate: float, weight_decay: float) -> Tensor:
    """The paper's algorithm 4 with a learning rate from outside, whole matrices at once, in fp64."""
    value = value.double()
    row, column = torch.zeros(value.shape[0], 1).double(), torch.zeros(1, value.shape[1]).double()
    for step, gradient in enumerate(gradients, start=1):
        decay = 1.0 - step**DECAY_EXPONENT
        squares = gradient.double() ** 2 + FLOOR
        row = decay * row + (1 - decay) * squares.mean(1, keepdim=True)
        column = decay * column + (1 - decay) * squares.mean(0, keepdim=True)
        update = gradient.double() / (row @ column / row.mean()).sqrt()
        update = update / max(1.0, update.pow(2).mean().sqrt().item())
        value = value * (1 - learning_rate * weight_decay) - learning_rate * update
    return value


@pytest.mark.parametrize("shape", [(5, 7), (300, 1000)], ids=["one chunk", "several chunks"])
def test_a_matrix_is_stepped_as_the_paper_says(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    gradients = [torch.randn(shape) * (1 + 10 * (step == 2)) for step in range(4)]
    parameter = start.clone().requires_grad_()
    stepper = optimizer(parameter)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        stepper.begin_step()
        stepper.step()
    expected = plain_adafactor(start, gradients, 1e-2, 0.1)
    assert torch.allclose(parameter.detach().double(), expected, atol=1e-6)


def test_a_vector_keeps_a_moment_a_value() -> None:
    parameter = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    stepper = optimizer(parameter, weight_decay=0.0)
    parameter.grad = torch.tensor([0.5, -4.0, 1e-3])
    stepper.begin_step()
    stepper.step()
    # The first update is the gradient's sign, whatever its size.
    assert torch.allclose(parameter.detach(), torch.tensor([0.99, -1.99, 2.99]), atol=1e-6)


def test_its_state_is_a_row_and_a_column_of_each_matrix() -> None:
    parameter = torch.zeros(200, 300, requires_grad=True)
    stepper = optimizer(parameter)
    parameter.grad = torch.ones(200, 300)
    stepper.begin_step()
    stepper.step()
    assert sum(value.numel() for value in stepper.state[parameter].values()) == 500


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_inside_the_backward_pass_it_steps_as_after_it_and_leaves_no_gradient(precision: str) -> None:
    def logits(micro_batch: int, *, inside: bool) -> Tensor:
        lean = recipe(optimizer="lean", precision=precision, effective_batch=96)
        plan = batch_plan(micro_batch, 96, optimizer="lean", precision=precision)
        trainer = Trainer(job(recipe=lean, plan=plan, settings=settings(dropout=0.0), spec=spec(n_layers=2)), BCE)
        assert trainer.steps_inside_backward == inside
        before = predict_logits(trainer.model, FEED)
        for _ in range(3):
            trainer.step(FEED, torch.arange(96), 1e-2)
            assert all(p.grad is None for p in trainer.model.parameters())
        after = predict_logits(trainer.model, FEED)
        assert (after - before).abs().max() > 0.05
        return after

    # Not the weights: the gradient of a key's bias is rounding alone, and differs.
    difference = (logits(96, inside=True) - logits(32, inside=False)).abs().max()
    assert difference <= (1e-4 if precision == "fp32" else 5e-2)


def test_steps_too_small_for_bf16_are_kept_in_expectation() -> None:
    parameter = torch.full((64, 256), 0.1, dtype=torch.bfloat16).requires_grad_()
    start = parameter.detach().float().mean()
    stepper = optimizer(parameter, learning_rate=1e-5, weight_decay=0.0)
    for _ in range(20):
        parameter.grad = torch.ones_like(parameter)
        stepper.begin_step()
        stepper.step()
    moved = (start - parameter.detach().float().mean()).item()
    assert moved == pytest.approx(20e-5, rel=0.15)


@pytest.mark.parametrize(
    "precision", ["fp32", *(pytest.param(name, marks=pytest.mark.slow) for name in ("bf16-mixed", "bf16"))]
)
def test_it_learns_a_learnable_label_and_repeats_bit_for_bit(precision: str) -> None:
    lean = recipe(optimizer="lean", precision=precision)
    learning = job(recipe=lean, settings=settings(epochs=6, learning_rate=1e-2, dropout=0.0))
    first, second = (fit(learning, windows(400), windows(200, seed=1), lambda _record: True) for _ in range(2))
    assert first.best_val_loss is not None
    assert first.best_val_loss < 0.6
    assert [epoch.val_loss for epoch in first.curve] == [epoch.val_loss for epoch in second.curve]
    assert all(
        torch.equal(a, b) for a, b in zip(first.weights.to_save.values(), second.weights.to_save.values(), strict=True)
    )
