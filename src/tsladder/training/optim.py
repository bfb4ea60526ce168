"""Optimizer and learning-rate schedule of a run."""

from __future__ import annotations

import math

import torch
from torch import nn

from tsladder.planning.recipe import Recipe, Settings

BETAS = (0.9, 0.999)
EPSILON = 1e-8


def build_optimizer(model: nn.Module, recipe: Recipe, settings: Settings) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019); weight decay on matrices only, not on biases, norms or positions."""
    if recipe.optimizer != "adamw":
        raise ValueError(f"unknown optimizer {recipe.optimizer!r}")
    decayed = [p for name, p in model.named_parameters() if _is_matrix(name, p)]
    plain = [p for name, p in model.named_parameters() if not _is_matrix(name, p)]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=BETAS, eps=EPSILON, fused=True)


def _is_matrix(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and name != "position"


def learning_rate_factor(step: int, *, total_steps: int, warmup_steps: int, schedule: str) -> float:
    """Factor on the peak learning rate for optimizer step `step` (0-based).

    Linear warm-up over `warmup_steps`, then a half cosine to zero at `total_steps`, or constant.
    A warm-up longer than the run never reaches the peak, as it would in the earlier study.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "constant":
        return 1.0
    remaining = max(1, total_steps - warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * (step - warmup_steps) / remaining))


def set_learning_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = value
