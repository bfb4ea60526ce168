"""Small model of the study's family, trained in this process by the study's own trainer, on one thread."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.plans import Recipe
from tsladder.data.windows import Windows, WindowSet
from tsladder.models.spec import ModelSpec
from tsladder.planning.memory import candidate_plans
from tsladder.planning.recipe import Settings
from tsladder.tasks import load as load_task

if TYPE_CHECKING:
    from tsladder.models.build import Model

STEPS = 160
"""Optimizer steps after which the small model has learned a plain rule for every window (this takes about 130) with at
most FEATURES features; in proportion for more: one column among 205 takes about 480."""

FEATURES = 60

MOST_EPOCHS = 4
LEAST_VIEWS = 1280
"""Least number of windows shown per epoch. Where training has fewer, an epoch shows each window several times, and
STEPS_OF_FEW steps are taken: with 225 windows shown once per epoch, in batches of 6, the model missed a column that it
finds with six passes, in batches of 17 (docs/decisions.md). More epochs instead would give validation more epochs to
choose from."""

STEPS_OF_FEW = 320
_LARGEST_BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallModel:
    """Model and recipe to train. `recipe` is the study's except for patience: every epoch is run, and the batch size
    follows the number of windows."""

    spec: ModelSpec
    recipe: Recipe
    task: str
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SmallModelResult:
    """Outputs of a trained model: a hash of all its weights, its loss and its forecasts p_N on validation.

    The last two are None where training ended without a usable loss; `ended` is the stop reason.
    """

    weights: str
    validation_loss: float | None
    p_N: NDArray[np.float64] | None
    ended: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingSchedule:
    """Training schedule: how often an epoch shows each window, the batch size, and the number of epochs."""

    passes: int
    batch: int
    epochs: int


def steps_to_learn(n_features: int) -> int:
    """Return the number of optimizer steps in which the small model finds one column among `n_features`."""
    return max(STEPS, STEPS * n_features // FEATURES)


def training_schedule(n_windows: int, n_features: int, effective_batch: int) -> TrainingSchedule:
    """Return the schedule of a training on `n_windows` that makes `steps_to_learn` in at most MOST_EPOCHS epochs, with
    at most `effective_batch` windows per step."""
    passes = max(1, -(-LEAST_VIEWS // n_windows))
    steps = steps_to_learn(n_features)
    if passes > 1:
        steps = max(steps, STEPS_OF_FEW)
    views = n_windows * passes
    batch = min(effective_batch, _LARGEST_BATCH, -(-views // (steps // MOST_EPOCHS)))
    return TrainingSchedule(passes=passes, batch=batch, epochs=min(MOST_EPOCHS, -(-steps // -(-views // batch))))


def train_small(model: SmallModel, windows: WindowSet, epochs: int | None = None) -> SmallModelResult:
    """Train on the training windows; validation chooses the epoch, as in the study.

    With `epochs` None there are as many epochs as make `steps_to_learn`, at most `MOST_EPOCHS`. The learning rate is
    high and fixed: the question is only whether anything can be learned at all, within seconds.
    """
    from tsladder.training.outcome import Job
    from tsladder.training.trainer import fit

    schedule = training_schedule(len(windows.train), model.spec.geometry.n_features, model.recipe.effective_batch)
    train = _repeated(windows.train, schedule.passes)
    steps_per_epoch = -(-len(train) // schedule.batch)
    epochs = schedule.epochs if epochs is None else epochs
    plans = candidate_plans(
        effective_batch=schedule.batch,
        precision=model.recipe.precision,
        optimizer=model.recipe.optimizer,
        stocks=model.spec.stocks,
    )
    job = Job(
        spec=model.spec,
        settings=Settings(
            learning_rate=5e-3,
            weight_decay=1e-4,
            dropout=0.1,
            warmup_steps=max(1, epochs * steps_per_epoch // 10),
            epochs=epochs,
        ),
        recipe=dataclasses.replace(model.recipe, effective_batch=schedule.batch, patience=None, min_delta=0.0),
        task=model.task,
        seed=model.seed,
        plan=next(plans),
        device="cpu",
        threads=1,
    )
    with _one_thread():
        fitted = fit(job, train, windows.validation, lambda _record: True)
        scored = fitted.best_val_loss is not None
        return SmallModelResult(
            weights=_weights_digest(fitted.model),
            validation_loss=fitted.best_val_loss,
            p_N=_forecasts(fitted.model, windows, model.task) if scored else None,
            ended=str(fitted.stop_reason),
        )


def _repeated(windows: Windows, passes: int) -> Windows:
    """Return each window `passes` times; the series that they are cut from is shared."""
    if passes == 1:
        return windows
    return dataclasses.replace(
        windows,
        ends_N=np.concatenate([windows.ends_N] * passes),
        scale_NF=np.concatenate([windows.scale_NF] * passes),
        shift_NF=np.concatenate([windows.shift_NF] * passes),
        y_N=np.concatenate([windows.y_N] * passes),
        dates_N=np.concatenate([windows.dates_N] * passes),
    )


def _forecasts(model: Model, windows: WindowSet, task: str) -> NDArray[np.float64]:
    """Return the model's forecasts on validation: its outputs, converted to what they stand for under `task`."""
    import torch

    from tsladder.training.feed import WindowFeed
    from tsladder.training.trainer import predict_logits
    from tsladder.training.validation_metrics import forecast_of

    out_N = predict_logits(model, WindowFeed(windows.validation, torch.device("cpu")))
    return forecast_of(out_N, load_task(task).output_scale(windows.train.y_N))


def _weights_digest(model: Model) -> str:
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Run the block on one PyTorch thread: the order of summation depends on the number of threads, and one thread
    gives the same record everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
