"""The surface loss = E + A N^-alpha + B D^-beta over points whose sizes N and amounts of data D both vary.

The surface is fitted as in Hoffmann et al. (2022, approach 3) and the replication by Besiroglu et al. (2024): summed
Huber loss of the residuals of log loss (`tsladder.law.surface.huber`), from many starts and from those of
`tsladder.law.surface.projected`; the threshold is that of `tsladder.law.surface.threshold`.

Intervals are percentiles over bootstrap draws. A draw takes SIZES with replacement, each with all its points: a size's
configuration is itself a draw, whose luck all its amounts of data share (`tsladder.law.design`). Where every size has
one point this is a bootstrap of points. Draws with fewer than three sizes, three amounts or five points cannot identify
a surface and are drawn again. Each draw is minimised from the optimum, from two starts beside it and from projected
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from tsladder.law.curve.floor import fit_floor
from tsladder.law.design import SAME_AMOUNT, SAME_SIZE, Design, Kind, Labels, design_of, groups_of
from tsladder.law.surface import huber
from tsladder.law.surface.projected import projected_starts
from tsladder.law.surface.threshold import (
    PUBLISHED_DELTA,
    RESIDUALS,
    HuberDelta,
    Noise,
    from_noise,
    given,
    noise_of_replicates,
    pooled,
)

Floats = huber.Floats
Interval = tuple[float, float]

LEAST_POINTS = 8
LEAST_LEVELS = 3
ENOUGH_CONVERGED = 0.9
NAMES = ("E", "A", "B", "alpha", "beta")

_EXPONENTS = (0.05, 0.2, 0.4, 0.8, 1.5)
_SHARES = ((0.8, 0.1, 0.1), (0.45, 0.45, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8), (1 / 3, 1 / 3, 1 / 3))
_BESIDE = ((0.0,) * 5, (0.5, -0.3, 0.05, 0.1, -0.1), (-0.5, 0.3, -0.05, -0.1, 0.1))
_PROJECTED = 10
_PROJECTED_PER_DRAW = 2
_ITERATIONS_OF_A_DRAW = 60
"""Most iterations for a bootstrap draw. Draws that identify a surface need fewer than 20; the others never converge."""

_SAME_MINIMUM = 1e-6
_NO_FLOOR = 0.01
_AT_BOUND = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfaceFit:
    """A fitted surface; figures that are not identifiable are None.

    `objective`: the summed Huber loss at `huber_delta`, chosen for `delta_reason`. `noise`: robust sd of the log
    residuals. `starts_agreeing` of `starts` reached the least objective. `converged`: its gradient vanishes at a
    minimum inside the bounds. `draws_converged`: share of the bootstrap draws that converged. `identified`: every term
    differs significantly from none; `reason` says which does not. `doubts`: sentences on the reliability of the
    intervals. `residuals`: log(loss) - fitted, by size, then data.
    """

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
    delta_reason: str | None = None
    noise: float | None = None
    n_points: int = 0
    n_sizes: int = 0
    starts: int = 0
    starts_agreeing: int = 0
    draws: int = 0
    draws_converged: float | None = None
    confidence: float = 0.95
    doubts: tuple[str, ...] = ()
    residuals: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """A surface with the data for further figures, none of which exist where nothing could be fitted.

    `theta_K` and `theta_DK`: optimum and bootstrap draws in the parameters of `tsladder.law.surface.huber`. `points`:
    the centred points by size, then data. `centre`: mean logs of N and D.
    """

    fit: SurfaceFit
    points: huber.Points | None = None
    theta_K: Floats | None = None
    theta_DK: Floats | None = None
    centre: tuple[float, float] = (0.0, 0.0)

    def natural(self, theta_MK: Floats) -> Floats:
        """Convert each row of parameters to (E, A, B, alpha, beta) in the units of the table."""
        a, b, e, alpha, beta = theta_MK.T
        with np.errstate(over="ignore"):
            A, B = np.exp(a + alpha * self.centre[0]), np.exp(b + beta * self.centre[1])
            return np.column_stack([np.exp(e), A, B, alpha, beta])

    def log_loss(self, theta_MK: Floats, n_params_P: Floats, n_data_P: Floats) -> Floats:
        """Return the fitted log loss of each row of parameters at other points, M x P."""
        return huber.log_loss(theta_MK, np.log(n_params_P) - self.centre[0], np.log(n_data_P) - self.centre[1])


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
    if (obstacle := _obstacle(design, n.size)) is not None:
        return Surface(fit=_nothing(obstacle, n.size, design.n_sizes, confidence))
    x, z, y = np.log(n), np.log(d), np.log(loss)
    centre = float(x.mean()), float(z.mean())
    points = huber.Points(x_n=x - centre[0], z_n=z - centre[1], y_n=y)
    starts = np.concatenate([_starts(float(y.mean())), projected_starts(points, _PROJECTED)[0]])
    chosen = given(delta) if isinstance(delta, float) else delta
    minima = huber.minimise(points, starts, PUBLISHED_DELTA if chosen is None else chosen.delta)
    if chosen is None:
        chosen = from_noise(_residual_noise(_best(minima), points))
        if chosen.delta != PUBLISHED_DELTA:
            minima = huber.minimise(points, starts, chosen.delta)
    best = _best(minima)
    least = float(minima.objective_M.min())
    sizes, amounts = groups_of(n, SAME_SIZE), groups_of(d, SAME_AMOUNT)
    drawn, share = _bootstrap(points, sizes, amounts, best, chosen.delta, draws, seed)
    surface = Surface(fit=_nothing("", 0, 0, confidence), points=points, theta_K=best, theta_DK=drawn, centre=centre)
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    ends = np.quantile(surface.natural(drawn), tails, axis=0) if draws else None
    cis: list[Interval | None] = [None] * 5 if ends is None else [_interval(low, high) for low, high in ends.T]
    E, A, B, alpha, beta = map(float, surface.natural(best[None])[0])
    converged = bool(minima.converged_M[int(minima.objective_M.argmin())])
    no_progress = _untold(converged, ends, float(loss.min()), confidence)
    doubts = () if ends is None else _doubts(np.quantile(drawn, tails, axis=0), share)
    fit = SurfaceFit(
        E=E,
        A=A,
        B=B,
        alpha=alpha,
        beta=beta,
        identified=not no_progress,
        converged=converged,
        reason="; ".join(no_progress) or f"every term is told from none ({confidence:.0%} bootstrap intervals)",
        E_ci=cis[0],
        A_ci=cis[1],
        B_ci=cis[2],
        alpha_ci=cis[3],
        beta_ci=cis[4],
        objective=least,
        huber_delta=chosen.delta,
        delta_reason=chosen.reason,
        noise=_residual_noise(best, points).sd,
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The points of one group of a table, fitted by one surface. `se_P`: standard error of each loss, None where
    unknown; `replicates_P`: number of rows that each point averages."""

    n_params_P: Sequence[float]
    n_data_P: Sequence[float]
    loss_P: Sequence[float]
    se_P: Sequence[float | None] = ()
    replicates_P: Sequence[int] = ()


