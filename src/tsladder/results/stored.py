"""Files that the stages may or may not have left: what is missing is an empty record, what is damaged is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.seeds import Timings, read_timings
from tsladder.artifacts.store import read_json
from tsladder.results.score_facts import Interval

Record = Mapping[str, Any]


def read_if_there(path: Path) -> Record:
    """The object stored at `path`; {} when there is no file. Raises WorkFailed when it is damaged."""
    try:
        return read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}


def timings_if_there(path: Path) -> Timings:
    """The timings of a cell, without a seed when there is no file. Raises WorkFailed when it is damaged."""
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
    """[low, high] as it stands in a record."""
    return None if bounds is None else interval_of(*bounds)
