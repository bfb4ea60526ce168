"""Days of the bars that the feature table leaves out because a second series is missing on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.features import LostDays


def lost_days(dates_T: NDArray[np.datetime64], kept_N: NDArray[np.int64], first: int) -> LostDays:
    """Describe the days of `dates_T` from row `first` on that are not among the rows `kept_N` (ascending, not
    empty)."""
    rows = np.setdiff1d(np.arange(first, len(dates_T)), kept_N)
    inside = rows[(rows > kept_N[0]) & (rows < kept_N[-1])]
    return LostDays(
        count=len(rows),
        before=int((rows < kept_N[0]).sum()),
        between=tuple(str(day) for day in dates_T[inside]),
        after=int((rows > kept_N[-1]).sum()),
        first=str(dates_T[rows[0]]) if len(rows) else None,
        last=str(dates_T[rows[-1]]) if len(rows) else None,
    )
