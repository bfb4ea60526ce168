"""Micro-batches give the gradient of the whole batch, also for a loss over pairs, and drop the same units twice."""

from __future__ import annotations

import pytest
import torch
from tests.building import batch_plan, build_loss, job, recipe, settings, spec, windows
from torch import Tensor

from tsladder.models.build import Model, build
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import LossSums, accumulate_gradients
from tsladder.training.trainer import Trainer
from tsladder.training.weights import Weights

DATA = windows(64, seed=1)
FEED = WindowFeed(DATA, torch.device("cpu"))
LOSSES = ("bce", "focal", "weighted_bce", "soft_auc", "label_smoothing", "huber")
WHOLE = 31


def exact_feed() -> WindowFeed:
    feed = WindowFeed(DATA, torch.device("cpu"))
    feed.series_TF, feed.y_N = feed.series_TF.double(), feed.y_N.double()
    feed.scale_NF, feed.shift_NF = feed.scale_NF.double(), feed.shift_NF.double()
    return feed


def gradients(model: Model) -> list[Tensor]:
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


def accumulated(model: Model, name: str, micro_batch: int, feed: WindowFeed) -> tuple[list[Tensor], LossSums]:
    model.zero_grad()
    loss = build_loss(name, DATA.y_N)
    sums = accumulate_gradients(model, Weights(model, "fp32"), feed, torch.arange(WHOLE), micro_batch, loss)
    return gradients(model), sums


@pytest.mark.parametrize("micro_batch", [1, 7, 16])
@pytest.mark.parametrize("name", LOSSES)
def test_micro_batches_give_the_gradient_of_the_whole_batch_for_every_loss(name: str, micro_batch: int) -> None:
    torch.manual_seed(0)
    model, feed = build(spec(), dropout=0.0).double(), exact_feed()
    (whole, at_once), (parts, in_parts) = (accumulated(model, name, size, feed) for size in (WHOLE, micro_batch))
    assert len(whole) == len(list(model.parameters()))
    for full, part in zip(whole, parts, strict=True):
        torch.testing.assert_close(full, part, atol=1e-12, rtol=0)
    torch.testing.assert_close(at_once.trained, in_parts.trained, atol=1e-4, rtol=0)
    torch.testing.assert_close(at_once.reported, in_parts.reported, atol=1e-4, rtol=0)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_loss_over_pairs_meets_the_same_dropout_masks_in_both_of_its_passes(checkpointing: bool) -> None:
    """The oracle keeps the graph of all micro-batches and differentiates the loss once."""
    torch.manual_seed(0)
    model, feed = build(spec(), dropout=0.4, activation_checkpointing=checkpointing).double(), exact_feed()
    loss, index_B = build_loss("soft_auc", DATA.y_N), torch.arange(WHOLE)

    torch.manual_seed(5)
    model.train()
    out_B = torch.cat([model(feed.batch(part)[0]) for part in index_B.split(7)])
    (loss.total(out_B, feed.y_N[index_B]) / WHOLE).backward()
    expected, drawn_next = gradients(model), torch.rand(3)

    torch.manual_seed(5)
    found, _ = accumulated(model, "soft_auc", 7, feed)
    assert torch.equal(torch.rand(3), drawn_next), "what is drawn afterwards must not depend on the loss"
    for one_graph, two_passes in zip(expected, found, strict=True):
        torch.testing.assert_close(one_graph, two_passes, atol=1e-12, rtol=0)


def test_a_loss_over_pairs_keeps_one_graph_alive_at_a_time() -> None:
    model, alive, most = build(spec(), dropout=0.0), 0, 0

    def release(_gradient: Tensor) -> None:
        nonlocal alive
        alive -= 1

    def count(_module: object, _inputs: object, output: Tensor) -> None:
        nonlocal alive, most
        if output.requires_grad:
            alive += 1
            most = max(most, alive)
            output.register_hook(release)

    model.register_forward_hook(count)
    accumulated(model, "soft_auc", 7, FEED)
    assert (alive, most) == (0, 1)


@pytest.mark.parametrize("precision", ["fp32", "bf16-mixed", "bf16"])
def test_every_micro_batch_of_either_pass_gives_a_beat(precision: str) -> None:
    model, beats = build(spec(), dropout=0.1), []
    accumulate_gradients(
        model,
        Weights(model, precision),
        FEED,
        torch.arange(WHOLE),
        16,
        build_loss("soft_auc", DATA.y_N),
        lambda: beats.append(1),
    )
    assert len(beats) == 4


def test_the_lean_optimizer_takes_the_same_step_inside_the_backward_pass_and_after_micro_batches() -> None:
    kept = []
    for micro_batch in (32, 8):
        plan = batch_plan(micro_batch, optimizer="lean")
        lean = job(recipe=recipe(optimizer="lean", loss="soft_auc"), plan=plan, settings=settings(dropout=0.0))
        trainer = Trainer(lean, build_loss("soft_auc", DATA.y_N))
        assert trainer.steps_inside_backward == (micro_batch == 32)
        before = {name: value.clone() for name, value in trainer.weights.to_save.items()}
        trainer.step(FEED, torch.arange(32), 1e-3)
        kept.append({name: value - before[name] for name, value in trainer.weights.to_save.items()})
    for name, inside in kept[0].items():
        # A key's bias cancels and the other two shift all logits: rounding alone, which this optimizer scales up.
        if not name.endswith("project_in.bias") and name not in ("norm.bias", "head.bias"):
            torch.testing.assert_close(inside, kept[1][name], atol=2e-6, rtol=2e-3, msg=name)


def test_the_sum_reported_is_the_log_loss_and_the_sum_trained_the_loss_asked_for() -> None:
    torch.manual_seed(0)
    model, feed = build(spec(), dropout=0.0).double(), exact_feed()
    _, plain = accumulated(model, "bce", 7, feed)
    assert plain.trained is plain.reported or torch.equal(plain.trained, plain.reported)
    for name in ("focal", "weighted_bce", "soft_auc", "label_smoothing"):
        _, sums = accumulated(model, name, 7, feed)
        torch.testing.assert_close(sums.reported, plain.reported, atol=1e-4, rtol=0)
        assert abs(sums.trained.item() - plain.trained.item()) > 1e-3, name
