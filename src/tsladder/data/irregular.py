"""Long gaps between the days of bars, and jumps of their Close. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONG_GAP_DAYS = 5
"""Most calendar days between two rows of a regular step; a weekend and a holiday on either side of it make five."""

JUMP = 0.4
"""Change of Close within a day, as a share, above which it looks like a split."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A step between two neighbouring rows of `days` calendar days, from the day `after` to the day `before` (ISO)."""

    days: int
    after: str
    before: str

    def to_json(self) -> dict[str, Any]:
        return {"days": self.days, "after": self.after, "before": self.before}


def gap_before(dates_T: NDArray[np.datetime64], row: int) -> Gap:
    """Return the step from the previous row to `row`, however short."""
    after, before = dates_T[row - 1], dates_T[row]
    return Gap(days=int((before - after).astype(np.int64)), after=str(after), before=str(before))


def long_gap_rows(dates_T: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the rows that lie more than LONG_GAP_DAYS after the previous row."""
    return np.flatnonzero(np.diff(dates_T).astype(np.int64) > LONG_GAP_DAYS) + 1


def jump_rows(close_T: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows whose Close differs from the previous one by more than JUMP."""
    return np.flatnonzero(np.abs(close_T[1:] / close_T[:-1] - 1.0) > JUMP) + 1
