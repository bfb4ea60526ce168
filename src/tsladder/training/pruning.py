"""When a running trial is hopeless. Pure: no optuna, no torch, no clock.

What a trial must beat is settled when it is asked, from the learning curves of the trials it learns from. So it
depends on no race between workers, a redone trial meets the same bar, and the worker needs no word from the search.
Progress is counted in optimizer steps, which compare between batch sizes; an epoch does not.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.params import PruningParams

Curve = Sequence[tuple[int, float]]
"""(optimizer steps so far, validation loss) after each epoch, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """From optimizer step `steps[i]` on, a trial's best loss so far must not exceed `losses[i]`.

    A trial that is above it after `patience` epochs in a row is hopeless.
    """

    steps: tuple[int, ...]
    losses: tuple[float, ...]
    patience: int

    def is_hopeless(self, curve: Curve) -> bool:
        """Is a trial with this learning curve to be given up now?"""
        epochs_above = 0
        for (step, _), best in zip(curve, _best_so_far(curve), strict=True):
            number = bisect.bisect_right(self.steps, step) - 1
            epochs_above = epochs_above + 1 if number >= 0 and best > self.losses[number] else 0
        return epochs_above >= self.patience


def build_bar(rule: PruningParams, curves: Sequence[Curve]) -> Bar | None:
    """The bar that complete trials with these learning curves set; None while they are too few.

    At every step after `rule.min_steps` at which one of them was scored: the `rule.quantile` of their best losses so
    far. A trial that stopped early stays in the cohort with the best it ever had.
    """
    cohort = [curve for curve in curves if curve]
    steps = sorted({step for curve in cohort for step, _ in curve if step >= rule.min_steps})
    if len(cohort) < rule.min_cohort or not steps:
        return None
    losses = tuple(_quantile([_best_at(curve, step) for curve in cohort], rule.quantile) for step in steps)
    return Bar(steps=tuple(steps), losses=losses, patience=rule.patience)


def _best_so_far(curve: Curve) -> tuple[float, ...]:
    return tuple(itertools.accumulate((loss for _, loss in curve), min))


def _best_at(curve: Curve, step: int) -> float:
    """Best loss up to `step`; infinite before the first score."""
    return min((loss for scored, loss in curve if scored <= step), default=math.inf)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
