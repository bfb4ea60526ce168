"""Inference on a difference of two mean losses with several sources of noise, by Welch and Satterthwaite."""

from __future__ import annotations

import math
from collections.abc import Sequence

Term = tuple[float, float]
"""One source of noise: (variance of the difference that it causes, degrees of freedom of that estimate)."""


def two_sided(difference: float, terms: Sequence[Term]) -> tuple[float | None, float | None]:
    """Return (standard error, p that there is no difference); None for each where nothing is known of the noise."""
    return against_zero(difference, terms) if terms else (None, None)


def against_zero(difference: float, terms: Sequence[Term]) -> tuple[float, float]:
    """Return (standard error, two-sided p that there is no difference). Raises ValueError without terms."""
    se, dof = combine(terms)
    if se == 0.0:
        return 0.0, 1.0 if difference == 0.0 else 0.0
    return se, 2.0 * _tail_probability(abs(difference) / se, dof)


def above_zero(difference: float, terms: Sequence[Term]) -> float:
    """Return the one-sided p that the true difference is 0 or less. Raises ValueError without terms."""
    se, dof = combine(terms)
    if se == 0.0:
        return 0.0 if difference > 0.0 else 1.0
    return _tail_probability(difference / se, dof)


def bounds(difference: float, terms: Sequence[Term], *, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of the true difference. Raises ValueError without terms."""
    se, dof = combine(terms)
    reach = se * _quantile(0.5 + confidence / 2.0, dof)
    return difference - reach, difference + reach


def combine(terms: Sequence[Term]) -> tuple[float, float]:
    """Return (standard error, degrees of freedom) of the sum of all noise. Raises ValueError without terms."""
    if not terms:
        raise ValueError("a difference needs at least one known source of noise")
    variance = sum(v for v, _ in terms)
    denominator = sum(v**2 / dof for v, dof in terms)
    return math.sqrt(variance), variance**2 / denominator if denominator > 0.0 else math.inf


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Apply Holm's step-down correction (1979); pairs without a p-value are not counted."""
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    running = 0.0
    for rank, (p, index) in enumerate(known):
        running = max(running, min(1.0, p * (len(known) - rank)))
        corrected[index] = running
    return corrected


def _tail_probability(ratio: float, dof: float) -> float:
    from scipy.stats import norm, t

    return float(norm.sf(ratio) if math.isinf(dof) else t.sf(ratio, dof))


def _quantile(share: float, dof: float) -> float:
    from scipy.stats import norm, t

    return float(norm.ppf(share) if math.isinf(dof) else t.ppf(share, dof))
