"""What the families share around their own tokens: dropout keys, checkpointing, the way to the logits.

Shapes: B batch, P tokens, D width, K outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tsladder.models.dropout import Masks, draw_keys

Layer = Callable[[Tensor, int | None], Tensor]
"""Tokens h_BPD and the key of its dropout masks (None drops nothing) -> the tokens of the next layer."""


def encode(h_BPD: Tensor, layers: Iterable[Layer], *, dropout: float, checkpointing: bool) -> Tensor:
    """Embedded tokens through all layers; dropout on the embedding, and inside each layer by a key of its own.

    `checkpointing`: a layer keeps its input alone and is computed again in the backward pass.
    """
    layers = list(layers)
    count = 1 + len(layers)
    keys = draw_keys(count) if dropout > 0 else [None] * count
    if keys[0] is not None:
        h_BPD = Masks(dropout, keys[0]).drop(h_BPD)
    for layer, key in zip(layers, keys[1:], strict=True):
        h_BPD = checkpoint(layer, h_BPD, key, use_reentrant=False) if checkpointing else layer(h_BPD, key)
    return h_BPD


def read_out(h_BPD: Tensor, norm: nn.LayerNorm, head: nn.Linear) -> Tensor:
    """logits_B (logits_BK for several outputs) of all tokens side by side, in the precision of the norm."""
    logits_BK: Tensor = head(norm(h_BPD.to(norm.weight.dtype)).flatten(1))
    return logits_BK.squeeze(-1)
