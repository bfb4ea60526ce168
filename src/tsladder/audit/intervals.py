"""Intervals of days as marks on the days of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def days_between(first_N: NDArray[np.int64], last_N: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    """Return which of `rows` days lie in any interval from `first_N` to `last_N`, both included."""
    covered_T = np.zeros(rows, dtype=bool)
    for first, last in zip(first_N.tolist(), last_N.tolist(), strict=True):
        covered_T[max(first, 0) : last + 1] = True
    return covered_T
