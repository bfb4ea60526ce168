"""Training one model on one device: warm-up, accumulation, early stopping, best weights restored.

The reported validation loss is that of the restored best weights, scored once more after restoring. Models
return logits; the loss is binary cross-entropy on logits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tsladder.evaluation.metrics import score_classifier
from tsladder.market.windows import Windows
from tsladder.models.build import build, count_params
from tsladder.patience import Patience
from tsladder.patience import step as step_patience
from tsladder.planning.memory import BatchPlan
from tsladder.training.feed import Feed
from tsladder.training.optim import build_optimizer, learning_rate_factor, set_learning_rate
from tsladder.training.outcome import EpochRecord, Job
from tsladder.vocabulary import StopReason

DIVERGENCE_LOSS = 10.0 * math.log(2.0)
"""A mean training loss above ten coin tosses is divergence, as is any loss that is not finite."""

SCORING_BATCH = 512

Report = Callable[[EpochRecord], bool]
"""Called after every epoch; False asks to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A trained model with the best epoch's weights in place, and how it got there."""

    model: nn.Module
    stop_reason: StopReason
    best_val_loss: float | None
    best_epoch: int | None
    val_auc: float | None
    n_params: int
    curve: tuple[EpochRecord, ...]


def fit(job: Job, train: Windows, validation: Windows, report: Report) -> Fitted:
    """Train `job.spec` on `train`, choosing the epoch by the loss on `validation`.

    Two runs of the same job on the same machine and thread count end with the same weights, bit for bit.
    Raises ValueError when the built model does not have the parameters that its spec counts.
    """
    device = torch.device(job.device)
    torch.manual_seed(job.seed)
    model = build(
        job.spec, dropout=job.settings.dropout, activation_checkpointing=job.plan.activation_checkpointing
    ).to(device)
    n_params = count_params(model)
    if n_params != job.spec.n_params:
        raise ValueError(f"{job.spec} should have {job.spec.n_params} parameters by its formula and has {n_params}")
    train_feed, validation_feed = Feed(train, device), Feed(validation, device)
    optimizer = build_optimizer(model, job.recipe, job.settings)
    order = torch.Generator().manual_seed(job.seed)
    steps_per_epoch = -(-len(train_feed) // job.plan.effective_batch)
    total_steps = steps_per_epoch * job.settings.epochs

    patience = Patience(limit=job.recipe.patience, min_delta=job.recipe.min_delta)
    best_state: dict[str, Tensor] | None = None
    curve: list[EpochRecord] = []
    stop_reason = StopReason.COMPLETED
    for epoch in range(1, job.settings.epochs + 1):
        started = time.perf_counter()
        shuffled = torch.randperm(len(train_feed), generator=order).to(device)
        loss_sum = torch.zeros((), device=device)
        for number, index_B in enumerate(shuffled.split(job.plan.effective_batch)):
            factor = learning_rate_factor(
                (epoch - 1) * steps_per_epoch + number,
                total_steps=total_steps,
                warmup_steps=job.settings.warmup_steps,
                schedule=job.recipe.schedule,
            )
            set_learning_rate(optimizer, job.settings.learning_rate * factor)
            loss_sum += accumulate_gradients(model, train_feed, index_B, job.plan)
            if job.recipe.max_gradient_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), job.recipe.max_gradient_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        train_loss = loss_sum.item() / len(train_feed)
        val_loss = _mean_loss(predict_logits(model, validation_feed, job.plan.precision), validation_feed.y_N)
        if not math.isfinite(train_loss) or not math.isfinite(val_loss) or train_loss > DIVERGENCE_LOSS:
            stop_reason = StopReason.DIVERGED
            break
        record = EpochRecord(
            epoch=epoch, train_loss=train_loss, val_loss=val_loss, seconds=time.perf_counter() - started
        )
        curve.append(record)
        patience = step_patience(patience, val_loss, epoch)
        if patience.best_step == epoch:
            best_state = {name: value.detach().clone() for name, value in model.state_dict().items()}
        if not report(record):
            stop_reason = StopReason.INTERRUPTED
            break
        if patience.exhausted:
            stop_reason = StopReason.EARLY_STOPPING
            break
    if best_state is None or stop_reason is StopReason.DIVERGED:
        return Fitted(
            model=model,
            stop_reason=stop_reason,
            best_val_loss=None,
            best_epoch=None,
            val_auc=None,
            n_params=n_params,
            curve=tuple(curve),
        )
    model.load_state_dict(best_state)
    logits_N = predict_logits(model, validation_feed, job.plan.precision)
    scores = score_classifier(_as_float64(validation_feed.y_N), _as_float64(torch.sigmoid(logits_N.double())))
    return Fitted(
        model=model,
        stop_reason=stop_reason,
        best_val_loss=_mean_loss(logits_N, validation_feed.y_N),
        best_epoch=patience.best_step,
        val_auc=scores.auc,
        n_params=n_params,
        curve=tuple(curve),
    )


def accumulate_gradients(model: nn.Module, feed: Feed, index_B: Tensor, plan: BatchPlan) -> Tensor:
    """Add to the gradients those of the MEAN loss over `index_B`, micro-batch by micro-batch; return the SUM of losses.

    Every micro-batch is weighted by its own size over the whole, so that a partial last one counts exactly.
    """
    model.train()
    total = torch.zeros((), device=index_B.device)
    for part_B in index_B.split(plan.micro_batch):
        x_BTC, y_B = feed.batch(part_B)
        with _autocast(plan.precision, index_B.device):
            logits_B = model(x_BTC)
        loss = functional.binary_cross_entropy_with_logits(logits_B.float(), y_B, reduction="sum")
        (loss / len(index_B)).backward()
        total += loss.detach()
    return total


@torch.no_grad()
def predict_logits(model: nn.Module, feed: Feed, precision: str) -> Tensor:
    """logits_N in float32, in the order of the windows, dropout off."""
    model.eval()
    return torch.cat(list(_logits(model, feed, precision)))


def _logits(model: nn.Module, feed: Feed, precision: str) -> Iterator[Tensor]:
    device = feed.y_N.device
    for index_B in torch.arange(len(feed), device=device).split(SCORING_BATCH):
        x_BTC, _ = feed.batch(index_B)
        with _autocast(precision, device):
            logits_B = model(x_BTC)
        yield logits_B.float()


def _autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    if precision == "bf16-mixed":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def _mean_loss(logits_N: Tensor, y_N: Tensor) -> float:
    return functional.binary_cross_entropy_with_logits(logits_N.double(), y_N.double()).item()


def _as_float64(values: Tensor) -> NDArray[np.float64]:
    return values.detach().cpu().double().numpy()
