"""The over-fitting form: at fixed data the loss falls with size, turns, and rises.

log loss = a + b x + c x^2 in x = log N, with c > 0. A curved ladder is not yet one that turns: a law above a floor
bends as well, and its least rung lies somewhere on the floor by chance. So a turn is claimed only where

- the slope of the parabola at the smallest rung lies below 0 AND that at the largest above it, each with confidence
  (Lind and Mehlum 2010, "With or without U?"),
- the rise itself is seen: the second of two lines that meet at the turn rises with confidence (Simonsohn 2018), or
  rungs beyond the least one are significantly above it, paired by day (`tsladder.law.evidence.neighbours`), and
- the parabola leaves less than a power law above a floor does, which has as many parameters.

The interval of the turn is Fieller's, the sizes at which a slope of 0 is not rejected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_fits import OverfitLaw
from tsladder.law.curve.line import ROUNDING, Floats
from tsladder.law.points import size_in_words

FORM = "log loss = a + b log N + c (log N)^2"
LEAST_RUNGS = 5
"""Fewest sizes for the fit: two degrees of freedom are left; with one the interval of a slope is of no use."""


def loss_on_parabola(law: OverfitLaw, n_params: Floats) -> Floats:
    """Return the fitted loss. Raises ValueError below five sizes, where there is no fit."""
    if law.a is None or law.b is None or law.c is None:
        raise ValueError("no parabola was fitted")
    x = np.log(n_params)
    return np.asarray(np.exp(law.a + law.b * x + law.c * x**2), dtype=np.float64)


def steepest_side(law: OverfitLaw, smallest_n: float, largest_n: float) -> float:
    """Return the larger of the absolute mean exponents of the fall up to the turn and of the rise beyond it; 0 where
    the curve has no turn inside the ladder."""
    if law.turns_at_n is None or law.c is None:
        return 0.0
    # From its turn the curve has moved by c times the square of the distance, so over it by c times the distance.
    return law.c * max(abs(math.log(n / law.turns_at_n)) for n in (smallest_n, largest_n))


def fit_overfit(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    confidence: float = 0.95,
    *,
    weight_R: Sequence[float] | Floats | None = None,
    least_noise: float = ROUNDING,
    floor_sse: float | None = None,
    rise_is_paired: bool = False,
) -> OverfitLaw:
    """Fit a parabola to the log losses of the rung means by least squares. The order of the points changes nothing.

    `floor_sse`: sum of squares of a power law above a floor on the same losses; None where unknown, and then not
    compared. `rise_is_paired`: a rung beyond the least one is significantly above it. `least_noise`: lower bound on the
    relative noise of every rung.
    """
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    weight = np.ones_like(n) if weight_R is None else np.asarray(weight_R, dtype=np.float64)
    order = np.lexsort((weight, loss, n))
    n, loss, weight = n[order], loss[order], weight[order]
    if (sizes := np.unique(n).size) < LEAST_RUNGS:
        return no_turn(f"not identifiable: {sizes} sizes for a curve and a noise level; at least {LEAST_RUNGS}")
    from scipy.stats import t

    centre = float(np.log(n).mean())
    x, y, root = np.log(n) - centre, np.log(loss), np.sqrt(weight / weight.mean())
    design = np.column_stack([np.ones_like(x), x, x**2])
    fitted = _weighted(design, y, root, least_noise)
    if fitted is None:
        return no_turn("not identifiable: the sizes lie too close together for a curve")
    (level, b, c), covariance, sse = fitted
    critical = float(t.ppf((1.0 + confidence) / 2.0, n.size - 3))

    def slope(at: float) -> tuple[float, float]:
        """Return the slope of the curve at x = `at` and the half-width of its interval."""
        gradient = np.array([0.0, 1.0, 2.0 * at])
        return b + 2.0 * c * at, critical * float(np.sqrt(gradient @ covariance @ gradient))

    (first, first_reach), (last, last_reach) = slope(float(x[0])), slope(float(x[-1]))
    turn = -b / (2.0 * c) if c > 0.0 else None
    inside = turn is not None and x[0] < turn < x[-1]
    bends = bool(inside and first < -first_reach and last > last_reach)
    rises = (
        bends and turn is not None and (rise_is_paired or _second_line_rises(x, y, root, turn, critical, least_noise))
    )
    turns = rises and (floor_sse is None or sse < floor_sse)
    at_n = float(np.exp(turn + centre)) if inside and turn is not None else None
    ends = _fieller(b, c, covariance, critical) if inside else None
    return OverfitLaw(
        a=level - b * centre + c * centre**2,
        b=b - 2.0 * c * centre,
        c=c,
        turns_at_n=at_n,
        turns_at_ci=None if ends is None else (float(np.exp(ends[0] + centre)), float(np.exp(ends[1] + centre))),
        loss_at_turn=float(np.exp(level - b * b / (4.0 * c))) if at_n is not None else None,
        turns=turns,
        reason=_reason(at_n, confidence, bends=bends, rises=rises, turns=turns),
        sse=sse,
        form=FORM,
        preferred=False,
    )


def _weighted(
    design: Floats, y: Floats, root: Floats, least_noise: float
) -> tuple[tuple[float, ...], Floats, float] | None:
    """Return (coefficients, their covariance, weighted sum of squared residuals) by least squares; None for a
    rank-deficient design."""
    weighted = root[:, None] * design
    found, _, rank, _ = np.linalg.lstsq(weighted, root * y, rcond=None)
    if rank < design.shape[1]:
        return None
    residuals = root * y - weighted @ found
    sse = float(residuals @ residuals)
    noise = max(sse / (y.size - design.shape[1]), least_noise**2, ROUNDING**2)
    covariance: Floats = noise * np.linalg.inv(weighted.T @ weighted).astype(np.float64)
    return tuple(map(float, found)), covariance, sse


def _second_line_rises(x: Floats, y: Floats, root: Floats, turn: float, critical: float, least_noise: float) -> bool:
    """Fit two lines that meet at the turn, and check whether the line beyond it rises with confidence."""
    design = np.column_stack([np.ones_like(x), np.minimum(x - turn, 0.0), np.maximum(x - turn, 0.0)])
    fitted = _weighted(design, y, root, least_noise)
    if fitted is None:
        return False
    (_, _, beyond), covariance, _ = fitted
    return beyond > critical * float(np.sqrt(covariance[2, 2]))


def _reason(at_n: float | None, confidence: float, *, bends: bool, rises: bool, turns: bool) -> str:
    if at_n is None:
        return "the fitted curve has no least loss inside the ladder"
    at = size_in_words(at_n)
    if turns:
        return (
            f"the loss falls up to about {at} and rises beyond, each with {confidence:.0%} confidence, and a law "
            "above a "
            "floor describes it less well"
        )
    fitted = f"the fitted curve has its least loss at {at}, but"
    if rises:
        return f"{fitted} a law above a floor, which never rises, describes the rungs as well"
    if bends:
        return f"{fitted} that larger rungs rise above it is not shown ({confidence:.0%} confidence)"
    return f"{fitted} its fall before or its rise after may be noise ({confidence:.0%} confidence)"


def no_turn(reason: str) -> OverfitLaw:
    """Return a parabola that could not be fitted for `reason`."""
    return OverfitLaw(
        a=None,
        b=None,
        c=None,
        turns_at_n=None,
        turns_at_ci=None,
        loss_at_turn=None,
        turns=False,
        reason=reason,
        sse=None,
        form=FORM,
        preferred=False,
    )


def _fieller(b: float, c: float, covariance: Floats, critical: float) -> tuple[float, float] | None:
    """Return the ends of {x : (b + 2 c x)^2 <= critical^2 var(b + 2 c x)}; None where that is no closed interval."""
    limit = critical**2
    square = 4.0 * (c**2 - limit * covariance[2, 2])
    linear = 4.0 * (b * c - limit * covariance[1, 2])
    constant = b**2 - limit * covariance[1, 1]
    discriminant = linear**2 - 4.0 * square * constant
    if square <= 0.0 or discriminant < 0.0:
        return None
    middle, reach = -linear / (2.0 * square), float(np.sqrt(discriminant)) / (2.0 * square)
    return float(middle - reach), float(middle + reach)
