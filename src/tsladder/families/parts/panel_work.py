"""Work of one day in `panel_transformer`: multiplications and numbers moved. Pure, no torch.

What blocks that compute all their tokens take is counted in parts/work.py. A block over p tokens that computes its last
one alone multiplies and adds 2 (2 p d^2 + 2 d^2 + 2 d f) times, and its elementwise work moves about p (14 d + 6 h) +
16 d + 8 f numbers.
"""

from __future__ import annotations

from tsladder.families.parts import work
from tsladder.families.parts.cross_section import CrossSection
from tsladder.families.parts.stem import Stage, Stem


def products(day: CrossSection) -> float:
    """Count the multiplications and additions of the forward pass."""
    d, f, p = day.model.d_model, day.model.d_ff, day.patches
    embedded_and_whole = work.products(day.model, _stem(day.over_patches, day.inputs))
    last = 2.0 * (2 * p * d * d + 2 * d * d + 2 * d * f)
    return day.stocks * (embedded_and_whole + last) + work.products(day.model, _stem(day.over_stocks))


def moved(day: CrossSection) -> float:
    """Count the numbers read and written by the elementwise work of the forward and backward pass."""
    d, f, h, p = day.model.d_model, day.model.d_ff, day.model.n_heads, day.patches
    last = p * (14 * d + 6 * h) + 16 * d + 8 * f
    return day.stocks * (work.moved(day.model, _stem(day.over_patches)) + last) + work.moved(
        day.model, _stem(day.over_stocks)
    )


def _stem(stage: Stage, inputs: int = 0) -> Stem:
    return Stem(inputs=inputs, positions=0, stages=(stage,))