def delta_of_groups(groups: Sequence[Group]) -> HuberDelta:
    """Choose one threshold for all surfaces of a table.

    It follows from the spread of replicates where that is known, else from the residuals of all groups around their
    surfaces at the published threshold.
    """
    known = [noise_of_replicates(each.loss_P, each.se_P, each.replicates_P) for each in groups if each.se_P]
    noise = pooled([each for each in known if each is not None])
    if noise is None:
        found = [
            search_surface(each.n_params_P, each.n_data_P, each.loss_P, draws=0, delta=PUBLISHED_DELTA)
            for each in groups
        ]
        noise = pooled(
            [_residual_noise(s.theta_K, s.points) for s in found if s.theta_K is not None and s.points is not None]
        )
    if noise is None:
        return HuberDelta(delta=PUBLISHED_DELTA, noise=None, reason="the published 1e-3; no surface tells its noise")
    return from_noise(noise)


def _obstacle(design: Design, points: int) -> str | None:
    """Return why five parameters cannot be identified from these points; None where they may be."""
    if points < LEAST_POINTS or min(design.n_sizes, design.n_amounts) < LEAST_LEVELS:
        return (
            f"not identifiable: {points} points of {design.n_sizes} sizes and {design.n_amounts} amounts of data; five "
            f"parameters and a noise level need at least {LEAST_POINTS} points with {LEAST_LEVELS} of each"
        )
    if design.kind is Kind.IN_STEP:
        return (
            "not identifiable: the amount of data moves in step with the size (it leaves "
            f"{design.left_of_size:.2g} of the spread of log N), so their two terms cannot be told apart. Points with "
            "other data at the same size would tell"
        )
    return None


def _curve_in_data(d: Floats, loss: Floats, confidence: float) -> SurfaceFit:
    """Fit points of one common size: what remains is a curve in D, whose floor holds E and the size's term together."""
    curve = fit_floor(d, loss, confidence)
    words = "not identifiable: all points have one size, so alpha leaves no trace and E cannot be told from A N^-alpha"
    if not curve.identified:
        return _nothing(f"{words}; B and beta neither ({curve.reason})", d.size, 1, confidence)
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


def _nothing(reason: str, n_points: int, n_sizes: int, confidence: float) -> SurfaceFit:
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
        n_sizes=n_sizes,
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


def _residual_noise(theta_K: Floats, points: huber.Points) -> Noise:
    """Return 1.4826 times the median absolute residual, corrected for five parameters."""
    residual = huber.log_loss(theta_K[None], points.x_n, points.z_n)[0] - points.y_n
    free = max(residual.size - huber.PARAMETERS, 1)
    sd = float(1.4826 * np.median(np.abs(residual)) * np.sqrt(residual.size / free))
    return Noise(sd=sd, dof=float(free), source=RESIDUALS)


