"""The one way from a ModelSpec to a torch module."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from tsladder.models.patchtst import PatchTST
from tsladder.models.spec import ModelSpec

_FAMILIES: dict[str, Callable[[ModelSpec, float, bool], nn.Module]] = {"patchtst": PatchTST}


def build(spec: ModelSpec, *, dropout: float, activation_checkpointing: bool = False) -> nn.Module:
    """A freshly initialised model of `spec`: windows x_BTC -> logits_B. Raises KeyError for an unknown family."""
    return _FAMILIES[spec.geometry.family](spec, dropout, activation_checkpointing)


def count_params(model: nn.Module) -> int:
    """Measured number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())
