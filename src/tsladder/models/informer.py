"""Informer classifier (Zhou et al. 2021), its encoder: each day is a token, ProbSparse attention, distilling.

Deviations from the paper: no decoder and one logit instead of a forecast; pre-norm; a day is embedded by itself and not
with its neighbours, and has no calendar embedding; distilling normalises with a LayerNorm, since a BatchNorm's
output depends on what else is in the micro-batch, and pads with zeros, since days do not go round in a circle. Tokens
are halved after each block as long as FEWEST_TOKENS are left; later blocks see what is left.
Shapes: B batch, T days, C features, P tokens, D width.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.models.encoder import encode, read_out
from tsladder.models.layers import EncoderBlock, RevinAffine
from tsladder.models.sparse_attention import ProbSparse
from tsladder.models.spec import ModelSpec
from tsladder.models.stem import CONVOLVED, Stage

_SLOWEST = 10_000.0


class Distilling(nn.Module):
    """A convolution over three tokens, LayerNorm, ELU, and the maximum of three at every second: h_BPD to half of P.

    The convolution is a Linear on three tokens side by side: one large product, and no kernel that a CPU lacks in bf16.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.convolve = nn.Linear(CONVOLVED * d_model, d_model)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, h_BPD: Tensor) -> Tensor:
        padded_BPD = functional.pad(h_BPD, (0, 0, 1, 1))
        three_BPE = torch.cat([padded_BPD[:, :-2], h_BPD, padded_BPD[:, 2:]], dim=2)
        h_BPD = functional.elu(self.norm(self.convolve(three_BPE)))
        padded_BPD = functional.pad(h_BPD, (0, 0, 1, 1), value=-math.inf)
        return torch.maximum(torch.maximum(padded_BPD[:, :-2:2], padded_BPD[:, 1:-1:2]), padded_BPD[:, 2::2])


class Informer(nn.Module):
    """Windows x_BTC -> logits_B."""

    def __init__(
        self, spec: ModelSpec, dropout: float, activation_checkpointing: bool = False, lowered: bool = False
    ) -> None:
        super().__init__()
        geometry, stem = spec.geometry, spec.stem
        self.activation_checkpointing = activation_checkpointing
        self.dropout = dropout
        self.revin = RevinAffine(geometry.n_features) if geometry.revin else None
        body = torch.bfloat16 if lowered else torch.float32
        self.embed = nn.Linear(geometry.n_features, spec.d_model).to(body)
        self.register_buffer("position_TD", positions(geometry.context_length, spec.d_model), persistent=False)
        self.position_TD: Tensor
        stage_of_block = [stage for stage in stem.stages for _ in range(stage.n_blocks)]
        self.blocks = nn.ModuleList(
            _block(spec, dropout, stage, number).to(body) for number, stage in enumerate(stage_of_block)
        )
        # One after each of the first blocks: only the last stage has several.
        self.distillings = nn.ModuleList(Distilling(spec.d_model).to(body) for _ in range(stem.distillings))
        self.norm = nn.LayerNorm(spec.d_model)
        self.head = nn.Linear(spec.d_model * stem.tokens_read, geometry.n_outputs)

    def body(self) -> tuple[nn.Module, ...]:
        """What may compute in bf16: all but RevIN's affine, the last norm and the head."""
        return (self.embed, self.blocks, self.distillings)

    def forward(self, x_BTC: Tensor) -> Tensor:
        if self.revin is not None:
            x_BTC = self.revin(x_BTC)
        tokens_BTD = self.embed(x_BTC.to(self.embed.weight.dtype))
        h_BPD = encode(
            tokens_BTD + self.position_TD.to(tokens_BTD.dtype),
            [partial(self._layer, number) for number in range(len(self.blocks))],
            dropout=self.dropout if self.training else 0.0,
            checkpointing=self.activation_checkpointing and self.training,
        )
        return read_out(h_BPD, self.norm, self.head)

    def _layer(self, number: int, h_BPD: Tensor, key: int | None) -> Tensor:
        """Block `number`, and the distilling after it where there is one."""
        h_BPD = self.blocks[number](h_BPD, key)
        return self.distillings[number](h_BPD) if number < len(self.distillings) else h_BPD


def positions(days: int, width: int) -> Tensor:
    """Sines and cosines of Vaswani et al. (2017), position_TD: fixed, as in the paper."""
    angle_TD = torch.arange(days)[:, None] * _SLOWEST ** (-torch.arange(0, width, 2) / width)
    return torch.stack([angle_TD.sin(), angle_TD.cos()], dim=2).flatten(1)[:, :width]


def _block(spec: ModelSpec, dropout: float, stage: Stage, number: int) -> EncoderBlock:
    mix = (ProbSparse(stage.tokens, number),) if stage.sparse else ()
    return EncoderBlock(spec.d_model, spec.n_heads, spec.d_ff, dropout, *mix)
