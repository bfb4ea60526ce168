"""The surface loss = E + A N^-alpha + B D^-beta over points whose sizes N and amounts of data D both vary.

Fitted as Hoffmann et al. (2022, approach 3) and the replication by Besiroglu et al. (2024) do: summed Huber loss of the
residuals of log loss, from many starts (`tsladder.law.huber`). Intervals are percentiles over bootstrap draws of the
points, each minimised again from the optimum and from two starts beside it.

The threshold delta follows the residuals' own noise, a robust standard deviation (1.4826 times their median size,
corrected for five parameters). Up to `PUBLISHED_NOISE`, the noise of language models and of figures read off their
plots, delta is 1.3 noises but at most the published 1e-3: so a published table gives the published figures, and the
loss is nearly absolute where noise exceeds 1e-3, which costs precision and buys indifference to outliers. Above, 1e-3
would be a small part of every residual, and delta is 1.3 noises: 95 % as precise as least squares on normal noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from tsladder.law import huber
from tsladder.law.floor import fit_floor

Floats = huber.Floats
Interval = tuple[float, float]

PUBLISHED_DELTA = 1e-3
PUBLISHED_NOISE = 0.01
NOISES = 1.3
LEAST_POINTS = 8
LEAST_LEVELS = 3

_LEAST_DELTA = 1e-5
_EXPONENTS = (0.05, 0.2, 0.4, 0.8, 1.5)
_SHARES = ((0.8, 0.1, 0.1), (0.45, 0.45, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8), (1 / 3, 1 / 3, 1 / 3))
_BESIDE = ((0.0,) * 5, (0.5, -0.3, 0.05, 0.1, -0.1), (-0.5, 0.3, -0.05, -0.1, 0.1))
_SAME_MINIMUM = 1e-6
_IN_STEP = 0.999
_NO_FLOOR = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfaceFit:
    """What cannot be told is None. `objective`: the summed Huber loss at `huber_delta`; `noise`: robust sd of the log
    residuals. `starts_agreeing` of `starts` reached the least objective; `converged`: its gradient vanishes at a
    minimum inside the bounds. `draws_converged`: share of the bootstrap draws of which that holds. `identified`: every
    term is told from none; `reason` says which is not. `residuals`: log(loss) - fitted, by size, then data."""

    E: float | None
    A: float | None
    B: float | None
    alpha: float | None
    beta: float | None
    identified: bool
    converged: bool
    reason: str
    E_ci: Interval | None = None
    A_ci: Interval | None = None
    B_ci: Interval | None = None
    alpha_ci: Interval | None = None
    beta_ci: Interval | None = None
    objective: float | None = None
    huber_delta: float | None = None
    noise: float | None = None
    n_points: int = 0
    starts: int = 0
    starts_agreeing: int = 0
    draws: int = 0
    draws_converged: float | None = None
    confidence: float = 0.95
    residuals: tuple[float, ...] = ()


def fit_surface(
    n_params_P: Sequence[float] | Floats,
    n_data_P: Sequence[float] | Floats,
    loss_P: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    delta: float | None = None,
) -> SurfaceFit:
    """Fit points of (N, D, loss), replicates averaged beforehand. The order of the points changes nothing.

    `delta` None: chosen as the module says. `draws` 0: no intervals, and nothing is called identified.
    """
    n, d, loss = (np.asarray(values, dtype=np.float64) for values in (n_params_P, n_data_P, loss_P))
    order = np.lexsort((loss, d, n))
    n, d, loss = n[order], d[order], loss[order]
    if np.unique(n).size == 1:
        return _curve_in_data(d, loss, confidence)
    if (obstacle := _obstacle(n, d)) is not None:
        return _nothing(obstacle, n.size, confidence)
    x, z, y = np.log(n), np.log(d), np.log(loss)
    centre_x, centre_z = float(x.mean()), float(z.mean())
    points = huber.Points(x_n=x - centre_x, z_n=z - centre_z, y_n=y)
    starts = _starts(float(y.mean()))
    chosen = PUBLISHED_DELTA if delta is None else delta
    minima = huber.minimise(points, starts, chosen)
    if delta is None and (wanted := delta_for(_noise(_best(minima), points))) != chosen:
        chosen = wanted
        minima = huber.minimise(points, starts, chosen)
    best = _best(minima)
    least = float(minima.objective_M.min())
    agreeing = int(np.sum(minima.objective_M <= least * (1.0 + _SAME_MINIMUM) + 1e-15))
    converged = bool(minima.converged_M[int(minima.objective_M.argmin())])

    def natural(theta_MK: Floats) -> Floats:
        """(E, A, B, alpha, beta) of each row, in the units of the table."""
        a, b, e, alpha, beta = theta_MK.T
        with np.errstate(over="ignore"):
            return np.column_stack([np.exp(e), np.exp(a + alpha * centre_x), np.exp(b + beta * centre_z), alpha, beta])

    drawn, share = _bootstrap(points, best, chosen, draws, seed)
    values = natural(drawn)
    ends = np.quantile(values, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0], axis=0) if draws else None
    cis: list[Interval | None] = [None] * 5 if ends is None else [_interval(low, high) for low, high in ends.T]
    E, A, B, alpha, beta = map(float, natural(best[None])[0])
    doubts = _doubts(converged, ends, float(loss.min()), confidence)
    return SurfaceFit(
        E=E,
        A=A,
        B=B,
        alpha=alpha,
        beta=beta,
        identified=not doubts,
        converged=converged,
        reason="; ".join(doubts) or f"every term is told from none ({confidence:.0%} bootstrap intervals)",
        E_ci=cis[0],
        A_ci=cis[1],
        B_ci=cis[2],
        alpha_ci=cis[3],
        beta_ci=cis[4],
        objective=least,
        huber_delta=chosen,
        noise=_noise(best, points),
        n_points=int(n.size),
        starts=len(starts),
        starts_agreeing=agreeing,
        draws=draws,
        draws_converged=share,
        confidence=confidence,
        residuals=tuple((y - huber.log_loss(best[None], points.x_n, points.z_n)[0]).tolist()),
    )


def delta_for(noise: float) -> float:
    """The Huber threshold for residuals of this standard deviation; see the module."""
    if noise > PUBLISHED_NOISE:
        return NOISES * noise
    return max(_LEAST_DELTA, min(NOISES * noise, PUBLISHED_DELTA))


def _obstacle(n: Floats, d: Floats) -> str | None:
    """Why five parameters cannot be told from these points; None where they may be."""
    sizes, amounts = np.unique(n).size, np.unique(d).size
    if n.size < LEAST_POINTS or min(sizes, amounts) < LEAST_LEVELS:
        return (
            f"not identifiable: {n.size} points of {sizes} sizes and {amounts} amounts of data; five parameters and a "
            f"noise level need at least {LEAST_POINTS} points with {LEAST_LEVELS} of each"
        )
    together = float(np.corrcoef(np.log(n), np.log(d))[0, 1])
    if abs(together) > _IN_STEP:
        return (
            f"not identifiable: the amount of data moves in step with the size (correlation {together:.4f} of their "
            "logs), so their two terms cannot be told apart. Points with other data at the same size would tell"
        )
    return None


def _curve_in_data(d: Floats, loss: Floats, confidence: float) -> SurfaceFit:
    """One common size: what is left is a curve in D, whose floor holds E and the size's term together."""
    curve = fit_floor(d, loss, confidence)
    words = "not identifiable: all points have one size, so alpha leaves no trace and E cannot be told from A N^-alpha"
    if not curve.identified:
        return _nothing(f"{words}; B and beta neither ({curve.reason})", d.size, confidence)
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
        confidence=confidence,
    )


