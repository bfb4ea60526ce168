"""Construction of a torch module from a ModelSpec, for all families; the family is loaded by its name alone."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from tsladder.families import load
from tsladder.families.parts.geometry import PanelGeometry
from tsladder.families.parts.model import Model
from tsladder.families.parts.panel_family import PanelFamily
from tsladder.models.spec import ModelSpec

__all__ = ["Model", "build", "count_params", "lower"]


def build(
    spec: ModelSpec,
    *,
    dropout: float,
    activation_checkpointing: bool = False,
    lowered: bool = False,
    stocks_at_once: int | None = None,
) -> Model:
    """Build a freshly initialised model of `spec`: windows x_BTC -> logits_B, or `DayInputs` -> out_BSO in a panel.

    `lowered`: its body holds bf16 from the start, block by block, so that it never exists in fp32 as a whole; its
    values are those of `lower` applied afterwards. `stocks_at_once`: in a panel, the stocks whose sequences are
    computed at once, to save memory; None: all. Raises BadInput for an unknown family, ValueError for `stocks_at_once`
    of a family that has no stocks.
    """
    family = load(spec.geometry.family)
    if stocks_at_once is None:
        return family.build(spec, dropout=dropout, activation_checkpointing=activation_checkpointing, lowered=lowered)
    if not isinstance(spec.geometry, PanelGeometry):
        raise ValueError(f"a {spec.geometry.family} has no stocks, got stocks_at_once {stocks_at_once}")
    return cast("PanelFamily", family).build(
        spec,
        dropout=dropout,
        activation_checkpointing=activation_checkpointing,
        lowered=lowered,
        stocks_at_once=stocks_at_once,
    )


def lower(model: Model) -> None:
    """Let the body of `model` hold its weights and compute in bf16; the rest stays in fp32."""
    for part in model.body():
        part.to(torch.bfloat16)


def count_params(model: nn.Module) -> int:
    """Count the trained parameters of `model`."""
    return sum(parameter.numel() for parameter in model.parameters())
