"""Base class of every family's module: windows to logits, with parts that may compute in bf16."""

from __future__ import annotations

from torch import nn


class Model(nn.Module):
    """Windows x_BTC -> logits_B, or logits_BK for several outputs.

    `embed` makes tokens of width d_model, `blocks` are the repeated layers, `norm` and `head` follow them; a parameter
    called `position` is added to the tokens. Counts of a study are told apart by these names.
    """

    embed: nn.Module
    blocks: nn.ModuleList
    norm: nn.Module
    head: nn.Linear

    def body(self) -> tuple[nn.Module, ...]:
        """The parts that may hold their weights and compute in bf16; all else stays in fp32. A ModuleList stands for
        its layers."""
        raise NotImplementedError
