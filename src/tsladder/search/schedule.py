"""Order of a cell's trials: the strategy's forced ones, then the sampler's until the search has converged. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.params import StopParams
from tsladder.planning.grid import Grid
from tsladder.search.convergence import converged
from tsladder.search.decisions import Decision, Drawn, Finished, Forced, Strategy
from tsladder.search.objective import Objective

START_UP = 6
"""Number of trials, forced or drawn at random, before the sampler learns from them."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Forced trials that a search has room for, in the order in which they are trained, and those left out."""

    forced: tuple[Forced, ...]
    left_out: tuple[Forced, ...]

    @property
    def note(self) -> str | None:
        """Note on the forced trials that are not trained; None where all are."""
        if not self.left_out:
            return None
        missing = ", ".join(item.what for item in self.left_out)
        total = len(self.forced) + len(self.left_out)
        return f"{len(self.left_out)} of {total} forced configurations are not trained, for want of trials: {missing}"


def admit(forced: Sequence[Forced], trials: int) -> Admitted:
    """Select as many of `forced` as `trials` leave room for."""
    placed = [replace(item, stream_number=number) for number, item in enumerate(forced)]
    kept = {item.stream_number for item in sorted(placed, key=lambda item: item.rank)[:trials]}
    return Admitted(
        forced=tuple(item for item in placed if item.stream_number in kept),
        left_out=tuple(item for item in placed if item.stream_number not in kept),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Schedule of at most `trials_total` trials. `classes`: positives and negatives among the validation windows.

    `left_out`: what the strategy would force in a search of more trials.
    """

    forced: tuple[Forced, ...]
    learns: bool
    trials_total: int
    objective: Objective
    stop: StopParams | None
    classes: tuple[int, int]
    left_out: tuple[Forced, ...] = ()

    def stream_number(self, number: int) -> int:
        """Return the number on which the seed and the random draws of trial `number` depend."""
        stream_number = self.forced[number].stream_number if number < len(self.forced) else None
        return number if stream_number is None else stream_number

    def decide(self, number: int, seen: Sequence[TrialRecord]) -> Decision:
        """Decide what trial `number` (0-based) is, when `seen` are the trials before it that ended."""
        if number >= self.trials_total:
            return Finished(f"all {self.trials_total} trials are done")
        if number < len(self.forced):
            return self.forced[number]
        if self.stop is not None:
            scores = [score for record in seen if (score := self.objective.score(record)) is not None]
            best = self.objective.best(seen)
            noise = None if best is None else self.objective.standard_error(best, *self.classes)
            pruned = sum(record.state is TrialState.PRUNED for record in seen)
            finished = converged(scores, self.stop, metric=self.objective.name, noise=noise, pruned=pruned)
            if finished is not None:
                return finished
        return Drawn(learns=self.learns and number >= START_UP)


def build_schedule(
    strategy: Strategy,
    grid: Grid,
    *,
    trials_total: int,
    objective: Objective,
    stop: StopParams | None,
    classes: tuple[int, int],
) -> Schedule:
    """Build the schedule of one cell."""
    admitted = admit(strategy.forced(grid), trials_total)
    return Schedule(
        forced=admitted.forced,
        left_out=admitted.left_out,
        learns=strategy.learns,
        trials_total=trials_total,
        objective=objective,
        stop=stop,
        classes=classes,
    )
