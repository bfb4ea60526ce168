"""The one way from a ModelSpec to a torch module."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from tsladder.models.informer import Informer
from tsladder.models.itransformer import ITransformer
from tsladder.models.patchtst import PatchTST
from tsladder.models.spec import ModelSpec

Model = PatchTST | ITransformer | Informer
"""Any family: an `nn.Module` from windows x_BTC to logits_B whose `body()` are the parts that may compute in bf16."""

_FAMILIES: dict[str, Callable[[ModelSpec, float, bool, bool], Model]] = {
    "patchtst": PatchTST,
    "itransformer": ITransformer,
    "informer": Informer,
}


def build(spec: ModelSpec, *, dropout: float, activation_checkpointing: bool = False, lowered: bool = False) -> Model:
    """A freshly initialised model of `spec`: windows x_BTC -> logits_B. Raises KeyError for an unknown family.

    `lowered`: its body holds bf16 from the start, block by block, so that it never exists in fp32 as a whole; its
    values are those of `lower` applied afterwards.
    """
    return _FAMILIES[spec.geometry.family](spec, dropout, activation_checkpointing, lowered)


def lower(model: Model) -> None:
    """Let the body of `model` hold its weights and compute in bf16; what is around it stays in fp32."""
    for part in model.body():
        part.to(torch.bfloat16)


def count_params(model: nn.Module) -> int:
    """Measured number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters())
