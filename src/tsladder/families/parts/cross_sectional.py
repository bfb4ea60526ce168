"""The module of `panel_transformer`: blocks over the patches of each stock, then blocks over the stocks of each day.

Shapes: B days, S stocks, C stocks at once, T sessions, F features, P patches, E values of a patch, D width, O outputs;
N = B x C sequences.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.dropout import Masks
from tsladder.families.parts.encoder import Layer, dropout_keys, through
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.last_token import last_token
from tsladder.families.parts.layers import EncoderBlock, attend_to_some
from tsladder.families.parts.model import Model
from tsladder.families.parts.quantile_head import quantiles_of


class CrossSectionalEncoder(Model):
    """A model of days: `DayInputs` -> out_BSO. Stocks have no positions: permuted stocks have permuted outputs.

    `patches` of `patch_len` sessions, the last one ending with the day, become tokens. The first `temporal_blocks`
    blocks see those of one stock each; the token of the last patch then stands for the stock, so that the last of these
    blocks computes no other, and the further blocks see the stocks of a day, of which they attend to members alone.
    `quantiles`: outputs for each of `horizons`. `stocks_at_once`: stocks whose patches pass through the temporal blocks
    at once; what these blocks keep for the backward pass is then computed again.
    """

    embed: nn.Linear
    norm: nn.LayerNorm
    head: nn.Linear

    def __init__(
        self,
        model: Architecture,
        *,
        patches: int,
        patch_len: int,
        temporal_blocks: int,
        horizons: int,
        quantiles: int,
        position_sd: float,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None,
    ) -> None:
        super().__init__()
        geometry, d_model = model.geometry, model.d_model
        self.patches, self.patch_len, self.temporal_blocks = patches, patch_len, temporal_blocks
        self.horizons, self.quantiles = horizons, quantiles
        self.dropout = dropout
        self.activation_checkpointing = activation_checkpointing
        self.stocks_at_once = stocks_at_once
        body = torch.bfloat16 if lowered else torch.float32
        self.embed = nn.Linear(patch_len * geometry.n_features, d_model).to(body)
        self.position = nn.Parameter(torch.randn(patches, d_model) * position_sd)
        self.blocks = nn.ModuleList(
            EncoderBlock(d_model, model.n_heads, model.d_ff, dropout).to(body) for _ in range(model.n_layers)
        )
        self.norm_stocks = nn.LayerNorm(d_model).to(body)
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, geometry.n_outputs)

    def body(self) -> tuple[nn.Module, ...]:
        """Return the modules other than the positions, the last norm and the head."""
        return (self.embed, self.blocks, self.norm_stocks)

    def forward(self, inputs: DayInputs) -> Tensor:
        h_BSD = self.norm_stocks(self._stocks(inputs.x_BSTF))
        # Softmax over no stock is NaN. Where a day has no member all attend to all; nobody reads these outputs.
        attended_BS = inputs.member_BS | ~inputs.member_BS.any(1, keepdim=True)
        mix = partial(attend_to_some, attended_BP=attended_BS)
        blocks = [partial(block, mix=mix) for block in self.blocks[self.temporal_blocks :]]
        keys = self._keys(len(blocks))
        h_BSD = through(h_BSD, blocks, keys, checkpointing=self.activation_checkpointing and self.training)
        raw_BSO = self.head(self.norm(h_BSD.to(self.norm.weight.dtype)))
        return quantiles_of(raw_BSO, self.horizons, self.quantiles)

    def _stocks(self, x_BSTF: Tensor) -> Tensor:
        """Return what the windows of each stock become, h_BSD."""
        if self.stocks_at_once is None:
            return self._some_stocks(x_BSTF, self._keys(1 + self.temporal_blocks))
        parts = []
        for x_BCTF in x_BSTF.split(self.stocks_at_once, dim=1):
            keys = self._keys(1 + self.temporal_blocks)
            if self.training:
                parts.append(checkpoint(self._some_stocks, x_BCTF, keys, use_reentrant=False))
            else:
                parts.append(self._some_stocks(x_BCTF, keys))
        return torch.cat(parts, dim=1)

    def _some_stocks(self, x_BCTF: Tensor, keys: list[int | None]) -> Tensor:
        days, stocks, sessions, features = x_BCTF.shape
        x_BCTF = x_BCTF[:, :, sessions - self.patches * self.patch_len :]
        x_NPE = x_BCTF.reshape(days * stocks, self.patches, self.patch_len * features)
        h_NPD = self.embed(x_NPE.to(self.embed.weight.dtype))
        h_NPD = h_NPD + self.position.to(h_NPD.dtype)
        first, *others = keys
        if first is not None:
            h_NPD = Masks(self.dropout, first).drop(h_NPD)
        *whole, closing = cast("list[EncoderBlock]", list(self.blocks[: self.temporal_blocks]))
        layers: list[Layer] = [*whole, partial(last_token, closing)]
        h_ND = through(h_NPD, layers, others, checkpointing=self.activation_checkpointing and self.training)
        return h_ND.view(days, stocks, -1)

    def _keys(self, count: int) -> list[int | None]:
        """Draw the keys of dropout masks in training."""
        return dropout_keys(count, self.dropout if self.training else 0.0)
