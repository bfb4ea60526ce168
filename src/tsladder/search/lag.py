"""Search lag: the distance between a trial and the last earlier trial that its draw learns from.

A search is a function of its plan and its lag, however many workers train its trials. The lag with which it begins is
recorded in its live record, and each later start uses that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.search_lag import LAG, read_lag, write_lag
from tsladder.artifacts.trials import TrialRecord


def recorded_lag(folder: Path, attempts: Sequence[TrialRecord]) -> int | None:
    """Return the lag with which the search in `folder` began, given its `attempts`; None: it has not begun.

    A record of a version without lags has the lag of its last trial. Raises WorkFailed for a damaged file.
    """
    path = folder / LAG
    if path.exists():
        return read_lag(path)
    return attempts[-1].lag if attempts else None


def record_lag(folder: Path, lag: int) -> None:
    """Record that the search in `folder` begins at `lag`."""
    write_lag(folder / LAG, lag)
