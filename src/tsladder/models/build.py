"""Construction of a torch module from a ModelSpec, for all families; the family is loaded by its name alone."""

from __future__ import annotations

import torch
from torch import nn

from tsladder.families import load
from tsladder.families.parts.model import Model
from tsladder.models.spec import ModelSpec

__all__ = ["Model", "build", "count_params", "lower"]


def build(spec: ModelSpec, *, dropout: float, activation_checkpointing: bool = False, lowered: bool = False) -> Model:
    """Build a freshly initialised model of `spec`: windows x_BTC -> logits_B. Raises BadInput for an unknown family.

    `lowered`: its body holds bf16 from the start, block by block, so that it never exists in fp32 as a whole; its
    values are those of `lower` applied afterwards.
    """
    return load(spec.geometry.family).build(
        spec, dropout=dropout, activation_checkpointing=activation_checkpointing, lowered=lowered
    )


def lower(model: Model) -> None:
    """Let the body of `model` hold its weights and compute in bf16; the rest stays in fp32."""
    for part in model.body():
        part.to(torch.bfloat16)


def count_params(model: nn.Module) -> int:
    """Count the trained parameters of `model`."""
    return sum(parameter.numel() for parameter in model.parameters())
