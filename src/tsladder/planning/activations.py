"""Bytes that the activations of a model take, block by block and around them. Pure, no torch; planning/memory.py sums.

With `body` bytes a number of the body (4 in fp32, 2 in bf16), P tokens a window and Q of them that attend:

- A token of a block: two LayerNorms' inputs and outputs (4d), the attention's output (d), two dropout masks (2d), the
  feed-forward before and after GELU (2f), all of `body` bytes; queries, keys and values (3d, with heads of few tokens
  padded to the width that makes their products fast), in fp32 on a CPU. Few tokens also keep one share for each head
  and token (hP) in fp32. Many do not, since torch's fused attention computes them again from a number a head, and from
  its output in fp32 (d more where the body is in bf16).
- What a block needs only for a moment: gradients of GELU's two sides (2f), or of queries, keys and values in two
  layouts; and the random bits of a mask.
- ProbSparse attention keeps queries and outputs of the Q that attend (2d each), and needs for a moment all scores (hP a
  token) and the sampled ones (hQ); what they leave free nothing else fits into, so they are added to the other moments.
- A distilling keeps its three tokens side by side (3d) and what convolution, norm, ELU and the two maxima take (3.5d).
"""

from __future__ import annotations

from tsladder.models.heads import SHORT_TOKENS, padded_head_width
from tsladder.models.spec import ModelSpec
from tsladder.models.stem import CONVOLVED, Stage

_DISTILLED = CONVOLVED + 3.5


def block_bytes(spec: ModelSpec, stage: Stage, windows: int, body: int) -> float:
    """What one block of `stage` leaves for the backward pass, its input included."""
    in_body = 7 * spec.d_model + 2 * spec.d_ff
    in_fp32 = 3 * _attention_width(spec, stage) + _shares(spec, stage)
    if stage.sparse:
        apart = 2 * 4 * windows * stage.queries * spec.d_model
    elif _is_short(stage) or body == 4:
        apart = 0
    else:
        apart = 4 * windows * stage.tokens * spec.d_model
    return windows * stage.tokens * (in_body * body + in_fp32 * 4) + apart


def blocks_bytes(spec: ModelSpec, windows: int, body: int) -> float:
    """What all blocks and the distillings between them leave for the backward pass."""
    stages = spec.stem.stages
    blocks = sum(stage.n_blocks * block_bytes(spec, stage, windows, body) for stage in stages)
    return blocks + sum(_distilling_bytes(spec, stage, windows, body) for stage in stages[:-1])


def checkpointed_bytes(spec: ModelSpec, windows: int, body: int) -> float:
    """The same when a block keeps its input alone, and one, of the largest, is computed again."""
    stages = spec.stem.stages
    inputs = sum(stage.n_blocks * windows * stage.tokens * spec.d_model * body for stage in stages)
    return inputs + largest_block_bytes(spec, windows, body)


def largest_block_bytes(spec: ModelSpec, windows: int, body: int) -> float:
    """What is left by the block with most tokens, with the distilling after it where there is one."""
    stages = spec.stem.stages
    distilling = _distilling_bytes(spec, stages[0], windows, body) if len(stages) > 1 else 0.0
    return block_bytes(spec, stages[0], windows, body) + distilling


def moment_bytes(spec: ModelSpec, windows: int, body: int) -> float:
    """What the block with most tokens needs for a moment on top of what it leaves."""
    stage = spec.stem.stages[0]
    feed_forward = 2 * spec.d_ff * body
    width = _attention_width(spec, stage)
    attention = 4 * (3 * width + 3 * spec.d_model) + 3 * spec.d_model * (0 if body == 4 else 2)
    scores = 4 * spec.n_heads * (stage.tokens + stage.queries) if stage.sparse else 0
    return windows * stage.tokens * (max(feed_forward, attention) + scores + 2 * spec.d_model * body)


def edges_bytes(spec: ModelSpec, windows: int, body: int) -> float:
    """Inputs (gathered, normalised, cut into tokens, lowered) and what lies around the blocks."""
    g, stem = spec.geometry, spec.stem
    tokens = windows * g.n_tokens
    inputs = 2 * 4 * windows * g.context_length * g.n_features + tokens * stem.inputs * (4 if body == 4 else 6)
    return inputs + tokens * spec.d_model * 3 * body + windows * stem.tokens_read * spec.d_model * 2 * 4


def _is_short(stage: Stage) -> bool:
    """Does attention go out as small products (models/short_attention.py)?"""
    return stage.tokens <= SHORT_TOKENS and not stage.sparse


def _attention_width(spec: ModelSpec, stage: Stage) -> float:
    """Numbers a token that queries, keys or values take, with padded heads."""
    if not _is_short(stage):
        return spec.d_model
    return spec.n_heads * padded_head_width(spec.d_model // spec.n_heads, stage.tokens)


def _shares(spec: ModelSpec, stage: Stage) -> int:
    """Numbers a token of the shares of attention that are kept."""
    return spec.n_heads * (stage.tokens if _is_short(stage) else 1)


def _distilling_bytes(spec: ModelSpec, stage: Stage, windows: int, body: int) -> float:
    return windows * stage.tokens * _DISTILLED * spec.d_model * body
