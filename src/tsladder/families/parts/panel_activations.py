"""Memory of the activations of `panel_transformer`, in bytes per day. Pure, no torch.

What a block that computes all its tokens keeps is counted in parts/activations.py. A block that computes its last token
alone, with `body` bytes per number of the body, keeps of each of the P tokens its LayerNorm's input and output (2d),
and in fp32 keys, values (2d) and shares (h); of the last token its query in fp32 (d), the attention's output, two
dropout masks and the second LayerNorm's input and output (5d), and the feed-forward before and after GELU (2f). Around
the blocks are kept the inputs, as given and, where the body is lowered or the patches are no view of them, as patches;
the mask of the embedded patches; and of each stock's token the inputs of two LayerNorms and of the head.

With checkpointing, where memory that is freed is also returned, a block that is computed again has freed its
feed-forward's output before its backward pass needs as much.
"""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.families.parts.activations import block_bytes, moment_bytes
from tsladder.families.parts.cross_section import CrossSection
from tsladder.families.parts.family import Activations


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Consecutive blocks of one kind, in bytes a day: `inputs` and `kept`, inputs included, of each for the backward
    pass; `freed`, the part of these that is freed early; `moment` needed temporarily."""

    count: int
    inputs: float
    kept: float
    freed: float
    moment: float

    @property
    def again(self) -> float:
        """Return the memory of a block that is computed again, beside its inputs."""
        return self.kept - self.inputs - self.freed


def activations_of(day: CrossSection, body: int) -> Activations:
    """Return the bytes of a model that computes all stocks at once."""
    kinds = (*_temporal(day, body, day.stocks), *_over_stocks(day, body))
    return Activations(
        blocks=sum(kind.count * kind.kept for kind in kinds),
        checkpointed=sum(kind.count * kind.inputs for kind in kinds) + max(kind.again for kind in kinds),
        largest_block=max(kind.kept for kind in kinds),
        moment=max(kind.moment for kind in kinds),
        edges=_edges(day, body, day.stocks),
    )


def activations_in_chunks(day: CrossSection, body: int, stocks_at_once: int) -> Activations:
    """Return the bytes of a model that computes the sequences of some stocks at a time, with checkpointing."""
    some = min(day.stocks, stocks_at_once)
    temporal, over_stocks = _temporal(day, body, some), _over_stocks(day, body)
    # Of a chunk that is computed again: the inputs of its blocks, and one block.
    chunk = sum(kind.count * kind.inputs for kind in temporal) + max(kind.again for kind in temporal)
    days = sum(kind.count * kind.inputs for kind in over_stocks)
    kept = days + max(chunk, *(kind.again for kind in over_stocks))
    every = (*temporal, *over_stocks)
    return Activations(
        blocks=kept,
        checkpointed=kept,
        largest_block=max(kind.kept for kind in every),
        moment=max(kind.moment for kind in every),
        edges=_edges(day, body, some),
    )


def _temporal(day: CrossSection, body: int, stocks: int) -> tuple[_Blocks, ...]:
    """Return the temporal blocks of so many stocks: those that compute all tokens, if any, and the last one."""
    d, f, h, p = day.model.d_model, day.model.d_ff, day.model.n_heads, day.patches
    stage = day.over_patches
    inputs = stocks * p * d * body
    whole = _Blocks(
        stage.n_blocks,
        inputs,
        stocks * block_bytes(day.model, stage, body),
        stocks * p * f * body,
        stocks * moment_bytes(day.model, stage, body),
    )
    kept = p * (2 * d * body + 4 * (2 * d + h)) + 4 * d + (5 * d + 2 * f) * body
    # Gradients of keys and values, apart and side by side, and in the body's precision.
    moment = p * (4 * 4 * d + (0 if body == 4 else 2 * 2 * d)) + 2 * f * body
    last = _Blocks(1, inputs, stocks * kept, stocks * f * body, stocks * moment)
    return (whole, last) if stage.n_blocks else (last,)


def _over_stocks(day: CrossSection, body: int) -> tuple[_Blocks, ...]:
    stage = day.over_stocks
    inputs = day.stocks * day.model.d_model * body
    kept, moment = block_bytes(day.model, stage, body), moment_bytes(day.model, stage, body)
    return (_Blocks(stage.n_blocks, inputs, kept, day.stocks * day.model.d_ff * body, moment),)


def _edges(day: CrossSection, body: int, embedded: int) -> float:
    """Return the bytes around the blocks where so many stocks are embedded at once."""
    geometry, d, p = day.model.geometry, day.model.d_model, day.patches
    inputs = day.stocks * geometry.context_length * (4 * geometry.n_features + 1)
    is_view = p * day.inputs == geometry.context_length * geometry.n_features and embedded == day.stocks
    copied = (0 if is_view else 4) if body == 4 else 2
    return inputs + embedded * p * (day.inputs * copied + d * body) + day.stocks * d * (body + 2 * 4)
