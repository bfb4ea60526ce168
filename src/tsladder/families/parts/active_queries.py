"""How many queries of ProbSparse attention attend (Zhou et al. 2021). Pure, no torch."""

from __future__ import annotations

import math

SAMPLING_FACTOR = 5
"""c of ProbSparse attention (Zhou et al. 2021, whose experiments use 5)."""


def active_queries(tokens: int) -> int:
    """u = c ln L of ProbSparse attention, with ln L rounded up as in the authors' code; never more than there are."""
    return min(tokens, SAMPLING_FACTOR * max(1, math.ceil(math.log(tokens))))
