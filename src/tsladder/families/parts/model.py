"""The base class of every family's module: inputs to outputs, with parts that may compute in bf16."""

from __future__ import annotations

from torch import nn


class Model(nn.Module):
    """A model of one series, windows x_BTC -> logits_B (logits_BK for several outputs), or of a panel of stocks, days
    `DayInputs` -> out_BSO, in fp32.

    `embed` makes tokens of width d_model, `blocks` are the repeated layers, `norm` and `head` follow them; a parameter
    called `position` is added to the tokens. The parameter counts of a study are distinguished by these names.
    """

    embed: nn.Module
    blocks: nn.ModuleList
    norm: nn.Module
    head: nn.Module

    def body(self) -> tuple[nn.Module, ...]:
        """Return the parts that may hold their weights and compute in bf16; everything else stays in fp32.

        A ModuleList stands for its layers.
        """
        raise NotImplementedError
