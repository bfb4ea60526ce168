"""The over-fitting form: at fixed data the loss falls with size, turns, and rises.

log loss = a + b x + c x^2 in x = log N, with c > 0. A curved ladder is not yet one that turns, so the claim is that of
Lind and Mehlum (2010, "With or without U?"): the slope at the smallest rung lies below 0 AND the slope at the largest
above it, each with confidence. Its interval is Fieller's, the sizes at which a slope of 0 is not rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.law.line import ROUNDING, Floats
from tsladder.law.points import size_in_words

FORM = "log loss = a + b log N + c (log N)^2"
LEAST_RUNGS = 5
"""Two degrees of freedom at least: with one the interval of a slope is of no use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverfitFit:
    """a, b, c refer to natural logs of N. None below five sizes.

    `turns_at_n`: size of least loss where the curve has one inside the ladder, claimed or not; `turns_at_ci` its
    interval, None where it has no two ends. `turns`: the turn is inside the ladder with confidence.
    """

    a: float | None
    b: float | None
    c: float | None
    turns_at_n: float | None
    turns_at_ci: tuple[float, float] | None
    loss_at_turn: float | None
    turns: bool
    reason: str
    sse: float | None = None


def fit_overfit(
    n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats, confidence: float = 0.95
) -> OverfitFit:
    """Least squares of log losses on rung means. The order of the points changes nothing."""
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    order = np.lexsort((loss, n))
    n, loss = n[order], loss[order]
    if (sizes := np.unique(n).size) < LEAST_RUNGS:
        return _unknown(f"not identifiable: {sizes} sizes for a curve and a noise level; at least {LEAST_RUNGS}")
    from scipy.stats import t

    centre = float(np.log(n).mean())
    x, y = np.log(n) - centre, np.log(loss)
    design = np.column_stack([np.ones_like(x), x, x**2])
    root, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank < 3:
        return _unknown("not identifiable: the sizes lie too close together for a curve")
    level, b, c = map(float, root)
    residuals = y - design @ root
    sse = float(residuals @ residuals)
    noise = max(sse / (n.size - 3), ROUNDING**2)
    covariance: Floats = noise * np.linalg.inv(design.T @ design).astype(np.float64)
    critical = float(t.ppf((1.0 + confidence) / 2.0, n.size - 3))

    def slope(at: float) -> tuple[float, float]:
        """Slope of the curve there, and how far its interval reaches."""
        gradient = np.array([0.0, 1.0, 2.0 * at])
        return b + 2.0 * c * at, critical * float(np.sqrt(gradient @ covariance @ gradient))

    (first, first_reach), (last, last_reach) = slope(float(x[0])), slope(float(x[-1]))
    turn = -b / (2.0 * c) if c > 0.0 else None
    inside = turn is not None and x[0] < turn < x[-1]
    turns = first < -first_reach and last > last_reach
    at_n = float(np.exp(turn + centre)) if inside and turn is not None else None
    ends = _fieller(b, c, covariance, critical) if inside else None
    return OverfitFit(
        a=level - b * centre + c * centre**2,
        b=b - 2.0 * c * centre,
        c=c,
        turns_at_n=at_n,
        turns_at_ci=None if ends is None else (float(np.exp(ends[0] + centre)), float(np.exp(ends[1] + centre))),
        loss_at_turn=float(np.exp(level - b * b / (4.0 * c))) if at_n is not None else None,
        turns=turns,
        reason=_reason(turns, at_n, confidence),
        sse=sse,
    )


def _reason(turns: bool, at_n: float | None, confidence: float) -> str:
    if turns and at_n is not None:
        return (
            f"the loss falls at the smallest rung and rises at the largest, each with {confidence:.0%} confidence; it "
            f"turns at {size_in_words(at_n)}"
        )
    if at_n is None:
        return "the fitted curve has no least loss inside the ladder"
    return (
        f"the fitted curve turns at {size_in_words(at_n)}, but its fall before or its rise after may be noise "
        f"({confidence:.0%} confidence)"
    )


def _unknown(reason: str) -> OverfitFit:
    return OverfitFit(
        a=None, b=None, c=None, turns_at_n=None, turns_at_ci=None, loss_at_turn=None, turns=False, reason=reason
    )


def _fieller(b: float, c: float, covariance: Floats, critical: float) -> tuple[float, float] | None:
    """Ends of {x : (b + 2 c x)^2 <= critical^2 var(b + 2 c x)}; None where that is no closed interval."""
    limit = critical**2
    square = 4.0 * (c**2 - limit * covariance[2, 2])
    linear = 4.0 * (b * c - limit * covariance[1, 2])
    constant = b**2 - limit * covariance[1, 1]
    discriminant = linear**2 - 4.0 * square * constant
    if square <= 0.0 or discriminant < 0.0:
        return None
    middle, reach = -linear / (2.0 * square), float(np.sqrt(discriminant)) / (2.0 * square)
    return float(middle - reach), float(middle + reach)
