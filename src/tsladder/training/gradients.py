"""Gradient of one optimizer step, accumulated over micro-batches: exactly that of the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tsladder.models.build import Model
from tsladder.tasks.parts.losses import Loss
from tsladder.training.feed import Batches
from tsladder.training.weights import Weights

Beat = Callable[[], None]
"""Heartbeat callback, called while a training is alive: after every micro-batch and in every block of the model."""


def no_heartbeat() -> None:
    """Ignore the heartbeat of a run that nobody watches."""


def beat_in_blocks(model: Model, beat: Beat) -> None:
    """Call `beat` after every forward or backward pass of a block of `model`: one micro-batch of a large model can take
    minutes."""
    if beat is no_heartbeat:
        return
    for part in model.body():
        for block in part if isinstance(part, nn.ModuleList) else (part,):
            block.register_forward_hook(lambda *_: beat())
            first = next(block.parameters(), None)
            if first is not None:
                first.register_post_accumulate_grad_hook(lambda _: beat())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LossSums:
    """Sums over samples, on the device: of the loss that is `trained` on and of the loss that is `reported`."""

    trained: Tensor
    reported: Tensor

    @classmethod
    def zero(cls, device: torch.device) -> LossSums:
        return cls(trained=torch.zeros((), device=device), reported=torch.zeros((), device=device))

    def plus(self, other: LossSums) -> LossSums:
        return LossSums(trained=self.trained + other.trained, reported=self.reported + other.reported)


def accumulate_gradients(
    model: Model,
    weights: Weights,
    feed: Batches,
    index_B: Tensor,
    micro_batch: int,
    loss: Loss,
    beat: Beat = no_heartbeat,
) -> LossSums:
    """Accumulate the gradients of the MEAN loss over `index_B`, micro-batch by micro-batch; return the SUMS of the
    losses.

    Every micro-batch is weighted by its own size over the whole, so that a partial last one counts exactly. For a loss
    that is no sum over windows, all outputs are computed first, and each micro-batch gets its share of the gradient:
    one forward pass more, and no more memory.
    """
    model.train()
    parts = index_B.split(micro_batch)
    if not loss.additive and len(parts) > 1:
        return _accumulate_joint_loss(model, weights, feed, parts, loss, beat)
    sums = LossSums.zero(index_B.device)
    for number, part_B in enumerate(parts, start=1):
        inputs_B, y_B = feed.batch(part_B)
        out_B = model(inputs_B)
        total = loss.total(out_B, y_B)
        (total / len(index_B)).backward()
        weights.add_gradients(more_follow=number < len(parts))
        sums = sums.plus(_sums(loss, total, out_B, y_B))
        beat()
    return sums


def _accumulate_joint_loss(
    model: Model, weights: Weights, feed: Batches, parts: Sequence[Tensor], loss: Loss, beat: Beat
) -> LossSums:
    outputs = []
    with torch.no_grad(), _restored_random_state(parts[0].device):
        for part_B in parts:
            inputs_B, _ = feed.batch(part_B)
            outputs.append(model(inputs_B))
            beat()
    out_B = torch.cat(outputs).requires_grad_()
    y_B = feed.labels(torch.cat(list(parts)))
    total = loss.total(out_B, y_B)
    (gradient_B,) = torch.autograd.grad(total / len(out_B), out_B)
    shares = gradient_B.split([len(part_B) for part_B in parts])
    for number, (part_B, share_B) in enumerate(zip(parts, shares, strict=True), start=1):
        inputs_B, _ = feed.batch(part_B)
        model(inputs_B).backward(share_B)
        weights.add_gradients(more_follow=number < len(parts))
        beat()
    return _sums(loss, total, out_B, y_B)


def _sums(loss: Loss, total: Tensor, out_B: Tensor, y_B: Any) -> LossSums:
    trained = total.detach()
    if loss.is_reported_loss:
        return LossSums(trained=trained, reported=trained)
    loss_B = loss.reported(out_B.detach(), y_B)
    if len(loss_B) in (0, len(out_B)):
        return LossSums(trained=trained, reported=loss_B.sum())
    # Samples that cannot be judged count as the mean of the others, so that the sum over all has the mean of these.
    return LossSums(trained=trained, reported=loss_B.mean() * len(out_B))


@contextmanager
def _restored_random_state(device: torch.device) -> Iterator[None]:
    """Restore torch's generators afterwards, so that the next pass drops the same units."""
    on_device = None if device.type == "cpu" else torch.get_device_module(device)
    before, before_there = torch.get_rng_state(), None if on_device is None else on_device.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(before)
        if on_device is not None:
            on_device.set_rng_state(before_there)
