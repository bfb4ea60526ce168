"""Convergence of a search: decide when more trials of a cell would teach nothing. Pure: a function of the ended
trials."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.params import StopParams
from tsladder.search.decisions import Finished


def converged(
    scores: Sequence[float], rule: StopParams, *, metric: str, noise: float | None, pruned: int = 0
) -> Finished | None:
    """Return why the search of a cell has converged; None while it has not.

    `scores` are those of the complete trials, higher is better; `pruned` more trials were given up as hopeless, which
    is a verdict on them too. `noise` is the standard error of one score: where the rule asks for less spread than that,
    the best trials would differ by luck alone, and the warning says so.
    """
    if len(scores) + pruned < rule.min_trials or len(scores) < rule.top:
        return None
    best = sorted(scores, reverse=True)[: rule.top]
    spread = best[0] - best[-1]
    if spread > rule.spread:
        return None
    pruned_note = f", beside {pruned} pruned ones," if pruned else ""
    reason = (
        f"converged: the best {rule.top} of {len(scores)} complete trials{pruned_note} differ by {spread:.4f} in "
        f"{metric}, at most {rule.spread:g}"
    )
    if noise is None or noise <= rule.spread:
        return Finished(reason)
    return Finished(
        reason,
        f"the standard error of {metric} on this validation region is {noise:.4f}, more than the {rule.spread:g} that "
        "search.stop asks for: which of the best trials wins is decided by luck",
    )
