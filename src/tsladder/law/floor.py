"""The power law above a floor: loss = E + A * N ** -alpha, claimed only where the points pin E down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_RUNGS = 6
_START_ALPHAS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
_START_SHARES = (0.02, 0.2, 0.5, 0.8, 0.95)
_STEEPEST = 5.0
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class FloorFit:
    """E, A and alpha are None below six rungs. With `identified` False they are one of many that fit: no claim.

    `sse`: what the best fit leaves of the log losses, summed. `E_ci`: the profile likelihood interval of E, where E is
    identified: its ends are the floors that fit just not significantly worse.
    """

    E: float | None
    A: float | None
    alpha: float | None
    identified: bool
    reason: str
    sse: float | None = None
    E_ci: tuple[float, float] | None = None


def fit_floor(
    n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats, confidence: float = 0.95
) -> FloorFit:
    """Least squares of log losses (summed, many starts, tight tolerances).

    The search runs over alpha and the floor's share of the loss at the ladder's geometric mean size; the level then
    has a closed form. E is identified when a constant and both ends of E's range, no floor at all and a floor at
    the lowest loss, fit worse than the best by an F test with R - 3 degrees of freedom (the profile of E is closed).
    """
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    order = np.lexsort((loss, n))
    n, loss = n[order], loss[order]
    rungs = n.size
    if rungs < LEAST_RUNGS or np.unique(n).size < LEAST_RUNGS:
        count = np.unique(n).size
        reason = f"not identifiable: {count} sizes for three parameters and a noise level; at least {LEAST_RUNGS}"
        return FloorFit(E=None, A=None, alpha=None, identified=False, reason=reason)
    from scipy.stats import f

    x = np.log(n) - np.log(n).mean()
    y = np.log(loss)
    best = _best(x, y)
    level = float(np.mean(y - best.shape))
    reference = float(np.exp(np.log(n).mean()))
    E = float(np.exp(level)) * best.share
    A = float(np.exp(level)) * (1.0 - best.share) * reference**best.alpha
    noise = max(best.sse / (rungs - 3), _ROUNDING**2)
    limit = best.sse + noise * float(f.ppf(confidence, 1, rungs - 3))
    floor_can_be_absent = _sse_with_floor(x, y, 0.0, best.alpha) <= limit
    floor_can_be_highest = _sse_with_floor(x, y, 0.999 * float(loss.min()), best.alpha) <= limit
    reasons = []
    if float(np.sum((y - y.mean()) ** 2)) <= limit:
        reasons.append("a constant fits as well")
    if floor_can_be_absent:
        reasons.append("a law without any floor fits as well")
    if floor_can_be_highest:
        reasons.append("a floor at the lowest measured loss fits as well")
    if best.alpha > 0.99 * _STEEPEST:
        reasons.append("the exponent ran into its bound")
    if reasons:
        reason = "not identifiable: " + "; ".join(reasons)
        return FloorFit(E=E, A=A, alpha=best.alpha, identified=False, reason=reason, sse=best.sse)
    reason = f"identified: no floor and a floor at the lowest loss both fit worse ({confidence:.0%} profile test)"
    ci = _profile_interval(x, y, E, best.alpha, limit, 0.999 * float(loss.min()))
    return FloorFit(E=E, A=A, alpha=best.alpha, identified=True, reason=reason, sse=best.sse, E_ci=ci)


def _profile_interval(
    x: Floats, y: Floats, E: float, alpha: float, limit: float, highest: float
) -> tuple[float, float]:
    """The floors whose profile stays within `limit`, of which 0 and `highest` are known to lie outside. (E, E) where
    the fit is perfect to rounding, so that no other floor does."""
    from scipy.optimize import brentq

    def over(floor: float) -> float:
        return _sse_with_floor(x, y, floor, alpha) - limit

    if not 0.0 < E < highest or over(E) >= 0.0:
        return E, E
    return float(brentq(over, 0.0, E, rtol=1e-6)), float(brentq(over, E, highest, rtol=1e-6))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Best:
    alpha: float
    share: float
    shape: Floats
    sse: float


def _shape(x: Floats, alpha: float, share: float) -> Floats:
    """Log of (share + (1 - share) * exp(-alpha x)), by log-sum-exp; 0 at the reference size."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.log(share), np.log1p(-share) - alpha * x), dtype=np.float64)


def _best(x: Floats, y: Floats) -> _Best:
    from scipy.optimize import least_squares

    def residuals(parameters: Floats) -> Floats:
        shape = _shape(x, float(parameters[0]), float(parameters[1]))
        return np.asarray((y - y.mean()) - (shape - shape.mean()), dtype=np.float64)

    solutions = [
        least_squares(
            residuals, (alpha, share), bounds=((1e-6, 0.0), (_STEEPEST, 1.0 - 1e-9)), x_scale=(0.1, 0.1),
            xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400,
        )
        for alpha in _START_ALPHAS
        for share in _START_SHARES
    ]  # fmt: skip
    chosen = min(solutions, key=lambda solution: float(solution.cost))
    alpha, share = float(chosen.x[0]), float(chosen.x[1])
    return _Best(alpha=alpha, share=share, shape=_shape(x, alpha, share), sse=2.0 * float(chosen.cost))


def _sse_with_floor(x: Floats, y: Floats, floor: float, alpha: float) -> float:
    """Least sum of squares with the floor held fixed: the profile of E."""
    from scipy.optimize import least_squares

    def residuals(parameters: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            fitted = np.logaddexp(np.log(floor), parameters[0] - parameters[1] * x)
        return np.asarray(y - fitted, dtype=np.float64)

    level = float(np.log(np.mean(np.maximum(np.exp(y) - floor, 1e-6 * np.exp(y)))))
    starts = [(level + shift, slope) for shift in (-2.0, 0.0) for slope in (alpha, 0.02, 0.2, 1.0)]
    bounds = ((-np.inf, 1e-6), (np.inf, _STEEPEST))
    clipped = [(a, float(np.clip(b, 1e-5, 0.99 * _STEEPEST))) for a, b in starts]
    return min(2.0 * float(least_squares(residuals, s, bounds=bounds, xtol=1e-12).cost) for s in clipped)
