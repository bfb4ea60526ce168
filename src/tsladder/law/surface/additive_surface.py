"""The surface loss = E + A N^-alpha + B D^-beta over points whose sizes N and amounts of data D both vary.

The surface is fitted as in Hoffmann et al. (2022, approach 3) and the replication by Besiroglu et al. (2024): summed
Huber loss of the residuals of log loss (`tsladder.law.surface.huber`), from many starts and from those of
`tsladder.law.surface.projected`; the threshold is that of `tsladder.law.surface.threshold`.

Intervals are percentiles over bootstrap draws (`tsladder.law.surface.bootstrap_of_sizes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from tsladder.law.curve.floor import fit_floor
from tsladder.law.design import SAME_AMOUNT, SAME_SIZE, design_of, groups_of
from tsladder.law.surface import huber
from tsladder.law.surface.bootstrap_of_sizes import bootstrap_sizes
from tsladder.law.surface.identifiability import doubts_of_intervals, obstacle, terms_not_told
from tsladder.law.surface.projected import projected_starts
from tsladder.law.surface.surface_fit import Interval, Surface, SurfaceFit, no_surface
from tsladder.law.surface.threshold import (
    PUBLISHED_DELTA,
    RESIDUALS,
    HuberDelta,
    Noise,
    from_noise,
    given,
)

Floats = huber.Floats

NAMES = ("E", "A", "B", "alpha", "beta")

_EXPONENTS = (0.05, 0.2, 0.4, 0.8, 1.5)
_SHARES = ((0.8, 0.1, 0.1), (0.45, 0.45, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8), (1 / 3, 1 / 3, 1 / 3))
_PROJECTED = 10

_SAME_MINIMUM = 1e-6


def fit_surface(
    n_params_P: Sequence[float] | Floats,
    n_data_P: Sequence[float] | Floats,
    loss_P: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    delta: float | HuberDelta | None = None,
) -> SurfaceFit:
    """Fit a surface to points of (N, D, loss), replicates averaged beforehand. The order of the points changes nothing.

    `delta`: threshold of the Huber loss; None: from the residuals' noise (`tsladder.law.surface.threshold`). With
    `draws` 0 there are no intervals, and nothing counts as identified.
    """
    return search_surface(n_params_P, n_data_P, loss_P, confidence=confidence, draws=draws, seed=seed, delta=delta).fit


def search_surface(
    n_params_P: Sequence[float] | Floats,
    n_data_P: Sequence[float] | Floats,
    loss_P: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    delta: float | HuberDelta | None = None,
) -> Surface:
    """Fit a surface as `fit_surface` does, and return it with its bootstrap draws."""
    n, d, loss = (np.asarray(values, dtype=np.float64) for values in (n_params_P, n_data_P, loss_P))
    order = np.lexsort((loss, d, n))
    n, d, loss = n[order], d[order], loss[order]
    design = design_of(n, d)
    if design.n_sizes == 1:
        return Surface(fit=_curve_in_data(d, loss, confidence))
    if (why := obstacle(design, n.size)) is not None:
        return Surface(fit=no_surface(why, n.size, design.n_sizes, confidence))
    x, z, y = np.log(n), np.log(d), np.log(loss)
    centre = float(x.mean()), float(z.mean())
    points = huber.Points(x_n=x - centre[0], z_n=z - centre[1], y_n=y)
    starts = np.concatenate([_starts(float(y.mean())), projected_starts(points, _PROJECTED)[0]])
    chosen = given(delta) if isinstance(delta, float) else delta
    minima = huber.minimise(points, starts, PUBLISHED_DELTA if chosen is None else chosen.delta)
    if chosen is None:
        chosen = from_noise(residual_noise(_best(minima), points))
        if chosen.delta != PUBLISHED_DELTA:
            minima = huber.minimise(points, starts, chosen.delta)
    best = _best(minima)
    least = float(minima.objective_M.min())
    sizes, amounts = groups_of(n, SAME_SIZE), groups_of(d, SAME_AMOUNT)
    drawn, share = bootstrap_sizes(points, sizes, amounts, best, chosen.delta, draws, seed)
    surface = Surface(fit=no_surface("", 0, 0, confidence), points=points, theta_K=best, theta_DK=drawn, centre=centre)
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    ends = np.quantile(surface.natural(drawn), tails, axis=0) if draws else None
    cis: list[Interval | None] = [None] * 5 if ends is None else [_interval(low, high) for low, high in ends.T]
    E, A, B, alpha, beta = map(float, surface.natural(best[None])[0])
    converged = bool(minima.converged_M[int(minima.objective_M.argmin())])
    missing = terms_not_told(converged, ends, float(loss.min()), confidence)
    doubts = () if ends is None else doubts_of_intervals(np.quantile(drawn, tails, axis=0), share)
    fit = SurfaceFit(
        E=E,
        A=A,
        B=B,
        alpha=alpha,
        beta=beta,
        identified=not missing,
        converged=converged,
        reason="; ".join(missing) or f"every term is told from none ({confidence:.0%} bootstrap intervals)",
        E_ci=cis[0],
        A_ci=cis[1],
        B_ci=cis[2],
        alpha_ci=cis[3],
        beta_ci=cis[4],
        objective=least,
        huber_delta=chosen.delta,
        delta_reason=chosen.reason,
        noise=residual_noise(best, points).sd,
        n_points=int(n.size),
        n_sizes=design.n_sizes,
        starts=len(starts),
        starts_agreeing=int(np.sum(minima.objective_M <= least * (1.0 + _SAME_MINIMUM) + 1e-15)),
        draws=draws,
        draws_converged=share,
        confidence=confidence,
        doubts=doubts,
        residuals=tuple((y - huber.log_loss(best[None], points.x_n, points.z_n)[0]).tolist()),
    )
    return Surface(fit=fit, points=points, theta_K=best, theta_DK=drawn if draws else None, centre=centre)


def _curve_in_data(d: Floats, loss: Floats, confidence: float) -> SurfaceFit:
    """Fit points of one common size: what remains is a curve in D, whose floor holds E and the size's term together."""
    curve = fit_floor(d, loss, confidence)
    words = "not identifiable: all points have one size, so alpha leaves no trace and E cannot be told from A N^-alpha"
    if not curve.identified:
        return no_surface(f"{words}; B and beta neither ({curve.reason})", d.size, 1, confidence)
    return SurfaceFit(
        E=None,
        A=None,
        B=curve.A,
        alpha=None,
        beta=curve.alpha,
        identified=False,
        converged=True,
        reason=f"{words}; B and beta are, above a sum of the two of {curve.E:.6g}",
        n_points=int(d.size),
        n_sizes=1,
        confidence=confidence,
    )


def _starts(level: float) -> Floats:
    return np.array(
        [
            [level + np.log(size), level + np.log(data), level + np.log(floor), alpha, beta]
            for alpha, beta, (size, data, floor) in product(_EXPONENTS, _EXPONENTS, _SHARES)
        ]
    )


def _best(minima: huber.Minima) -> Floats:
    return np.asarray(minima.theta_MK[int(minima.objective_M.argmin())])


def residual_noise(theta_K: Floats, points: huber.Points) -> Noise:
    """Return 1.4826 times the median absolute residual, corrected for five parameters."""
    residual = huber.log_loss(theta_K[None], points.x_n, points.z_n)[0] - points.y_n
    free = max(residual.size - huber.PARAMETERS, 1)
    sd = float(1.4826 * np.median(np.abs(residual)) * np.sqrt(residual.size / free))
    return Noise(sd=sd, dof=float(free), source=RESIDUALS)


def _interval(low: float, high: float) -> Interval | None:
    return (float(low), float(high)) if np.isfinite(high) else None
