"""Paired comparison of two models, or of a model and a baseline, from their losses on the same days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.evaluation.difference import Term, against_zero, bounds
from tsladder.evaluation.least_block import block_of_at_least
from tsladder.evaluation.predictions import DailyLosses
from tsladder.params import EvaluationParams

_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The difference of two models: mean daily loss of `second` less that of `first`, in units of `metric`; above 0 the
    first is better.

    relative      difference over the loss of `first`; None where that is 0
    low, high, se interval at `confidence` and standard error of the difference
    p             two-sided p of no difference
    effective_n   effective number of independent days of the paired difference; None where it is the same every day
    *_seeds       training seeds of each; () for a forecast that does not depend on a seed
    noise         sources in the standard error: "days and seeds" or "days"
    note          a remark on the seeds, or None
    """

    first: str
    second: str
    first_loss: float
    second_loss: float
    difference: float
    relative: float | None
    low: float
    high: float
    confidence: float
    se: float
    p: float
    effective_n: float | None
    days: int
    first_seeds: tuple[int, ...]
    second_seeds: tuple[int, ...]
    noise: str
    note: str | None
    metric: str


def compare_models(
    first: DailyLosses, second: DailyLosses, *, params: EvaluationParams, seed: int, least_block: int = 1
) -> Comparison:
    """Compare two models, paired by day.

    The variance of the difference is that of the daily differences between the means over seeds (block bootstrap) and
    that of each mean over its own seeds, where there are two or more; Student's t takes its degrees of freedom from
    Welch and Satterthwaite. The models may have different seeds, and different numbers of them. `least_block`: least
    mean block in days, such as the horizon, over which labels overlap.

    Raises BadInput naming the differences when the models' days, labels or metrics differ.
    """
    _refuse_different_days(first, second)
    gap_N = second.loss_N - first.loss_N
    days = mean_interval(
        gap_N,
        draws=params.bootstrap_draws,
        confidence=params.confidence,
        seed=seed,
        block=block_of_at_least(least_block, gap_N),
    )
    terms: list[Term] = [(days.se**2, np.inf if days.dof is None else days.dof)]
    over_seeds = [term for term in (_seed_term(first), _seed_term(second)) if term is not None]
    terms += over_seeds
    difference, first_loss = float(gap_N.mean()), float(first.loss_N.mean())
    se, p = against_zero(difference, terms)
    low, high = bounds(difference, terms, confidence=params.confidence)
    return Comparison(
        first=first.name,
        second=second.name,
        first_loss=first_loss,
        second_loss=float(second.loss_N.mean()),
        difference=difference,
        relative=difference / first_loss if first_loss > 0.0 else None,
        low=low,
        high=high,
        confidence=params.confidence,
        se=se,
        p=p,
        effective_n=days.effective_n,
        days=gap_N.size,
        first_seeds=_seeds(first),
        second_seeds=_seeds(second),
        noise="days and seeds" if over_seeds else "days",
        note=_note(first, second),
        metric=first.metric,
    )


def _refuse_different_days(first: DailyLosses, second: DailyLosses) -> None:
    faults = []
    if first.metric != second.metric:
        faults.append(f"{first.name} is judged by {first.metric}, {second.name} by {second.metric}")
    for one, other in ((first, second), (second, first)):
        alone = np.setdiff1d(one.dates_N, other.dates_N)
        if alone.size:
            faults.append(f"only {one.name} has {_listed(alone)}")
    if not faults:
        unlike = first.dates_N[first.y_N != second.y_N]
        if unlike.size:
            faults.append(f"the labels differ on {_listed(unlike)}")
    if faults:
        raise BadInput(
            f"{first.name} and {second.name} cannot be paired: a comparison takes the same days and labels. Score both "
            "on one horizon, target and split:",
            faults,
        )


def _listed(days: NDArray[np.datetime64]) -> str:
    shown = ", ".join(str(day) for day in days[:_SHOWN])
    return shown if days.size <= _SHOWN else f"{shown} and {days.size - _SHOWN} more days"


def _seeds(model: DailyLosses) -> tuple[int, ...]:
    return () if model.fixed else tuple(sorted(model.losses))


def _seed_term(model: DailyLosses) -> Term | None:
    if model.fixed or len(model.losses) < 2:
        return None
    means = [float(loss_N.mean()) for loss_N in model.losses.values()]
    return float(np.var(means, ddof=1)) / len(means), len(means) - 1.0


def _note(first: DailyLosses, second: DailyLosses) -> str | None:
    notes = []
    trained = [model for model in (first, second) if not model.fixed]
    if len({len(model.losses) for model in trained}) > 1:
        counts = " and ".join(f"{model.name} {len(model.losses)}" for model in trained)
        notes.append(f"unequal numbers of seeds: {counts}")
    notes += [
        f"{model.name} has one seed, so its spread over seeds is unknown and left out"
        for model in trained
        if len(model.losses) < 2
    ]
    return "; ".join(notes) or None