def _nothing(reason: str, n_points: int, confidence: float) -> SurfaceFit:
    return SurfaceFit(
        E=None,
        A=None,
        B=None,
        alpha=None,
        beta=None,
        identified=False,
        converged=False,
        reason=reason,
        n_points=int(n_points),
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


def _noise(theta_K: Floats, points: huber.Points) -> float:
    residual = huber.log_loss(theta_K[None], points.x_n, points.z_n)[0] - points.y_n
    free = max(residual.size - huber.PARAMETERS, 1)
    return float(1.4826 * np.median(np.abs(residual)) * np.sqrt(residual.size / free))


def _bootstrap(
    points: huber.Points, best_K: Floats, delta: float, draws: int, seed: int
) -> tuple[Floats, float | None]:
    """The minimum of every draw of the points with replacement, and the share of draws whose minimum converged."""
    if draws == 0:
        return best_K[None], None
    n = points.x_n.size
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64)
    near = best_K + np.array(_BESIDE)
    beside = len(near)
    drawn = huber.Points(x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=np.repeat(counts, beside, axis=0))
    minima = huber.minimise(drawn, np.tile(near, (draws, 1)), delta)
    rows, chosen = np.arange(draws), minima.objective_M.reshape(draws, beside).argmin(axis=1)
    theta = minima.theta_MK.reshape(draws, beside, huber.PARAMETERS)[rows, chosen]
    return theta, float(minima.converged_M.reshape(draws, beside)[rows, chosen].mean())


def _interval(low: float, high: float) -> Interval | None:
    return (float(low), float(high)) if np.isfinite(high) else None


def _doubts(converged: bool, ends: Floats | None, lowest: float, confidence: float) -> list[str]:
    if ends is None:
        return ["not identifiable: no bootstrap draws were asked for, so there are no intervals"]
    doubts = [] if converged else ["the search for the optimum did not converge"]
    if ends[0, 0] < _NO_FLOOR * lowest:
        doubts.append(f"E is not told from 0 ({confidence:.0%} interval)")
    for column, name, term in ((3, "alpha", "size"), (4, "beta", "data")):
        if ends[0, column] <= 0.0 <= ends[1, column]:
            doubts.append(f"{name} is not told from 0, so the {term}'s term not from a constant")
    return doubts
