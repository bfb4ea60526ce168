"""The number of active queries of ProbSparse attention (Zhou et al. 2021). Pure, no torch."""

from __future__ import annotations

import math

SAMPLING_FACTOR = 5
"""The constant c of ProbSparse attention (Zhou et al. 2021, whose experiments use 5)."""


def active_queries(tokens: int) -> int:
    """Return u = c ln L of ProbSparse attention, with ln L rounded up as in the authors' code; at most the number of
    queries."""
    return min(tokens, SAMPLING_FACTOR * max(1, math.ceil(math.log(tokens))))
