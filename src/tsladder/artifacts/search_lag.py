"""lag.json in the live record of a search: the search lag with which the search began."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record

LAG = "lag.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLag:
    """Search lag. `lag`: distance, in trials, between a trial and the last earlier trial whose result it may use."""

    lag: int


def read_lag(path: Path) -> int:
    """Read the search lag. Raises FileNotFoundError, and WorkFailed if the file is damaged or of another version."""
    return read_record(SearchLag, path).lag


def write_lag(path: Path, lag: int) -> None:
    """Replace the search lag at `path`."""
    write_record(path, SearchLag(lag=lag))
