"""Memory of the activations of encoder blocks, in bytes per window, block by block and around them. Pure, no torch.

With `body` bytes per number of the body (4 in fp32, 2 in bf16), P tokens per window and Q of them that attend:

- A token of a block: two LayerNorms' inputs and outputs (4d), the attention's output (d), two dropout masks (2d), the
  feed-forward before and after GELU (2f), all of `body` bytes; queries, keys and values (3d, with heads of few tokens
  padded to the width that makes their products fast), in fp32 on a CPU. With few tokens one attention weight for each
  head and token (hP) is kept too, in fp32. With many it is not, since torch's fused attention recomputes the weights
  from one number per head, and from its output in fp32 (d more where the body is in bf16).
- Held only temporarily inside a block: gradients of GELU's two sides (2f), or of queries, keys and values in two
  layouts; and the random bits of a mask.
- ProbSparse attention keeps queries and outputs of the Q that attend (2d each), and temporarily needs all scores (hP a
  token) and the sampled ones (hQ); nothing else fits into the memory that they free, so they are added to the other
  temporary parts.
- A distilling keeps the multiple of d that it declares.
"""

from __future__ import annotations

from tsladder.families.parts.family import Activations
from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.heads import SHORT_TOKENS, padded_head_width
from tsladder.families.parts.stem import DistillingCosts, Stage, Stem


def activations_of(model: Architecture, stem: Stem, body: int) -> Activations:
    """Return the bytes of a whole model; the first stage has the largest blocks, since the number of tokens only
    falls."""
    d, stages, distilled = model.d_model, stem.stages, stem.distilled
    largest = block_bytes(model, stages[0], body)
    if distilled:
        largest += _distilling_bytes(model, *distilled[0], body)
    blocks = sum(stage.n_blocks * block_bytes(model, stage, body) for stage in stages)
    return Activations(
        blocks=blocks + sum(_distilling_bytes(model, *between, body) for between in distilled),
        checkpointed=sum(stage.n_blocks * stage.tokens * d * body for stage in stages) + largest,
        largest_block=largest,
        moment=moment_bytes(model, stages[0], body),
        edges=_edges_bytes(model, stem, body),
    )


def block_bytes(model: Architecture, stage: Stage, body: int) -> float:
    """Return the bytes that one block of `stage` keeps for the backward pass, its input included."""
    in_body = 7 * model.d_model + 2 * model.d_ff
    in_fp32 = 3 * _attention_width(model, stage) + _shares(model, stage)
    if stage.sparse:
        apart = 2 * 4 * stage.queries * model.d_model
    elif _is_short(stage) or body == 4:
        apart = 0
    else:
        apart = 4 * stage.tokens * model.d_model
    return stage.tokens * (in_body * body + in_fp32 * 4) + apart


def moment_bytes(model: Architecture, stage: Stage, body: int) -> float:
    """Return the bytes that a block of `stage` needs temporarily, on top of those that it keeps."""
    feed_forward = 2 * model.d_ff * body
    width = _attention_width(model, stage)
    attention = 4 * (3 * width + 3 * model.d_model) + 3 * model.d_model * (0 if body == 4 else 2)
    scores = 4 * model.n_heads * (stage.tokens + stage.queries) if stage.sparse else 0
    return stage.tokens * (max(feed_forward, attention) + scores + 2 * model.d_model * body)


def _edges_bytes(model: Architecture, stem: Stem, body: int) -> float:
    """Return the bytes of the inputs (gathered, normalised, cut into tokens, lowered) and of everything around the
    blocks."""
    g, tokens = model.geometry, stem.stages[0].tokens
    inputs = 2 * 4 * g.context_length * g.n_features + tokens * stem.inputs * (4 if body == 4 else 6)
    return inputs + tokens * model.d_model * 3 * body + stem.tokens_read * model.d_model * 2 * 4


def _is_short(stage: Stage) -> bool:
    """Check whether attention is computed by batches of small products (short_attention.py)."""
    return stage.tokens <= SHORT_TOKENS and not stage.sparse


def _attention_width(model: Architecture, stage: Stage) -> float:
    """Return the number of values per token that queries, keys or values take, with padded heads."""
    if not _is_short(stage):
        return model.d_model
    return model.n_heads * padded_head_width(model.d_model // model.n_heads, stage.tokens)


def _shares(model: Architecture, stage: Stage) -> int:
    """Return the number of attention weights per token that are kept."""
    return model.n_heads * (stage.tokens if _is_short(stage) else 1)


def _distilling_bytes(model: Architecture, stage: Stage, distilling: DistillingCosts, body: int) -> float:
    return stage.tokens * distilling.kept * model.d_model * body
