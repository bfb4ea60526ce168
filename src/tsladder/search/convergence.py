"""When more trials of a cell would teach nothing. Pure: a function of the trials that ended."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.params import StopParams
from tsladder.search.decisions import Finished


def converged(scores: Sequence[float], rule: StopParams, *, metric: str, noise: float | None) -> Finished | None:
    """Has the search of a cell converged? None while it has not.

    `scores` are those of the complete trials, higher is better. `noise` is the standard error of one score: where the
    rule asks for less spread than that, the best trials would differ by luck alone, and the warning says so.
    """
    if len(scores) < max(rule.min_trials, rule.top):
        return None
    best = sorted(scores, reverse=True)[: rule.top]
    spread = best[0] - best[-1]
    if spread > rule.spread:
        return None
    reason = (
        f"converged: the best {rule.top} of {len(scores)} complete trials differ by {spread:.4f} in {metric}, at most "
        f"{rule.spread:g}"
    )
    if noise is None or noise <= rule.spread:
        return Finished(reason)
    return Finished(
        reason,
        f"the standard error of {metric} on this validation region is {noise:.4f}, more than the {rule.spread:g} that "
        "search.stop asks for: which of the best trials wins is decided by luck",
    )
