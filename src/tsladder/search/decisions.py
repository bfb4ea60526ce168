"""Decisions of a search strategy about a cell's trials. Pure: no optuna, no torch, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import Grid
from tsladder.search.configuration import Value


@dataclass(frozen=True, slots=True)
class Forced:
    """Trial whose architecture is given, and those of its settings that `settings` names; the others are drawn.

    Where there are too few trials for all, those of the lowest `rank` are trained, the first among equals.
    `stream_number` is the trial's number in a search that trains all; its seed and draws depend on it, so a shorter
    search trains the same. None: its own number.
    """

    what: str
    spec: ModelSpec
    settings: Mapping[str, Value] = field(default_factory=dict)
    rank: int = 0
    stream_number: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """Trial that the sampler draws. `learns` is False while too few trials have ended to learn from."""

    learns: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """End of the search: no further trial, and the reason. `warning` is set where the stop says less than it seems
    to."""

    reason: str
    warning: str | None = None


Decision = Forced | Drawn | Finished


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplement:
    """Values that a supplementary phase varies around a cell's winner, each beside the winner's own value.

    Values of `n_heads` that do not divide the winner's width are left out.
    """

    n_heads: tuple[int, ...]
    settings: Mapping[str, tuple[float, ...]]
    effective_batches: tuple[int, ...]


class Strategy(Protocol):
    """Search strategy: the configurations that a cell must train before the sampler decides, and whether the sampler
    learns from them.

    `supplement`: what a second phase varies; None where the strategy has only one.
    """

    learns: bool
    supplement: Supplement | None

    def forced(self, grid: Grid) -> tuple[Forced, ...]:
        """Return the forced trials in the order in which they are trained. Raises BadInput for a configuration that the
        model family cannot have."""
        ...
