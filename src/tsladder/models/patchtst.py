"""PatchTST classifier (Nie et al. 2023), channel-mixing: a patch holds all features of its days.

Deviations from the paper: one token sequence for all channels instead of one a channel, pre-norm, and one
logit instead of a forecast. Shapes: B batch, T days, C features, P patches, E patch_len x C, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tsladder.models.encoder import encode, read_out
from tsladder.models.layers import EncoderBlock, RevinAffine
from tsladder.models.spec import ModelSpec

POSITION_SD = 0.02


class PatchTST(nn.Module):
    """Windows x_BTC -> logits_B."""

    def __init__(
        self, spec: ModelSpec, dropout: float, activation_checkpointing: bool = False, lowered: bool = False
    ) -> None:
        super().__init__()
        geometry = spec.geometry
        self.geometry = geometry
        self.activation_checkpointing = activation_checkpointing
        self.revin = RevinAffine(geometry.n_features) if geometry.revin else None
        body = torch.bfloat16 if lowered else torch.float32
        self.embed = nn.Linear(geometry.patch_len * geometry.n_features, spec.d_model).to(body)
        self.position = nn.Parameter(torch.randn(geometry.n_patches, spec.d_model) * POSITION_SD)
        self.dropout = dropout
        self.blocks = nn.ModuleList(
            EncoderBlock(spec.d_model, spec.n_heads, spec.d_ff, dropout).to(body) for _ in range(spec.n_layers)
        )
        self.norm = nn.LayerNorm(spec.d_model)
        self.head = nn.Linear(spec.d_model * geometry.n_patches, geometry.n_outputs)

    def patches(self, x_BTC: Tensor) -> Tensor:
        """Right-aligned patches_BPE: the newest day is always inside the last one."""
        g = self.geometry
        kept = x_BTC[:, g.dropped_days :, :]
        return kept.unfold(1, g.patch_len, g.stride).transpose(2, 3).flatten(2)

    def body(self) -> tuple[nn.Module, ...]:
        """What may compute in bf16: all but RevIN's affine, the positions, the last norm and the head."""
        return (self.embed, self.blocks)

    def forward(self, x_BTC: Tensor) -> Tensor:
        if self.revin is not None:
            x_BTC = self.revin(x_BTC)
        tokens_BPD = self.embed(self.patches(x_BTC).to(self.embed.weight.dtype))
        h_BPD = encode(
            tokens_BPD + self.position.to(tokens_BPD.dtype),
            self.blocks,
            dropout=self.dropout if self.training else 0.0,
            checkpointing=self.activation_checkpointing and self.training,
        )
        return read_out(h_BPD, self.norm, self.head)
