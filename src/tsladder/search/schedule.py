"""The order of a cell's trials: the strategy's forced ones, then the sampler's until the search converged. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.params import StopParams
from tsladder.planning.grid import Grid
from tsladder.search.convergence import converged
from tsladder.search.decisions import Decision, Drawn, Finished, Forced, Strategy
from tsladder.search.objective import Objective
from tsladder.search.trials import TrialRecord, TrialState

START_UP = 6
"""So many trials, forced or drawn at random, before the sampler learns from them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """At most `trials_total` trials. `classes` are the positives and negatives among the validation windows."""

    forced: tuple[Forced, ...]
    learns: bool
    trials_total: int
    objective: Objective
    stop: StopParams | None
    classes: tuple[int, int]

    def decide(self, number: int, seen: Sequence[TrialRecord]) -> Decision:
        """What trial `number` (0-based) is, when `seen` are the trials before it that ended."""
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
    """The schedule of one cell. Raises ValueError when its trials leave no room for the forced ones."""
    forced = strategy.forced(grid)
    if trials_total < len(forced):
        raise ValueError(f"{trials_total} trials leave no room for the {len(forced)} forced ones of {grid.budget}")
    return Schedule(
        forced=forced,
        learns=strategy.learns,
        trials_total=trials_total,
        objective=objective,
        stop=stop,
        classes=classes,
    )
