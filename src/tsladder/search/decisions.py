"""What a strategy says of a cell. Pure: no optuna, no torch, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import Grid
from tsladder.search.configuration import Value


@dataclass(frozen=True, slots=True)
class Forced:
    """A trial whose architecture is given, and those of its settings that `settings` names; the others are drawn.

    Where there are too few trials for all, those of the lowest `rank` are trained, the first of equals. `place` is its
    number in a search that trains all: seed and draws hang on it, so a shorter search trains it just so. None: its own.
    """

    what: str
    spec: ModelSpec
    settings: Mapping[str, Value] = field(default_factory=dict)
    rank: int = 0
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trial that the sampler draws. `learns` is False while too few trials ended to learn from."""

    learns: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """No further trial, and why. `warning` is set where the stop says less than it seems to."""

    reason: str
    warning: str | None = None


Decision = Forced | Drawn | Finished


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplement:
    """What a supplementary phase varies around a cell's winner, each beside the winner's own value.

    `n_heads` that the winner's width does not divide by are left out.
    """

    n_heads: tuple[int, ...]
    settings: Mapping[str, tuple[float, ...]]
    effective_batches: tuple[int, ...]


class Strategy(Protocol):
    """Which configurations a cell must see before the sampler decides, and whether the sampler learns from them.

    `supplement`: what a second phase varies; None where the strategy has only one.
    """

    learns: bool
    supplement: Supplement | None

    def forced(self, grid: Grid) -> tuple[Forced, ...]:
        """In the order in which they are trained. Raises BadInput for one that the model family cannot have."""
        ...
