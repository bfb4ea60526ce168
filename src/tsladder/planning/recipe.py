"""How one model is trained: the recipe that a study fixes and the settings that a search draws. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.params import PresetParams, TrainingParams
from tsladder.tasks import load as load_task
from tsladder.vocabulary import parse_budget

BF16_FROM = 2_000_000
"""Budgets from here on compute in bf16-mixed under `precision: auto`: where the processor multiplies bf16 fast, it pays
there; below, a ladder that a laptop climbs stays in fp32 throughout."""

LEAN_FROM = 1_000_000_000
"""Budgets from here on keep, under `auto`, no fp32 masters and no moments: AdamW on fp32 masters takes 24 bytes a
parameter, 48 GB at 2B, where bf16 weights stepped by the lean optimizer take 2."""


def precision_of_rung(budget: str) -> str:
    """The rule of `training.precision: auto`. It sees the rung and never the machine."""
    size = parse_budget(budget)
    if size >= LEAN_FROM:
        return "bf16"
    return "bf16-mixed" if size >= BF16_FROM else "fp32"


def optimizer_of_rung(budget: str) -> str:
    """The rule of `training.optimizer: auto`."""
    return "lean" if parse_budget(budget) >= LEAN_FROM else "adamw"


def loss_asked(training: TrainingParams, task: str) -> str:
    """What a study of `task` trains on."""
    return load_task(task).losses[0] if training.loss == "auto" else training.loss


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The part of training that is the same for every trial of a study. `patience` None: no early stopping.

    `loss` is what is trained on; `monitor`, val_loss or val_auc, is what stops a run early and chooses its best epoch.
    """

    effective_batch: int
    precision: str
    optimizer: str
    schedule: str
    max_gradient_norm: float | None
    patience: int | None
    min_delta: float
    loss: str
    monitor: str

    @classmethod
    def from_params(cls, training: TrainingParams, preset: PresetParams, budget: str, task: str) -> Recipe:
        """What `training` and the chosen preset say for the rung `budget` and the target's `task`."""
        return cls(
            effective_batch=training.effective_batch,
            precision=precision_of_rung(budget) if training.precision == "auto" else training.precision,
            optimizer=optimizer_of_rung(budget) if training.optimizer == "auto" else training.optimizer,
            schedule=training.schedule,
            max_gradient_norm=training.max_gradient_norm,
            patience=preset.patience if training.patience == "preset" else training.patience,
            min_delta=preset.min_delta if training.min_delta == "preset" else training.min_delta,
            loss=loss_asked(training, task),
            monitor=training.monitor,
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Recipe:
        return cls(**record)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a search draws for one trial beside its architecture."""

    learning_rate: float
    weight_decay: float
    dropout: float
    warmup_steps: int
    epochs: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Settings:
        """From a record that holds them, maybe beside other values."""
        return cls(**{field.name: record[field.name] for field in dataclasses.fields(cls)})

    def to_record(self) -> dict[str, float | int]:
        return dataclasses.asdict(self)
