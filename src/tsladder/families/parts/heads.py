"""How the heads of attention are laid out on a CPU; what is computed there and what it takes in memory agree on it."""

from __future__ import annotations

SHORT_TOKENS = 24
"""Up to here attention goes out as batches of small matrix products, which takes 0.5 to 0.9 of the time of
scaled_dot_product_attention, forward and backward, on one thread."""

_SMALLEST_BATCHED_PRODUCT = 400
"""torch multiplies matrices with fewer multiplications than this in a plain loop."""


def padded_head_width(width: int, tokens: int) -> int:
    """The width to which heads of `width` are padded with zeros, so that their products are batched."""
    return max(width, -(-_SMALLEST_BATCHED_PRODUCT // tokens**2))
