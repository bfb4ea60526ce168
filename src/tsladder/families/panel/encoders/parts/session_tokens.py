"""Tokens of the sessions of each stock, as atft_gat_fan computes them before its graph and without its normalisations.

Shapes: B days, S stocks, T sessions that are read, F columns, D width; N = B x S windows.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tsladder.families.panel.atft.module import AtftGatFan
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.dropout import Masks
from tsladder.families.parts.encoder import dropout_keys, through
from tsladder.families.parts.model import Model
from tsladder.families.parts.session_encoder import SessionEncoder


def session_encoder(model: Model) -> SessionEncoder:
    """Return the encoder of `model`. The norm that the newest session passes before the graph belongs to it."""
    if not isinstance(model, AtftGatFan):
        raise TypeError(f"a {type(model).__name__} has no tokens of sessions")

    def tokens(inputs: DayInputs, dropping: bool) -> Tensor:
        """Return h_BSTD. Unlike in training on labels, the last block computes every token."""
        again, body = model.activation_checkpointing and dropping, next(model.embed.parameters()).dtype
        x_BSTF, here_BST = inputs.x_BSTF[:, :, -model.days :], inputs.here_BST[:, :, -model.days :]
        x_NTF = x_BSTF.masked_fill(~here_BST[..., None], 0.0).flatten(0, 1)
        first, *keys = dropout_keys(1 + len(model.blocks), model.dropout if dropping else 0.0)
        h_NTD = _run(model.embed, x_NTF.to(body), again=again).to(model.position.dtype)
        if first is not None:
            h_NTD = Masks(model.dropout, first).drop(h_NTD)
        h_NTD = _run(model.recurrence, h_NTD, again=again) + model.position
        h_NTD = through(h_NTD.to(body), model.blocks, keys, checkpointing=again)
        normed_NTD: Tensor = model.norm_temporal(h_NTD.to(model.position.dtype))
        tokens_BSTD: Tensor = normed_NTD.unflatten(0, x_BSTF.shape[:2])
        return tokens_BSTD

    return SessionEncoder(
        members={
            "embed": model.embed,
            "recurrence": model.recurrence,
            "position": model.position,
            "blocks": model.blocks,
            "norm_temporal": model.norm_temporal,
        },
        body=("embed", "blocks"),
        width=model.embed.d_model,
        encode=tokens,
    )


def _run(layer: Callable[[Tensor], Tensor], x: Tensor, *, again: bool) -> Tensor:
    """Compute a layer; `again`: it keeps only what it is given, and is computed again in the backward pass."""
    if not again:
        return layer(x)
    computed: Tensor = checkpoint(layer, x, use_reentrant=False)
    return computed