def nearby_minima(points: huber.Points, best_K: Floats, delta: float) -> huber.Minima:
    """Return the least minimum for every row of `points.weight_Mn`, from `best_K`, starts beside it and projected
    starts."""
    assert points.weight_Mn is not None  # noqa: S101
    problems = len(points.weight_Mn)
    beside = np.broadcast_to(best_K + np.array(_BESIDE), (problems, len(_BESIDE), huber.PARAMETERS))
    starts = np.concatenate([beside, projected_starts(points, _PROJECTED_PER_DRAW)], axis=1)
    each = starts.shape[1]
    many = huber.Points(
        x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=np.repeat(points.weight_Mn, each, axis=0)
    )
    minima = huber.minimise(many, starts.reshape(-1, huber.PARAMETERS), delta, iterations=_ITERATIONS_OF_A_DRAW)
    rows, chosen = np.arange(problems), minima.objective_M.reshape(problems, each).argmin(axis=1)
    at = rows * each + chosen
    return huber.Minima(
        theta_MK=minima.theta_MK[at],
        objective_M=minima.objective_M[at],
        gradient_M=minima.gradient_M[at],
        converged_M=minima.converged_M[at],
    )


def _bootstrap(
    points: huber.Points, sizes: Labels, amounts: Labels, best_K: Floats, delta: float, draws: int, seed: int
) -> tuple[Floats, float | None]:
    """Return the minimum of every draw of sizes with replacement, and the share of draws that converged."""
    if draws == 0:
        return best_K[None], None
    counts = _counts(sizes, amounts, draws, np.random.default_rng(seed))
    drawn = huber.Points(x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=counts)
    minima = nearby_minima(drawn, best_K, delta)
    return minima.theta_MK, float(minima.converged_M.mean())


def _counts(sizes: Labels, amounts: Labels, draws: int, rng: np.random.Generator) -> Floats:
    """Return how often each draw contains each point, D x n."""
    number = int(sizes.max()) + 1
    of_amount = np.zeros((sizes.size, int(amounts.max()) + 1))
    of_amount[np.arange(sizes.size), amounts] = 1.0
    kept: list[Floats] = []
    missing = draws
    while missing:
        drawn = rng.multinomial(number, np.full(number, 1.0 / number), size=missing)
        held = (drawn[:, sizes] > 0).astype(np.float64)
        enough = ((drawn > 0).sum(axis=1) >= LEAST_LEVELS) & (held.sum(axis=1) >= huber.PARAMETERS)
        enough &= ((held @ of_amount) > 0.0).sum(axis=1) >= LEAST_LEVELS
        kept.append(drawn[enough][:, sizes].astype(np.float64))
        missing -= int(enough.sum())
    return np.concatenate(kept)


def _interval(low: float, high: float) -> Interval | None:
    return (float(low), float(high)) if np.isfinite(high) else None


def _untold(converged: bool, ends: Floats | None, lowest: float, confidence: float) -> list[str]:
    if ends is None:
        return ["not identifiable: no bootstrap draws were asked for, so there are no intervals"]
    no_progress = [] if converged else ["the search for the optimum did not converge"]
    if ends[0, 0] < _NO_FLOOR * lowest:
        no_progress.append(f"E is not told from 0 ({confidence:.0%} interval)")
    for column, name, term in ((3, "alpha", "size"), (4, "beta", "data")):
        if ends[0, column] <= 0.0 <= ends[1, column]:
            no_progress.append(f"{name} is not told from 0, so the {term}'s term not from a constant")
    return no_progress


def _doubts(ends_2K: Floats, converged: float | None) -> tuple[str, ...]:
    """Return sentences on the intervals. `ends_2K`: quantiles of the draws in the parameters of
    `tsladder.law.surface.huber`."""
    doubts = []
    if converged is not None and converged < ENOUGH_CONVERGED:
        doubts.append(
            f"only {converged:.0%} of the bootstrap draws ended in a minimum inside the bounds, so the intervals of "
            "these constants are rough"
        )
    for column, name in ((3, "alpha"), (4, "beta")):
        for end, which in zip(ends_2K[:, column], ("lower", "upper"), strict=True):
            if abs(end) > huber.STEEPEST * (1.0 - _AT_BOUND):
                doubts.append(
                    f"the {which} end of {name}'s interval is the bound of the search ({end:.0f}): the points set none"
                )
    for column, name in ((0, "size's term"), (1, "data's term"), (2, "floor E")):
        if ends_2K[0, column] < -huber.FAINTEST * (1.0 - _AT_BOUND):
            doubts.append(f"the lower end of the {name} is the bound of the search, a term that is absent")
    return tuple(doubts)
