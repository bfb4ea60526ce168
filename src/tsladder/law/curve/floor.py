"""The power law above a floor, loss = E + A * N ** -alpha, claimed only where the points determine E."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_fits import FloorLaw
from tsladder.law.curve.line import ROUNDING

Floats = NDArray[np.float64]

LEAST_RUNGS = 6
WIDEST = 0.1
"""Largest width of the floor's interval, as a share of the least measured loss, at which the floor is given as a
figure."""

_STEEPEST = 5.0
_LEAST_ALPHA = 1e-6
_GRID_ALPHAS = np.geomspace(0.005, 4.0, 40)
_GRID_SHARES = np.concatenate([[0.0, 0.02], np.linspace(0.05, 0.95, 19), 1.0 - np.geomspace(0.03, 1e-6, 12)])
_REFINED = 3
_EVALUATIONS = 400
_FAR = 40.0


def loss_above_floor(law: FloorLaw, n_params: NDArray[np.floating] | float) -> Floats:
    """Return the fitted loss. Raises ValueError below six rungs, where there is no fit."""
    if law.E is None or law.A is None or law.alpha is None:
        raise ValueError("no floor was fitted")
    return np.asarray(law.E + law.A * np.asarray(n_params, dtype=np.float64) ** -law.alpha, dtype=np.float64)


def fit_floor(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    confidence: float = 0.95,
    *,
    weight_R: Sequence[float] | Floats | None = None,
    least_noise: float = ROUNDING,
) -> FloorLaw:
    """Fit log losses by least squares: a grid over alpha and the floor's share of the loss at the ladder's geometric
    mean size, refined from its best cells; the level has a closed form.

    Intervals are those of an F test with R - 3 degrees of freedom: the values at which the best fit is not
    significantly worse. `least_noise`: lower bound on the relative noise of every rung.
    """
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    weight = np.ones_like(n) if weight_R is None else np.asarray(weight_R, dtype=np.float64)
    order = np.lexsort((weight, loss, n))
    n, loss, weight = n[order], loss[order], weight[order]
    rungs, sizes = n.size, np.unique(n).size
    best = _best(_Ladder.of(n, loss, weight)) if sizes > 3 else None
    if best is None or rungs < LEAST_RUNGS or sizes < LEAST_RUNGS:
        reason = f"not identifiable: {sizes} sizes for three parameters and a noise level; at least {LEAST_RUNGS}"
        sse = None if best is None else best.sse
        return replace(no_floor(reason), sse=sse)
    from scipy.stats import f

    ladder = _Ladder.of(n, loss, weight)
    reference = float(np.exp(ladder.centre))
    level = ladder.level_of(best)
    E = float(np.exp(level)) * best.share
    A = float(np.exp(level)) * (1.0 - best.share) * reference**best.alpha
    noise = max(best.sse / (rungs - 3), least_noise**2, ROUNDING**2)
    limit = best.sse + noise * float(f.ppf(confidence, 1, rungs - 3))
    least = float(loss.min())
    fitted = replace(no_floor(""), E=E, A=A, alpha=best.alpha, sse=best.sse, reference_n=reference)
    if (ladder.squares - best.sse) / 2.0 <= noise * float(f.ppf(confidence, 2, rungs - 3)):
        return replace(fitted, reason="not identifiable: a constant fits as well")
    if best.alpha > 0.99 * _STEEPEST:
        return replace(fitted, reason="not identifiable: the exponent ran into its bound")
    ci = _interval_of_floor(ladder, best, E, limit)
    if ci[0] <= 0.0:
        reason = "not identifiable: a law without any floor fits as well"
        return replace(fitted, reason=reason, E_ci=ci)
    told = (
        f"a law without a floor fits significantly worse; its {confidence:.0%} interval is {ci[0]:.4g} to {ci[1]:.4g}"
    )
    if ci[1] - ci[0] > WIDEST * least:
        reason = f"not identifiable: there is one, since {told}, which is too wide to give it as a figure"
        return replace(fitted, reason=reason, E_ci=ci, bends=True)
    return replace(
        fitted,
        identified=True,
        reason=f"identified: {told}",
        E_ci=ci,
        alpha_ci=_interval_of_alpha(ladder, best, limit),
        bends=True,
    )


def no_floor(reason: str) -> FloorLaw:
    """Return a law above a floor that could not be fitted for `reason`."""
    return FloorLaw(
        E=None,
        A=None,
        alpha=None,
        identified=False,
        reason=reason,
        sse=None,
        E_ci=None,
        alpha_ci=None,
        bends=False,
        reference_n=None,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ladder:
    """The points in logs. `x`: log N less its mean `centre`; `y`: log loss; `root`: square roots of the weights, 1 on
    average."""

    x: Floats
    y: Floats
    root: Floats
    centre: float

    @classmethod
    def of(cls, n: Floats, loss: Floats, weight: Floats) -> _Ladder:
        log_n = np.log(n)
        centre = float(log_n.mean())
        return cls(x=log_n - centre, y=np.log(loss), root=np.sqrt(weight / weight.mean()), centre=centre)

    @property
    def squares(self) -> float:
        """Weighted sum of squared residuals around a constant."""
        return self.sse_of(np.zeros_like(self.y))

    def level_of(self, best: _Best) -> float:
        return float(np.average(self.y - _shape(self.x, best.alpha, best.share), weights=self.root**2))

    def residuals_of(self, shape: Floats) -> Floats:
        """Return the weighted residuals of y around `shape` at its best level."""
        gap = self.y - shape
        return np.asarray(self.root * (gap - np.average(gap, weights=self.root**2)), dtype=np.float64)

    def sse_of(self, shape: Floats) -> float:
        residuals = self.residuals_of(shape)
        return float(residuals @ residuals)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Best:
    alpha: float
    share: float
    sse: float


def _shape(x: Floats, alpha: Floats | float, share: Floats | float) -> Floats:
    """Return the log of (share + (1 - share) * exp(-alpha x)), by log-sum-exp; 0 at the reference size."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.log(share), np.log1p(-np.asarray(share)) - alpha * x), dtype=np.float64)


