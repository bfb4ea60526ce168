"""What would settle an open verdict: more seeds, or which further rungs. Arithmetic on the ladder, no simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tsladder.law.detection import detectable_alpha, minimum_detectable_alpha
from tsladder.law.fit import PowerFit
from tsladder.law.points import RungPoint, size_in_words

_MOST_SEEDS = 64
_MOST_RUNGS = 6
_SMALLEST_MODEL = 1e3


class Cost(Protocol):
    """Seconds of work, None where it is not known: what a pure law does not know, its caller may."""

    def more_seeds(self, n_params: Sequence[float], extra: int) -> float | None:
        """Of training the chosen configuration of each of these rungs on `extra` further seeds."""
        ...

    def new_rungs(self, n_params: Sequence[float]) -> float | None:
        """Of searching and training rungs of these sizes."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One way to settle a verdict. `what`: seeds or rungs. `seeds`: seeds a rung; `rungs`: sizes of further rungs; both
    None where no number of them within reason would do. `estimated_seconds`: of the work, None where not known."""

    what: str
    seeds: int | None
    rungs: tuple[float, ...] | None
    words: str
    estimated_seconds: float | None = None


def rung_noise(points: Sequence[RungPoint], fit: PowerFit | None) -> float | None:
    """Relative noise of one rung mean: the scatter around the law or the seeds' own spread, whichever is larger.

    With one or two degrees of freedom the scatter can be small by luck; it cannot truly be below the spread of the
    seeds.
    """
    seeds = relative_seed_variance(points)
    known = [0.0 if seeds is None else seeds**0.5, 0.0 if fit is None else fit.residual_sd]
    return max(known) if seeds is not None or fit is not None else None


def relative_seed_variance(points: Sequence[RungPoint]) -> float | None:
    """Mean squared relative standard error of the rung means; None where no rung has one."""
    known = [(point.se / point.loss) ** 2 for point in points if point.se is not None]
    return float(np.mean(known)) if known else None


def settle_options(
    points: Sequence[RungPoint], fit: PowerFit, *, alpha_of_interest: float, cost: Cost | None = None
) -> tuple[Option, ...]:
    """How many seeds a rung, and which further rungs, let this ladder detect `alpha_of_interest`.

    Costs are filled in where `cost` is given and knows them.
    """
    return (
        _by_seeds(points, fit, alpha_of_interest, cost),
        *_by_rungs(points, fit, rung_noise(points, fit) or 0.0, alpha_of_interest, cost),
    )


def in_words(options: Sequence[Option], alpha_of_interest: float) -> str:
    told = "; ".join(option.words + _time(option.estimated_seconds) for option in options)
    return f"To detect an exponent of {alpha_of_interest:g} in four studies out of five: {told}."


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= unit:
            return f" (about {seconds / unit:.2g} {name} on one core)"
    return f" (about {seconds:.0f} seconds on one core)"


def _by_seeds(points: Sequence[RungPoint], fit: PowerFit, target: float, cost: Cost | None) -> Option:
    per_seed = relative_seed_variance(points)
    if per_seed is None:
        words = "the points carry no spread over seeds, so how far more seeds would help is unknown (train at least 3)"
        return Option(what="seeds", seeds=None, rungs=None, words=words)
    now = max(1, round(float(np.median([len(point.seeds) for point in points if point.se is not None]))))
    between = max(0.0, fit.residual_sd**2 - per_seed)
    for seeds in range(now + 1, _MOST_SEEDS + 1):
        if detectable_alpha(fit, (between + per_seed * now / seeds) ** 0.5) <= target:
            sizes = [point.n_params for point in points]
            return Option(
                what="seeds",
                seeds=seeds,
                rungs=None,
                words=f"about {seeds} seeds a rung instead of {now}",
                estimated_seconds=None if cost is None else cost.more_seeds(sizes, seeds - now),
            )
    words = "more seeds alone will not do, since the rungs scatter around the law by more than their seeds explain"
    return Option(what="seeds", seeds=None, rungs=None, words=words)


def _by_rungs(
    points: Sequence[RungPoint], fit: PowerFit, noise: float, target: float, cost: Cost | None
) -> tuple[Option, ...]:
    if fit.beta is not None:
        words = "further sizes at amounts of data that the table has: only those separate size from data"
        return (Option(what="rungs", seeds=None, rungs=None, words=words),)
    sizes = [point.n_params for point in points]
    low, high = min(sizes), max(sizes)
    step = max(2.0, (high / low) ** (1.0 / (len(set(sizes)) - 1)))
    at_noise = f"at the present noise of {noise:.1%} a rung"
    for extra in range(1, _MOST_RUNGS + 1):
        above = tuple(high * step**k for k in range(1, extra + 1))
        below = tuple(low / step**k for k in range(1, extra + 1))
        reached = minimum_detectable_alpha([*sizes, *above], noise, fit.confidence)
        if reached is None or reached > target:
            continue
        sides = [("above", above)] + ([("below", below)] if below[-1] >= _SMALLEST_MODEL else [])
        priced = [(side, new, None if cost is None else cost.new_rungs(new)) for side, new in sides]
        return tuple(
            Option(
                what="rungs",
                seeds=None,
                rungs=new,
                words=f"{_count(extra, 'further rung')} {side} ({', '.join(map(size_in_words, new))}) {at_noise}",
                estimated_seconds=seconds,
            )
            for side, new, seconds in priced
            # What its author cannot price is a size of which there is no architecture.
            if side == "above" or cost is None or seconds is not None
        )
    words = f"not even {_MOST_RUNGS} further rungs of this spacing would do {at_noise}"
    return (Option(what="rungs", seeds=None, rungs=None, words=words),)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
