"""The layout of attention heads on a CPU, shared by the computation and the memory estimate."""

from __future__ import annotations

SHORT_TOKENS = 24
"""Most tokens at which attention is computed by batches of small matrix products, which takes 0.5 to 0.9 of the time of
scaled_dot_product_attention, forward and backward, on one thread."""

_SMALLEST_BATCHED_PRODUCT = 400
"""Fewest multiplications of a batched product; torch multiplies matrices with fewer in a plain loop."""


def padded_head_width(width: int, tokens: int) -> int:
    """Return the width to which heads of `width` are padded with zeros, so that their products are batched."""
    return max(width, -(-_SMALLEST_BATCHED_PRODUCT // tokens**2))
