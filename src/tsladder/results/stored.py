"""Read files that stages may or may not have left: a missing file is an empty record, a damaged one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.seeds import Timings, read_timings
from tsladder.artifacts.store import read_json

Record = Mapping[str, Any]
Interval = tuple[float, float]


def read_if_there(path: Path) -> Record:
    """Return the object stored at `path`; {} where the file does not exist. Raises WorkFailed where it is damaged."""
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}


def timings_if_there(path: Path) -> Timings:
    """Return the timings of a cell, without any seed where the file does not exist. Raises WorkFailed where it is
    damaged."""
    try:
        return read_timings(path)
    except (FileNotFoundError, NotADirectoryError):
        return Timings(cell=path.stem)


def bytes_if_there(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def interval_of(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else (low, high)


def pair_of(bounds: Sequence[float | None] | None) -> Interval | None:
    """Convert [low, high] of a record to an interval; None where it is missing or has an unknown bound."""
    return None if bounds is None else interval_of(*bounds)
