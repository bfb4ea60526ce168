"""Outliers beside a surface: residuals are clipped at a multiple of the noise."""

from __future__ import annotations

import numpy as np

from tsladder.law.points import size_in_words
from tsladder.law.surface.size_law import SizeTable
from tsladder.law.surface.size_slope import Floats

OUTLIER = 4.0
ENOUGH_FOR_OUTLIERS = 40
"""Fewest points for a treatment of outliers: with fewer, the robust noise can be small by luck, and ordinary scatter
would pass for outliers."""
_MOST_NAMED = 5


def clip_outliers(table: SizeTable, residual_P: Floats, noise: float | None) -> tuple[Floats, list[str]]:
    """Clip the residuals of outliers to `OUTLIER` noises, and name those points in a sentence.

    The surface's Huber loss tolerates a few gross errors; without the clipping they would move the sizes' means and
    widen every interval.
    """
    if noise is None or residual_P.size < ENOUGH_FOR_OUTLIERS:
        return residual_P, []
    far = np.flatnonzero(np.abs(residual_P) > OUTLIER * noise)
    if not far.size:
        return residual_P, []
    named = [
        f"{size_in_words(float(table.n_P[at]))} on {size_in_words(float(table.d_P[at]))} "
        f"({np.expm1(residual_P[at]):+.1%})"
        for at in far[np.argsort(-np.abs(residual_P[far]))][:_MOST_NAMED]
    ]
    words = (
        f"{far.size} of {residual_P.size} points lie further than {OUTLIER:g} noises off the surface and count as "
        "that far: " + ", ".join(named) + (f" and {far.size - len(named)} more" if far.size > len(named) else "")
    )
    return np.clip(residual_P, -OUTLIER * noise, OUTLIER * noise), [words]
