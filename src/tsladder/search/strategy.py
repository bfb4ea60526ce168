"""What the next trial of a cell is. Pure: no optuna, no torch, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import Grid
from tsladder.search.strategies import architectural


@dataclass(frozen=True, slots=True)
class Forced:
    """A trial whose architecture is given; its settings are drawn."""

    what: str
    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trial that the sampler draws. `learns` is False while too few trials ended to learn from."""

    learns: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """No further trial, and why."""

    reason: str


Decision = Forced | Drawn | Finished


class Strategy(Protocol):
    """Which architectures a cell must see before the sampler decides."""

    def forced(self, grid: Grid) -> tuple[tuple[str, ModelSpec], ...]: ...


_STRATEGIES: dict[str, Strategy] = {"architectural": architectural.Architectural()}


@dataclass(frozen=True, slots=True)
class Schedule:
    """The forced trials of a cell, then the sampler's, `trials_total` in all."""

    forced: tuple[Forced, ...]
    trials_total: int

    def decide(self, number: int) -> Decision:
        """What trial `number` (0-based) is."""
        if number >= self.trials_total:
            return Finished(f"all {self.trials_total} trials are done")
        if number < len(self.forced):
            return self.forced[number]
        # The forced trials are the sampler's start-up: their settings were drawn at random.
        return Drawn(learns=len(self.forced) > 1)

    @property
    def forced_left_out(self) -> tuple[Forced, ...]:
        """Forced configurations that the number of trials leaves no room for; the report names them."""
        return self.forced[self.trials_total :]


def schedule(strategy: str, grid: Grid, trials_total: int) -> Schedule:
    """The schedule of one cell. Raises KeyError for an unknown strategy."""
    forced = tuple(Forced(what, spec) for what, spec in _STRATEGIES[strategy].forced(grid))
    return Schedule(forced, trials_total)
