"""Work of one window in a model of encoder blocks: multiplications and numbers moved. Pure, no torch.

With p tokens, L blocks of width d, h heads and feed-forward width f, the forward pass multiplies and adds
2 p (L (4 d^2 + 2 d f) + d x inputs of a token) times outside and 4 p^2 L d inside the attention. ProbSparse attention
of q queries takes 4 p q L d, and half of p^2's for its measure; a distilling 2 p d^2 for each d^2 weights it has.
Elementwise work (norms, residuals, dropout, GELU, softmax) moves about 24 d + 8 f + 6 h p numbers per token and block,
with ProbSparse attention 6 h q and 4 h p for its measure.
"""

from __future__ import annotations

from tsladder.families.parts.geometry import Architecture
from tsladder.families.parts.stem import Stem


def products(model: Architecture, stem: Stem) -> float:
    """Count the multiplications and additions of the forward pass."""
    d, f = model.d_model, model.d_ff
    total = 2.0 * stem.stages[0].tokens * d * stem.inputs
    for stage in stem.stages:
        measure = 2.0 * stage.tokens * stage.tokens * d if stage.sparse else 0.0
        attention = 4.0 * stage.tokens * stage.queries * d + measure
        total += stage.n_blocks * (2.0 * stage.tokens * (4 * d * d + 2 * d * f) + attention)
    return total + sum(2.0 * stage.tokens * distilling.matrix * d * d for stage, distilling in stem.distilled)


def moved(model: Architecture, stem: Stem) -> float:
    """Count the numbers read and written by the elementwise work of the forward and backward pass."""
    d = model.d_model
    numbers = sum(distilling.moved * d * stage.tokens for stage, distilling in stem.distilled)
    for stage in stem.stages:
        attention = 6 * stage.queries + (4 * stage.tokens if stage.sparse else 0)
        numbers += stage.n_blocks * stage.tokens * (24 * d + 8 * model.d_ff + model.n_heads * attention)
    return float(numbers)
