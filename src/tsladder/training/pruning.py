"""Pruning: decide when a running trial is hopeless. Pure: no optuna, no torch, no clock.

A trial is hopeless when it needs a larger improvement than other trials still made from the same step on. Trials are
pruned early where losses settle early, and late where losses fall late; a fixed share of trials to drop at fixed steps
does neither.

The bar that a trial must beat is fixed when the trial is asked, from the learning curves of the trials it learns from.
So it depends on no race between workers, a repeated trial meets the same bar, and the worker needs no message from the
search. Progress is counted in optimizer steps, which are comparable between batch sizes; epochs are not.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.params import PruningParams

Curve = Sequence[tuple[int, float]]
"""(optimizer steps so far, validation loss) after each epoch, in order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """Pruning bar: from optimizer step `steps[i]` on, a trial's best loss so far must not exceed `losses[i]`."""

    steps: tuple[int, ...]
    losses: tuple[float, ...]

    def is_hopeless(self, curve: Curve) -> bool:
        """Check whether a trial with this learning curve is to be pruned now."""
        if not curve:
            return False
        number = bisect.bisect_right(self.steps, curve[-1][0]) - 1
        return number >= 0 and _best_at(curve, curve[-1][0]) > self.losses[number]


def build_bar(rule: PruningParams, curves: Sequence[Curve]) -> Bar | None:
    """Build the bar that complete trials with these learning curves set; None while they are too few.

    At every step after `rule.min_steps` at which one of them was scored, the bar is the loss that the best `rule.goal`
    of them reached in the end, plus the improvement that `rule.reach` of them did not exceed from that step on.
    """
    cohort = [curve for curve in curves if curve]
    steps = sorted({step for curve in cohort for step, _ in curve if step >= rule.min_steps})
    if len(cohort) < rule.min_cohort or not steps:
        return None
    ends = [_best_at(curve, curve[-1][0]) for curve in cohort]
    goal = _quantile(ends, rule.goal)
    losses = []
    for step in steps:
        improvements = [_best_at(curve, step) - end for curve, end in zip(cohort, ends, strict=True)]
        losses.append(goal + _quantile(improvements, rule.reach))
    return Bar(steps=tuple(steps), losses=tuple(losses))


def _best_at(curve: Curve, step: int) -> float:
    """Return the best loss up to `step`; infinite before the first score."""
    return min((loss for scored, loss in curve if scored <= step), default=math.inf)


def _quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` of them do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]
