"""A small model of the study's family, trained in this process by the study's own trainer, on one thread."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.regression_metrics import scale_of
from tsladder.market.windows import WindowSet
from tsladder.models.spec import ModelSpec
from tsladder.planning.memory import candidate_plans
from tsladder.planning.recipe import Recipe, Settings

if TYPE_CHECKING:
    from tsladder.models.build import Model

STEPS = 160
"""Optimizer steps after which the small model has learned a plain rule to the last window (it takes about 130) while it
is shown at most FEATURES features; for more, in proportion: one column among 205 takes about 480."""

FEATURES = 60

MOST_EPOCHS = 4
_LARGEST_BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallModel:
    """What is trained. `recipe` is the study's but for patience: every epoch is run, and batches are cut to size."""

    spec: ModelSpec
    recipe: Recipe
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Learned:
    """A trained model from outside: a hash of all its weights, its loss and its forecasts p_N on validation.

    The last two are None where training ended without a usable loss; `ended` says how.
    """

    weights: str
    validation_loss: float | None
    p_N: NDArray[np.float64] | None
    ended: str


def steps_to_learn(n_features: int) -> int:
    """Optimizer steps in which the small model finds one column among `n_features`."""
    return max(STEPS, STEPS * n_features // FEATURES)


def train_small(model: SmallModel, windows: WindowSet, epochs: int | None = None) -> Learned:
    """Train on the training windows; validation chooses the epoch, as in the study.

    `epochs` None: as many as make `steps_to_learn`, at most `MOST_EPOCHS`. The learning rate is high and fixed: what is
    asked is whether anything can be learned at all, in seconds.
    """
    from tsladder.training.outcome import Job
    from tsladder.training.trainer import fit

    steps = steps_to_learn(model.spec.geometry.n_features)
    batch = min(model.recipe.effective_batch, _LARGEST_BATCH, -(-len(windows.train) // (steps // MOST_EPOCHS)))
    steps_per_epoch = -(-len(windows.train) // batch)
    epochs = min(MOST_EPOCHS, -(-steps // steps_per_epoch)) if epochs is None else epochs
    plans = candidate_plans(effective_batch=batch, precision=model.recipe.precision, optimizer=model.recipe.optimizer)
    job = Job(
        spec=model.spec,
        settings=Settings(
            learning_rate=5e-3,
            weight_decay=1e-4,
            dropout=0.1,
            warmup_steps=max(1, epochs * steps_per_epoch // 10),
            epochs=epochs,
        ),
        recipe=dataclasses.replace(model.recipe, effective_batch=batch, patience=None, min_delta=0.0),
        seed=model.seed,
        plan=next(plans),
        device="cpu",
        threads=1,
    )
    with _one_thread():
        fitted = fit(job, windows.train, windows.validation, lambda _record: True)
        scored = fitted.best_val_loss is not None
        return Learned(
            weights=_weights_digest(fitted.model),
            validation_loss=fitted.best_val_loss,
            p_N=_forecasts(fitted.model, windows, model.recipe.loss) if scored else None,
            ended=str(fitted.stop_reason),
        )


def _forecasts(model: Model, windows: WindowSet, loss: str) -> NDArray[np.float64]:
    """Probabilities, or the returns of a model that was trained on them."""
    import torch

    from tsladder.training.feed import Feed
    from tsladder.training.judgement import forecast_of
    from tsladder.training.trainer import predict_logits

    out_N = predict_logits(model, Feed(windows.validation, torch.device("cpu")))
    return forecast_of(out_N, scale_of(windows.train.y_N) if loss == "huber" else None)


def _weights_digest(model: Model) -> str:
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are added up in an order that depends on the number of threads: one gives the same record everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
