"""iTransformer classifier (Liu et al. 2024): each feature's whole window is one token; attention across features.

Deviations from the paper: pre-norm, and one logit instead of a forecast of each feature. The head sees all tokens side
by side. Tokens have no positions and share their embedding, so a mean over them could not tell one feature from
another; in the paper each token forecasts its own feature and need not.
Shapes: B batch, T days, C features (the tokens), D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tsladder.models.encoder import encode, read_out
from tsladder.models.layers import EncoderBlock, RevinAffine
from tsladder.models.spec import ModelSpec


class ITransformer(nn.Module):
    """Windows x_BTC -> logits_B."""

    def __init__(
        self, spec: ModelSpec, dropout: float, activation_checkpointing: bool = False, lowered: bool = False
    ) -> None:
        super().__init__()
        geometry = spec.geometry
        self.activation_checkpointing = activation_checkpointing
        self.dropout = dropout
        self.revin = RevinAffine(geometry.n_features) if geometry.revin else None
        body = torch.bfloat16 if lowered else torch.float32
        self.embed = nn.Linear(geometry.context_length, spec.d_model).to(body)
        self.blocks = nn.ModuleList(
            EncoderBlock(spec.d_model, spec.n_heads, spec.d_ff, dropout).to(body) for _ in range(spec.n_layers)
        )
        self.norm = nn.LayerNorm(spec.d_model)
        self.head = nn.Linear(spec.d_model * geometry.n_features, geometry.n_outputs)

    def body(self) -> tuple[nn.Module, ...]:
        """What may compute in bf16: all but RevIN's affine, the last norm and the head."""
        return (self.embed, self.blocks)

    def forward(self, x_BTC: Tensor) -> Tensor:
        if self.revin is not None:
            x_BTC = self.revin(x_BTC)
        tokens_BCD = self.embed(x_BTC.transpose(1, 2).to(self.embed.weight.dtype))
        h_BCD = encode(
            tokens_BCD,
            self.blocks,
            dropout=self.dropout if self.training else 0.0,
            checkpointing=self.activation_checkpointing and self.training,
        )
        return read_out(h_BCD, self.norm, self.head)
