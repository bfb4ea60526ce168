"""Training of one model: the recipe that a study fixes and the settings that a search draws. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.plans import Recipe
from tsladder.params import OptimizerSettings, PresetParams, TrainingParams
from tsladder.tasks import load_any
from tsladder.vocabulary import parse_budget

BF16_FROM = 2_000_000
"""Smallest budget that computes in bf16-mixed under `precision: auto`. From there on it pays where the processor
multiplies bf16 fast; below, a ladder that a laptop can climb stays in fp32 throughout."""

LEAN_FROM = 1_000_000_000
"""Smallest budget that keeps, under `auto`, no fp32 masters and no moments: AdamW on fp32 masters takes 24 bytes a
parameter, 48 GB at 2B, where bf16 weights stepped by the lean optimizer take 2."""


def precision_of_rung(budget: str, optimizer: str = "auto") -> str:
    """Return the precision that `training.precision: auto` means for a rung and `training.optimizer`. It never depends
    on the machine. AdaBelief steps fp32 masters at every size."""
    size = parse_budget(budget)
    if size >= LEAN_FROM and optimizer != "adabelief":
        return "bf16"
    return "bf16-mixed" if size >= BF16_FROM else "fp32"


def optimizer_of_rung(budget: str) -> str:
    """Return the optimizer that `training.optimizer: auto` means for a rung."""
    return "lean" if parse_budget(budget) >= LEAN_FROM else "adamw"


def requested_loss(training: TrainingParams, task: str) -> str:
    """Return the loss that a study of `task` trains on; `auto` is the first of the task's losses."""
    return load_any(task).losses[0] if training.loss == "auto" else training.loss


def recipe_of(training: TrainingParams, preset: PresetParams, budget: str, task: str) -> Recipe:
    """Return the recipe that `training` and the chosen preset give for the rung `budget` and the target's `task`."""
    return Recipe(
        effective_batch=training.effective_batch,
        precision=precision_of_rung(budget, training.optimizer) if training.precision == "auto" else training.precision,
        optimizer=optimizer_of_rung(budget) if training.optimizer == "auto" else training.optimizer,
        schedule=training.schedule,
        max_gradient_norm=training.max_gradient_norm,
        patience=preset.patience if training.patience == "preset" else training.patience,
        min_delta=preset.min_delta if training.min_delta == "preset" else training.min_delta,
        loss=requested_loss(training, task),
        monitor=training.monitor,
        optimizer_settings=None if training.optimizer_settings == OptimizerSettings() else training.optimizer_settings,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Training settings that a search draws for one trial, beside its architecture."""

    learning_rate: float
    weight_decay: float
    dropout: float
    warmup_steps: int
    epochs: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Settings:
        """Read the settings from a record, which may hold other values as well."""
        return cls(**{field.name: record[field.name] for field in dataclasses.fields(cls)})

    def to_record(self) -> dict[str, float | int]:
        return dataclasses.asdict(self)
