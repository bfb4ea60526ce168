"""Search lag: how many trials after the last one that it learns from a trial is drawn.

A search is a function of its plan and its lag, however many workers train its trials. The lag with which it begins is
recorded in its live record, and each later start goes on with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.store import read_json, write_json
from tsladder.artifacts.trials import TrialRecord
from tsladder.search.layout import LAG


def recorded_lag(folder: Path, attempts: Sequence[TrialRecord]) -> int | None:
    """The lag with which the search in `folder` began, whose `attempts` are these; None: it has not begun.

    A record of a version without lags was searched at that of its last trial. Raises WorkFailed for a damaged file.
    """
    path = folder / LAG
    if path.exists():
        return int(read_json(path)["lag"])
    return attempts[-1].lag if attempts else None


def record_lag(folder: Path, lag: int) -> None:
    """Write down that the search in `folder` begins at `lag`."""
    write_json(folder / LAG, {"lag": lag})
