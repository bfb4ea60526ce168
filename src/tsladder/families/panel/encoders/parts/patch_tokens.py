"""Tokens of the patches of each stock, as panel_transformer computes them before it compares stocks.

Shapes: B days, S stocks, T sessions, P patches, D width; N = B x S sequences.
"""

from __future__ import annotations

from torch import Tensor, nn

from tsladder.families.parts.cross_sectional import CrossSectionalEncoder
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.encoder import encode
from tsladder.families.parts.model import Model
from tsladder.families.parts.session_encoder import SessionEncoder


def patch_encoder(model: Model) -> SessionEncoder:
    """Return the encoder of `model`. The norm that its stocks pass after the last of these blocks belongs to it."""
    if not isinstance(model, CrossSectionalEncoder):
        raise TypeError(f"a {type(model).__name__} has no patches")
    blocks = nn.ModuleList(model.blocks[: model.temporal_blocks])

    def tokens(inputs: DayInputs, dropping: bool) -> Tensor:
        """Return h_BSPD. Unlike in training on labels, the last block computes every token."""
        read = model.patches * model.patch_len
        x_NPE = inputs.x_BSTF[:, :, -read:].reshape(-1, model.patches, model.embed.in_features)
        h_NPD = model.embed(x_NPE.to(model.embed.weight.dtype)) + model.position.to(model.embed.weight.dtype)
        h_NPD = encode(
            h_NPD,
            blocks,
            dropout=model.dropout if dropping else 0.0,
            checkpointing=model.activation_checkpointing and dropping,
        )
        normed_NPD: Tensor = model.norm_stocks(h_NPD)
        tokens_BSPD: Tensor = normed_NPD.unflatten(0, inputs.member_BS.shape)
        return tokens_BSPD

    return SessionEncoder(
        members={
            "embed": model.embed,
            "position": model.position,
            "blocks": blocks,
            "norm_stocks": model.norm_stocks,
        },
        body=("embed", "blocks", "norm_stocks"),
        width=model.embed.out_features,
        encode=tokens,
    )
