"""coverage.json: how much of a cell's grid its search has tried, and how its trials ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class ForcedArchitecture:
    """Architecture that is tried independently of the sampler. `in_grid`: the sampler could have drawn it as well."""

    what: str
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    n_params: int
    in_grid: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Leader:
    """Best trial of a search.

    `forced`: the purpose for which the trial was forced; None if the sampler drew it. `score`: higher is better.
    `at_edge`: the hyperparameters whose value lies at an edge of their range.
    """

    number: int
    forced: str | None
    score: float
    at_edge: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Counts of one search.

    `members_seen` and `shapes_seen` count the distinct ones tried of the grid's `grid_size` architectures and `shapes`
    shapes; `trials_trained` counts trials that ended with a loss or were pruned; `spread` is the best score minus the
    worst; `stop_reasons`: reason -> number of trials.
    """

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
    """Read the coverage of a search from `path`. Raises FileNotFoundError and WorkFailed."""
    return read_record(Coverage, path)


def write_coverage(path: Path, coverage: Coverage) -> None:
    """Replace the coverage of a search at `path`."""
    write_record(path, coverage)
