"""coverage.json: how much of a cell's grid its search has seen, and how its trials ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class ForcedArchitecture:
    """An architecture that is tried whatever the sampler thinks of it. `in_grid`: the sampler could draw it, too."""

    what: str
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    n_params: int
    in_grid: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """The best trial. `forced`: what it was tried for, None where the sampler drew it. `score`: higher is better.
    `at_edge`: its values that lie at an edge of their range."""

    number: int
    forced: str | None
    score: float
    at_edge: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Counts of one search. `members_seen` and `shapes_seen` are of the grid's `grid_size` and `shapes`;
    `trials_trained` ended with a loss or were pruned; `spread` is the best score less the worst; `stop_reasons`: reason
    -> trials."""

    grid_size: int
    shapes: int
    members_seen: int
    shapes_seen: int
    trials_total: int
    trials_done: int
    trials_trained: int
    trials_taken_over: int = 0
    optimizer_steps: int | None = None
    objective: str | None = None
    spread: float | None
    winner: Leader | None
    forced: tuple[ForcedArchitecture, ...]
    forced_left_out: tuple[str, ...] = ()
    stop_reasons: Mapping[str, int]
    notes: tuple[str, ...]


def read_coverage(path: Path) -> Coverage:
    """Raises FileNotFoundError and WorkFailed."""
    return read_record(Coverage, path)


def write_coverage(path: Path, coverage: Coverage) -> None:
    """Replace `path`."""
    write_record(path, coverage)
