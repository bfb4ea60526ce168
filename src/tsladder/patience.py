"""Early-stopping patience over a sequence of losses. Pure: state in, state out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """State of early stopping: exhausted after `limit` steps without an improvement of more than `min_delta`.

    With `limit` None it is never exhausted. `best` is the minimum seen and `best_step` the step at which it occurred;
    `reference` is the loss against which the next improvement is measured, so that many gains below min_delta do not
    add up to endless patience.
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
    """Return the state after the finite `loss` of step `number`."""
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
