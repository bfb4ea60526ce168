"""The module of a family of encoder blocks: embedded tokens, blocks, and a head that reads all tokens side by side.

Shapes: B batch, T days, C features, P tokens, E values of a token, D width, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tsladder.families.parts.dropout import Masks, draw_keys
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.layers import EncoderBlock, Mix, RevinAffine, attend_to_all
from tsladder.families.parts.model import Model
from tsladder.families.parts.stem import Stage, Stem

Layer = Callable[[Tensor, int | None], Tensor]
"""A function of tokens h_BPD and the key of its dropout masks (None drops nothing) that returns the next layer's
tokens."""


def _attend_to_all(_stage: Stage, _number: int) -> Mix:
    return attend_to_all


class TokenEncoder(Model):
    """A model of encoder blocks: windows x_BTC -> logits_B (logits_BK for several outputs).

    `tokens`: windows x_BTC -> tokens_BPE, as many and as wide as `stem` says. `positions`: makes position_PD, which is
    added to the embedded tokens; a parameter is trained, any other tensor fixed. `mix`: makes the attention of a block
    of a stage, by the block's number in the model. `distil`: makes the module that halves the tokens after each stage
    but the last.
    """

    embed: nn.Linear
    norm: nn.LayerNorm
    head: nn.Linear

    def __init__(
        self,
        model: Architecture,
        stem: Stem,
        *,
        tokens: Callable[[Tensor], Tensor],
        positions: Callable[[], Tensor] | None = None,
        mix: Callable[[Stage, int], Mix] = _attend_to_all,
        distil: Callable[[], nn.Module] | None = None,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
    ) -> None:
        super().__init__()
        geometry, d_model = model.geometry, model.d_model
        self.tokens = tokens
        self.dropout = dropout
        self.activation_checkpointing = activation_checkpointing
        self.revin = RevinAffine(geometry.n_features) if geometry.revin else None
        body = torch.bfloat16 if lowered else torch.float32
        self.embed = nn.Linear(stem.inputs, d_model).to(body)
        self._place(None if positions is None else positions())
        stage_of_block = [stage for stage in stem.stages for _ in range(stage.n_blocks)]
        self.blocks = nn.ModuleList(
            EncoderBlock(d_model, model.n_heads, model.d_ff, dropout, mix(stage, number)).to(body)
            for number, stage in enumerate(stage_of_block)
        )
        # One after each of the first blocks, since only the last stage has several blocks.
        self.distillings = nn.ModuleList(distil().to(body) for _ in range(len(stem.stages) - 1) if distil is not None)
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model * stem.tokens_read, geometry.n_outputs)

    def _place(self, position_PD: Tensor | None) -> None:
        self.position: Tensor | None
        if isinstance(position_PD, nn.Parameter):
            self.position = position_PD
        else:
            # Not saved in the state: it is recomputed from the sizes.
            self.register_buffer("position", position_PD, persistent=False)

    def body(self) -> tuple[nn.Module, ...]:
        """Return the modules other than RevIN's affine, the positions, the last norm and the head."""
        return (self.embed, self.blocks, self.distillings)

    def forward(self, x_BTC: Tensor) -> Tensor:
        if self.revin is not None:
            x_BTC = self.revin(x_BTC)
        h_BPD = self.embed(self.tokens(x_BTC).to(self.embed.weight.dtype))
        if self.position is not None:
            h_BPD = h_BPD + self.position.to(h_BPD.dtype)
        h_BPD = encode(
            h_BPD,
            [partial(self._layer, number) for number in range(len(self.blocks))],
            dropout=self.dropout if self.training else 0.0,
            checkpointing=self.activation_checkpointing and self.training,
        )
        return read_out(h_BPD, self.norm, self.head)

    def _layer(self, number: int, h_BPD: Tensor, key: int | None) -> Tensor:
        """Pass the tokens through block `number`, and through the distilling after it where there is one."""
        h_BPD = self.blocks[number](h_BPD, key)
        return self.distillings[number](h_BPD) if number < len(self.distillings) else h_BPD


def encode(h_BPD: Tensor, layers: Iterable[Layer], *, dropout: float, checkpointing: bool) -> Tensor:
    """Pass embedded tokens through all layers, with dropout on the embedding, and inside each layer by a key of its
    own.

    `checkpointing`: a layer keeps only its input and is computed again in the backward pass.
    """
    layers = list(layers)
    first, *keys = dropout_keys(1 + len(layers), dropout)
    if first is not None:
        h_BPD = Masks(dropout, first).drop(h_BPD)
    return through(h_BPD, layers, keys, checkpointing=checkpointing)


def dropout_keys(count: int, dropout: float) -> list[int | None]:
    """Draw one key for each of `count` masked layers; None for each where nothing is dropped."""
    return [*draw_keys(count)] if dropout > 0 else [None] * count


def through(h_BPD: Tensor, layers: Iterable[Layer], keys: Iterable[int | None], *, checkpointing: bool) -> Tensor:
    """Pass tokens through layers, each with its key. `checkpointing`: as in `encode`."""
    for layer, key in zip(layers, keys, strict=True):
        h_BPD = checkpoint(layer, h_BPD, key, use_reentrant=False) if checkpointing else layer(h_BPD, key)
    return h_BPD


def read_out(h_BPD: Tensor, norm: nn.LayerNorm, head: nn.Linear) -> Tensor:
    """Return logits_B (logits_BK for several outputs) from all tokens side by side, in the precision of the norm."""
    logits_BK: Tensor = head(norm(h_BPD.to(norm.weight.dtype)).flatten(1))
    return logits_BK.squeeze(-1)
