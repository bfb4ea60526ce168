"""Has this sequence of losses stopped improving? Pure: state in, state out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """`limit` steps without an improvement of more than `min_delta` exhaust it; limit None never does.

    `best` is the plain minimum seen and `best_step` where it stood; `reference` is the loss that the next
    improvement is measured against, so that many gains below min_delta do not add up to endless patience.
    """

    limit: int | None
    min_delta: float
    best: float = float("inf")
    best_step: int = 0
    reference: float = float("inf")
    since_improvement: int = 0

    @property
    def exhausted(self) -> bool:
        return self.limit is not None and self.since_improvement >= self.limit


def step(state: Patience, loss: float, number: int) -> Patience:
    """Take the finite `loss` of step `number` into account."""
    improved = loss < state.reference - state.min_delta
    is_best = loss < state.best
    return Patience(
        limit=state.limit,
        min_delta=state.min_delta,
        best=loss if is_best else state.best,
        best_step=number if is_best else state.best_step,
        reference=loss if improved else state.reference,
        since_improvement=0 if improved else state.since_improvement + 1,
    )
