"""Small objects that several test rooms build on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.plans import Recipe
from tsladder.data.windows import Windows
from tsladder.execution.crew import Slot
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.planning.machine import Machine
from tsladder.planning.recipe import Settings
from tsladder.tasks import load
from tsladder.tasks.parts.losses import Loss
from tsladder.training.outcome import Job

FEATURES = 3


def geometry(context_length: int = 24, patch_len: int = 8, stride: int = 4, **changes: object) -> Geometry:
    values: dict[str, object] = {
        "family": "patchtst",
        "context_length": context_length,
        "n_features": FEATURES,
        "patch_len": patch_len,
        "stride": stride,
        "revin": False,
    }
    return Geometry(**(values | changes))  # type: ignore[arg-type]


def spec(**changes: object) -> ModelSpec:
    values: dict[str, object] = {"geometry": geometry(), "d_model": 8, "n_layers": 1, "n_heads": 2, "d_ff": 16}
    return ModelSpec(**(values | changes))  # type: ignore[arg-type]


def recipe(**changes: object) -> Recipe:
    values: dict[str, object] = {
        "effective_batch": 32,
        "precision": "fp32",
        "optimizer": "adamw",
        "schedule": "cosine",
        "max_gradient_norm": 1.0,
        "patience": None,
        "min_delta": 0.0,
        "loss": "bce",
        "monitor": "val_loss",
    }
    return Recipe(**(values | changes))  # type: ignore[arg-type]


def settings(**changes: object) -> Settings:
    values: dict[str, object] = {
        "learning_rate": 3e-3,
        "weight_decay": 1e-3,
        "dropout": 0.1,
        "warmup_steps": 2,
        "epochs": 3,
    }
    return Settings(**(values | changes))  # type: ignore[arg-type]


def batch_plan(micro_batch: int = 32, effective_batch: int = 32, **changes: object) -> BatchPlan:
    values: dict[str, object] = {
        "micro_batch": micro_batch,
        "accumulation_steps": -(-effective_batch // micro_batch),
        "effective_batch": effective_batch,
        "precision": "fp32",
        "optimizer": "adamw",
        "activation_checkpointing": False,
    }
    return BatchPlan(**(values | changes))  # type: ignore[arg-type]


def job(**changes: object) -> Job:
    values: dict[str, object] = {
        "spec": spec(),
        "settings": settings(),
        "recipe": recipe(),
        "task": "direction",
        "seed": 7,
        "plan": batch_plan(),
        "device": "cpu",
        "threads": 1,
    }
    return Job(**(values | changes))  # type: ignore[arg-type]


def slot(memory_gib: float = 4.0) -> Slot:
    return Slot(place="here", machine=Machine(cores=1, memory_gib=memory_gib, device="cpu"), workers=1)


def build_loss(name: str, y_train_N: NDArray[np.floating]) -> Loss:
    """The loss that training.loss calls `name`, of the task that allows it."""
    return load("regression" if name == "huber" else "direction").training_loss(name, y_train_N)


def windows(count: int = 100, *, context_length: int = 24, seed: int = 0, learnable: bool = True) -> Windows:
    """Windows of white noise whose label is the sign of the last day's first feature, or a coin where not learnable."""
    rng = np.random.default_rng(seed)
    days = count + context_length - 1
    series_TF = rng.normal(size=(days, FEATURES)).astype(np.float32)
    ends_N = np.arange(context_length - 1, days, dtype=np.int64)
    y_N = (series_TF[ends_N, 0] > 0) if learnable else rng.random(count) < 0.5
    return Windows(
        series_TF=series_TF,
        ends_N=ends_N,
        scale_NF=np.ones((count, FEATURES), np.float32),
        shift_NF=np.zeros((count, FEATURES), np.float32),
        y_N=y_N.astype(np.float32),
        dates_N=np.datetime64("2000-01-01") + ends_N.astype("timedelta64[D]"),
        context_length=context_length,
    )
