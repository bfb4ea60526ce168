"""What would settle an open verdict: more seeds, or which further rungs. Arithmetic on the ladder, no simulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsladder.law.fit import PowerFit, minimum_detectable_alpha
from tsladder.law.neighbours import relative_seed_variance
from tsladder.law.points import RungPoint, size_in_words

_MOST_SEEDS = 64
_MOST_RUNGS = 6
_SMALLEST_MODEL = 1e3


def rung_noise(points: Sequence[RungPoint], fit: PowerFit | None) -> float | None:
    """Relative noise of one rung mean: the scatter around the law or the seeds' own spread, whichever is larger.

    With one or two degrees of freedom the scatter can be small by luck; it cannot truly be below the spread of the
    seeds.
    """
    seeds = relative_seed_variance(points)
    known = [0.0 if seeds is None else seeds**0.5, 0.0 if fit is None else fit.residual_sd]
    return max(known) if seeds is not None or fit is not None else None


def what_would_settle(
    points: Sequence[RungPoint], fit: PowerFit, *, alpha_of_interest: float, confidence: float
) -> str:
    """Words: how many seeds a rung, or which further rungs, let this ladder detect `alpha_of_interest`."""
    sizes = [point.n_params for point in points]
    noise = rung_noise(points, fit) or 0.0
    options = [
        option
        for option in (
            _by_seeds(points, fit, sizes, alpha_of_interest, confidence),
            _by_rungs(sizes, noise, alpha_of_interest, confidence),
        )
        if option
    ]
    return f"To detect an exponent of {alpha_of_interest:g} in four studies out of five: " + "; ".join(options) + "."


def _by_seeds(
    points: Sequence[RungPoint], fit: PowerFit, sizes: Sequence[float], target: float, confidence: float
) -> str:
    per_seed = relative_seed_variance(points)
    if per_seed is None:
        return "the points carry no spread over seeds, so how far more seeds would help is unknown (train at least 3)"
    now = max(1, round(float(np.median([len(point.seeds) for point in points if point.se is not None]))))
    between = max(0.0, fit.residual_sd**2 - per_seed)
    for seeds in range(now + 1, _MOST_SEEDS + 1):
        sd = (between + per_seed * now / seeds) ** 0.5
        reached = minimum_detectable_alpha(sizes, sd, confidence)
        if reached is not None and reached <= target:
            return f"about {seeds} seeds a rung instead of {now}"
    return "more seeds alone will not do, since the rungs scatter around the law by more than their seeds explain"


def _by_rungs(sizes: Sequence[float], noise: float, target: float, confidence: float) -> str:
    low, high = min(sizes), max(sizes)
    step = max(2.0, (high / low) ** (1.0 / (len(set(sizes)) - 1)))
    for extra in range(1, _MOST_RUNGS + 1):
        above = [high * step**k for k in range(1, extra + 1)]
        reached = minimum_detectable_alpha([*sizes, *above], noise, confidence)
        if reached is not None and reached <= target:
            below = [low / step**k for k in range(1, extra + 1)]
            places = f"above ({', '.join(map(size_in_words, above))})"
            if below[-1] >= _SMALLEST_MODEL:
                places += f" or below ({', '.join(map(size_in_words, below))})"
            return f"{_count(extra, 'further rung')} {places} at the present noise of {noise:.1%} a rung"
    return f"not even {_MOST_RUNGS} further rungs of this spacing would do at the present noise of {noise:.1%} a rung"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
