"""Days of the week that a column of days covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MONDAY, FRIDAY, SATURDAY, SUNDAY = 0, 4, 5, 6
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FEW = 0.05
"""Largest share of days on a weekend that make-up sessions and typing errors account for."""

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


def weekday(days_R: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the day of the week, 0 for Monday to 6 for Sunday."""
    return (days_R.astype("datetime64[D]").astype(np.int64) + _EPOCH_WEEKDAY) % 7


def weekend_share(days_R: NDArray[np.datetime64]) -> float:
    return float((weekday(days_R) >= SATURDAY).mean()) if len(days_R) else 0.0


def spans_a_week(days_R: NDArray[np.datetime64]) -> bool:
    """Check whether every day of the week lies between the first and the last day, so that a weekday without bars is
    informative."""
    return len(days_R) > 1 and int((days_R.max() - days_R.min()).astype(np.int64)) >= 6


def week_in_words(days_R: NDArray[np.datetime64]) -> str:
    """Describe the trading week, as in `Monday to Friday`: the shortest run of weekdays, Sunday followed by Monday,
    that holds all but a few of the days."""
    counts = np.bincount(weekday(days_R), minlength=7)
    used = counts > FEW / 2 * counts.sum()
    if used.all():
        return "all seven days of the week"
    runs = [
        (length, start)
        for start in range(7)
        for length in range(1, 7)
        if used[start]
        and used[(start + length - 1) % 7]
        and all(not used[(start + step) % 7] for step in range(length, 7))
    ]
    length, start = min(runs)
    last = NAMES[(start + length - 1) % 7]
    return NAMES[start] if length == 1 else f"{NAMES[start]} to {last}"
