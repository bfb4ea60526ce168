"""Least block length of the bootstrap, for labels that overlap over a known number of days."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.bootstrap import block_length


def block_of_at_least(least: int, values_N: NDArray[np.floating]) -> int | None:
    """Return the mean block length of a daily series: the estimated one, and at least `least` days.

    Labels of consecutive days share all but one of the days of their horizon, so that a block shorter than the horizon
    misses dependence that is there by construction. None, which `evaluation.bootstrap` takes for "estimate it", where
    `least` is 1.
    """
    return None if least <= 1 else max(least, block_length(np.asarray(values_N, dtype=np.float64)))