def _best(ladder: _Ladder, alpha: float | None = None) -> _Best:
    """Minimise the sum of squares over alpha and share; where `alpha` is given, over share alone."""
    alphas = _GRID_ALPHAS if alpha is None else np.array([alpha])
    weight = ladder.root**2 / np.sum(ladder.root**2)
    gap = ladder.y - _shape(ladder.x, alphas[:, None, None], _GRID_SHARES[None, :, None])
    gap = ladder.root * (gap - (gap @ weight)[..., None])
    sse = np.einsum("ijk,ijk->ij", gap, gap)

    def at(p: Floats) -> tuple[float, float]:
        """Map unbounded parameters to (alpha, share)."""
        share = 1.0 / (1.0 + math.exp(-min(max(float(p[0]), -_FAR), _FAR)))
        return alpha if alpha is not None else min(math.exp(min(float(p[1]), _FAR)), _STEEPEST), share

    solutions = [_Best(alpha=a, share=0.0, sse=ladder.sse_of(-a * ladder.x)) for a in _without_floor(ladder, alpha)]
    for place in np.argsort(sse, axis=None, kind="stable")[:_REFINED]:
        i, j = np.unravel_index(place, sse.shape)
        share = float(np.clip(_GRID_SHARES[j], 1e-6, 1.0 - 1e-7))
        start = [math.log(share / (1.0 - share)), *([] if alpha is not None else [math.log(float(alphas[i]))])]
        found, cost = _minimum(lambda p: ladder.residuals_of(_shape(ladder.x, *at(p))), start)
        solutions.append(_Best(alpha=at(found)[0], share=at(found)[1], sse=cost))
    return min(solutions, key=lambda solution: solution.sse)


def _without_floor(ladder: _Ladder, alpha: float | None) -> list[float]:
    """Return the exponent of the straight line, within bounds, as a candidate: the search over the share never reaches
    0."""
    if alpha is not None:
        return [alpha]
    weight, x = ladder.root**2, ladder.x - np.average(ladder.x, weights=ladder.root**2)
    slope = float(np.sum(weight * x * ladder.y) / np.sum(weight * x**2))
    return [min(max(-slope, _LEAST_ALPHA), _STEEPEST)]


def _minimum(residuals: Callable[[Floats], Floats], start: Sequence[float]) -> tuple[Floats, float]:
    """Return (parameters, sum of squares) at the minimum reached from `start`, by Levenberg and Marquardt."""
    from scipy.optimize import leastsq

    with warnings.catch_warnings():
        # It warns that it stopped at rounding, which is where a perfect fit ends.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = np.atleast_1d(leastsq(residuals, start, xtol=1e-13, ftol=1e-15, maxfev=_EVALUATIONS)[0])
    left = residuals(found)
    return found, float(left @ left)


def _interval_of_floor(ladder: _Ladder, best: _Best, E: float, limit: float) -> tuple[float, float]:
    """Return the ends of the floors whose profile stays within `limit`; (E, E) where the fit is perfect to rounding, so
    that no other floor does.

    The upper end may lie above the least measured loss: where several rungs have reached the floor, noise puts some of
    them below it. With a floor at the greatest loss the best law is a constant, which `limit` has already excluded.
    """
    from scipy.optimize import brentq

    def over(floor: float) -> float:
        return _sse_with_floor(ladder, floor, best) - limit

    if E > 0.0 and over(E) >= 0.0:
        return E, E
    highest = float(np.exp(ladder.y.max()))
    low = 0.0 if E == 0.0 or over(0.0) <= 0.0 else float(brentq(over, 0.0, E, rtol=1e-6))
    return low, float(brentq(over, E, highest, rtol=1e-6))


def _interval_of_alpha(ladder: _Ladder, best: _Best, limit: float) -> tuple[float, float]:
    """Return the ends of the exponents whose profile over the floor stays within `limit`."""
    from scipy.optimize import brentq

    def over(alpha: float) -> float:
        return _best(ladder, alpha).sse - limit

    if over(best.alpha) >= 0.0:
        return best.alpha, best.alpha
    low = _LEAST_ALPHA if over(_LEAST_ALPHA) <= 0.0 else float(brentq(over, _LEAST_ALPHA, best.alpha, rtol=1e-6))
    high = _STEEPEST if over(_STEEPEST) <= 0.0 else float(brentq(over, best.alpha, _STEEPEST, rtol=1e-6))
    return low, high


def _sse_with_floor(ladder: _Ladder, floor: float, best: _Best) -> float:
    """Return the least sum of squares with the floor held fixed: the profile of E."""
    x, y, root = ladder.x, ladder.y, ladder.root
    log_floor = math.log(floor) if floor > 0.0 else -math.inf

    def residuals(p: Floats) -> Floats:
        alpha = min(max(math.exp(min(float(p[1]), _FAR)), _LEAST_ALPHA), _STEEPEST)
        return np.asarray(root * (y - np.logaddexp(log_floor, float(p[0]) - alpha * x)), dtype=np.float64)

    level = float(np.log(np.mean(np.maximum(np.exp(y) - floor, 1e-6 * np.exp(y)))))
    starts = [(level + shift, slope) for shift in (-2.0, 0.0) for slope in (best.alpha, 0.05, 0.5)]
    return min(_minimum(residuals, (a, math.log(max(b, 10.0 * _LEAST_ALPHA))))[1] for a, b in starts)
