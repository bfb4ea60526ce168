"""The effect of size at equal data, where a table's amounts of data vary, and the choice of the form that judges it.

1. The surface E + A N^-alpha + B D^-beta, where it converged and its terms differ significantly from none: it knows how
   both terms bend. Where the sizes' amounts of data differ (IsoFLOP designs) only one of the two exponents must be
   significant, since only the data's part is taken from the surface: each point's loss is brought to one amount, and
   the uncertainty of either term shows in the interval.
2. Amounts of data as fixed effects, where sizes share them: no form for either, sizes as the replicates.
3. A plane in logs, or where that is shown to miss a pattern one with a floor under the data's or the size's term.

Each of them yields to the next where it is shown to miss a pattern. Where all of them are, a surface whose terms are
all significant is kept, with a doubt; without one no form fits, and there is no exponent.

The judged exponent is the slope over log N of the sizes' mean log losses at equal data, at the geometric mean of D
(under 2, of a complete table, the mean over its amounts). Its interval holds the t interval of
`tsladder.law.surface.size_slope` and, with a surface, that of the same figure in the draws of sizes: at either end the
outer one. For a shared table of fewer than six sizes it also holds the interval of the fixed effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tsladder.artifacts.law_evidence import SizeLeftOut
from tsladder.law.curve.line import ROUNDING
from tsladder.law.design import SAME_AMOUNT, SAME_SIZE, Design, Kind, Labels, design_of, groups_of
from tsladder.law.points import size_in_words
from tsladder.law.surface.additive_surface import Interval, Surface, SurfaceFit, search_surface
from tsladder.law.surface.leave_one_size_out import by_plane, by_surface, by_two_way
from tsladder.law.surface.plane import MOSTLY_SINGLE, fit_floor_in_data, fit_floor_in_size, fit_plane
from tsladder.law.surface.size_slope import (
    SIZES_OF_A_CURVE,
    Curve,
    Floats,
    SizeSlope,
    p_of_terms,
    partial_residuals,
    two_way,
)
from tsladder.law.surface.tenfold import Tenfold, along_optimum, at_same_data, of_exponent
from tsladder.law.surface.threshold import HuberDelta
from tsladder.law.wording import degrees_in_words, p_in_words

OUTLIER = 4.0
ENOUGH_FOR_OUTLIERS = 40
"""Fewest points for a treatment of outliers: with fewer, the robust noise can be small by luck, and ordinary scatter
would pass for outliers."""

_MOST_NAMED = 5
_COLLINEAR = 10.0
"""Inflation of the variance from which a sentence names its cost."""


class Source(StrEnum):
    SURFACE = "surface"
    GRID = "grid of sizes and data"
    PLANE = "plane"
    FLOOR_IN_DATA = "plane with a floor in the data"
    FLOOR_IN_SIZE = "plane with a floor in the size"


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeMean:
    """The geometric mean loss of one size at `reference_data`; `residual`: log of that loss less the fitted one."""

    n_params: float
    n_points: int
    loss: float
    residual: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeLaw:
    """The effect of size at equal data. All figures are None without a `source`; `reason` then says why, else how size
    was judged.

    `alpha`: mean exponent over the sizes at equal data. `alpha_se`: the standard error that gives `alpha_ci` at `dof`
    degrees of freedom, with `alpha_se` = `residual_sd` / sqrt(`log_n_spread`): the spread is the one that an ordinary
    ladder of this precision would have. `beta`: exponent of the data, from a surface or plane. `lack_of_fit_p`: p that
    the form used (without a source: the plane) misses nothing; None where it cannot be tested. `extrapolation`: the
    largest size predicted from the others. `doubts`: caveats in sentences. `residuals`: log(loss) - fitted by
    the surface or, without one, by the plane, by size, then data.
    """

    design: Design
    source: Source | None
    reason: str
    confidence: float
    surface: SurfaceFit
    n_points: int
    n_sizes: int
    alpha: float | None = None
    alpha_ci: Interval | None = None
    alpha_se: float | None = None
    dof: float | None = None
    residual_sd: float | None = None
    log_n_spread: float | None = None
    beta: float | None = None
    reference_n: float | None = None
    reference_data: float | None = None
    loss_at_reference: float | None = None
    lack_of_fit_p: float | None = None
    tenfold_at_same_data: Tenfold | None = None
    tenfold_along_optimum: Tenfold | None = None
    size_means: tuple[SizeMean, ...] = ()
    left_out: tuple[SizeLeftOut, ...] = ()
    extrapolation: SizeLeftOut | None = None
    doubts: tuple[str, ...] = ()
    residuals: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """The points by size, then data; `x_P` and `z_P`: centred logs of N and D."""

    n_P: Floats
    d_P: Floats
    y_P: Floats
    x_P: Floats
    z_P: Floats
    size_P: Labels
    amount_P: Labels
    design: Design
    least_noise: float


def judge_sizes(
    n_params_P: Sequence[float] | Floats,
    n_data_P: Sequence[float] | Floats,
    loss_P: Sequence[float] | Floats,
    *,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    delta: float | HuberDelta | None = None,
    least_noise: float = ROUNDING,
    surface: Surface | None = None,
) -> SizeLaw:
    """Judge the effect of size from points of (N, D, loss), replicates averaged beforehand, in any order.

    The function is meant for `Kind.VARYING` (`tsladder.law.design`): other designs get their surface and no source.
    `delta`: threshold of the surface's loss, see `tsladder.law.surface.threshold`. `least_noise`: lower bound on the
    relative sd of each point, from rounding. `surface`: result of `search_surface` for the same points, if the caller
    has it; its settings then apply.
    """
    n, d, loss = (np.asarray(values, dtype=np.float64) for values in (n_params_P, n_data_P, loss_P))
    order = np.lexsort((loss, d, n))
    n, d, loss = n[order], d[order], loss[order]
    if surface is None:
        surface = search_surface(n, d, loss, confidence=confidence, draws=draws, seed=seed, delta=delta)
    x, z = np.log(n), np.log(d)
    table = _Table(
        n_P=n,
        d_P=d,
        y_P=np.log(loss),
        x_P=x - x.mean(),
        z_P=z - z.mean(),
        size_P=groups_of(n, SAME_SIZE),
        amount_P=groups_of(d, SAME_AMOUNT),
        design=design_of(n, d),
        least_noise=least_noise,
    )
    if table.design.kind is not Kind.VARYING:
        return _without(
            table, surface, f"n_data and n_params: {table.design.kind.value}, so none is judged at equal data"
        )
    if table.design.n_sizes < 3:
        return _without(
            table,
            surface,
            f"{table.design.n_sizes} sizes (closer than 10 % count as one): fewer than three have no error to judge by",
        )
    of_surface = _by_surface(table, surface)
    if of_surface is not None and not _rejected(of_surface):
        return of_surface
    other = _by_grid(table, surface) or _by_plane(table, surface)
    # A surface whose terms are all told describes the points best even where it misses a pattern, and says so.
    return of_surface if of_surface is not None and other.source is None and surface.fit.identified else other


def _rejected(law: SizeLaw) -> bool:
    return law.lack_of_fit_p is not None and law.lack_of_fit_p < 1.0 - law.confidence


def _by_surface(table: _Table, surface: Surface) -> SizeLaw | None:
    fit, best, drawn = surface.fit, surface.theta_K, surface.theta_DK
    if best is None or drawn is None or not fit.converged:
        return None
    if not fit.identified and (table.design.shared or not (_told(fit.alpha_ci) or _told(fit.beta_ci))):
        return None
    equal_P = np.zeros_like(table.z_P)
    here, there = (_fitted(surface, table.x_P, z) for z in (table.z_P, equal_P))
    residual, outlying = _held_in(table, table.y_P - here, fit.noise)
    x_G = np.bincount(table.size_P, weights=table.x_P) / np.bincount(table.size_P)
    reference_G = _fitted(surface, x_G, np.zeros_like(x_G))
    slope = None
    if table.design.shared:
        tangent = _jacobian(best, x_G, np.zeros_like(x_G))[:, [0, 3]]
        slope = _two_way(table, residual + there, Curve(value_G=reference_G, tangent_G2=tangent))
    jacobian = _jacobian(best, table.x_P, table.z_P)
    if slope is None:
        slope = partial_residuals(
            residual,
            reference_G,
            jacobian,
            _jacobian(best, table.x_P, equal_P),
            table.x_P,
            table.size_P,
            least_noise=table.least_noise,
        )
    if slope is None:
        return None
    weight = (x_G - x_G.mean()) / float(np.sum((x_G - x_G.mean()) ** 2))
    alphas = -surface.log_loss(drawn, np.exp(x_G + surface.centre[0]), np.full(x_G.size, np.exp(surface.centre[1])))
    tails = [(1.0 - fit.confidence) / 2.0, (1.0 + fit.confidence) / 2.0]
    low, high = np.quantile(alphas @ weight, tails)
    if table.design.shared and table.design.n_sizes < SIZES_OF_A_CURVE and (plain := _two_way(table, table.y_P)):
        # A surface through the luck of a few sizes follows it: no sign is said that fixed effects would not say.
        ends = plain.interval(fit.confidence)
        low, high = min(low, ends[0]), max(high, ends[1])
    left_out = by_surface(surface, table.size_P)
    p = _misfit_of_surface(table, residual, jacobian)
    doubts = [*fit.doubts, *outlying]
    if not fit.identified:
        doubts.append(f"of the surface only the data's part is used, for not every term is told: {fit.reason}")
    if p is not None and p < 1.0 - fit.confidence:
        doubts.append(f"the surface misses a pattern in the points (squares and product of the logs, {_p(p)})")
    return _law(
        table,
        surface,
        slope,
        source=Source.SURFACE,
        how=f"each point's loss is brought by the surface to {_amount(table)}",
        ends=(float(low), float(high)),
        beta=fit.beta,
        lack_of_fit_p=p,
        left_out=left_out,
        doubts=doubts,
        residuals=table.y_P - here,
    )


def _held_in(table: _Table, residual_P: Floats, noise: float | None) -> tuple[Floats, list[str]]:
    """Clip the residuals of outliers to `OUTLIER` noises, and name those points in a sentence.

    The surface's Huber loss tolerates a few gross errors; without the clipping they would move the sizes' means and
    widen every interval.
    """
    if noise is None or residual_P.size < ENOUGH_FOR_OUTLIERS:
        return residual_P, []
    far = np.flatnonzero(np.abs(residual_P) > OUTLIER * noise)
    if not far.size:
        return residual_P, []
    named = [
        f"{size_in_words(float(table.n_P[at]))} on {size_in_words(float(table.d_P[at]))} "
        f"({np.expm1(residual_P[at]):+.1%})"
        for at in far[np.argsort(-np.abs(residual_P[far]))][:_MOST_NAMED]
    ]
    words = (
        f"{far.size} of {residual_P.size} points lie further than {OUTLIER:g} noises off the surface and count as "
        "that far: " + ", ".join(named) + (f" and {far.size - len(named)} more" if far.size > len(named) else "")
    )
    return np.clip(residual_P, -OUTLIER * noise, OUTLIER * noise), [words]


def _told(interval: Interval | None) -> bool:
    return interval is not None and not interval[0] <= 0.0 <= interval[1]


def _by_grid(table: _Table, surface: Surface) -> SizeLaw | None:
    if not table.design.shared or (slope := _two_way(table, table.y_P)) is None:
        return None
    cells = len(np.unique(np.column_stack([table.size_P, table.amount_P]), axis=0))
    complete = cells == table.design.n_sizes * table.design.n_amounts
    p = slope.interaction_p
    bends = p is not None and p < 1.0 - surface.fit.confidence
    if bends and not complete:
        words = "the effects of sizes and data do not add up in logs, in a table where not every size has every amount"
        return _without(table, surface, f"no form fits: {words} ({_p(p)}), and of the surface: {surface.fit.reason}", p)
    doubts = ["the exponent differs between amounts of data; this is the mean over the table's"] if bends else []
    return _law(
        table,
        surface,
        slope,
        source=Source.GRID,
        how="amounts of data are fixed effects, and each size enters with one mean",
        ends=None,
        beta=None,
        lack_of_fit_p=p,
        left_out=by_two_way(table.y_P, np.log(table.n_P), np.log(table.d_P), table.size_P, table.amount_P),
        doubts=doubts,
        residuals=None,
    )


def _by_plane(table: _Table, surface: Surface) -> SizeLaw:
    level = 1.0 - surface.fit.confidence
    missed = []
    for source, form, fit in (
        (Source.PLANE, "a plane in logs", fit_plane),
        (Source.FLOOR_IN_DATA, "N^-alpha (E + B D^-beta)", fit_floor_in_data),
        (Source.FLOOR_IN_SIZE, "D^-beta (E + A N^-alpha)", fit_floor_in_size),
    ):
        plane = fit(table.y_P, table.x_P, table.z_P, table.size_P, least_noise=table.least_noise)
        if plane is None:
            continue
        p = plane.lack_of_fit_p
        if p is not None and p < level:
            missed.append((form, p))
            continue
        doubts = [] if p is not None else [f"too few points to test whether {form} fits them"]
        return _law(
            table,
            surface,
            plane.slope,
            source=source,
            how=f"by {form}, at {_amount(table)}"
            + "".join(f"; {other} misses a pattern ({_p(q)})" for other, q in missed),
            ends=None,
            beta=plane.beta,
            lack_of_fit_p=p,
            left_out=by_plane(fit, table.y_P, np.log(table.n_P), np.log(table.d_P), table.size_P),
            doubts=doubts,
            residuals=table.y_P - plane.log_loss(table.x_P, table.z_P),
        )
    if not missed:
        words = f"{table.y_P.size} points leave no scatter to judge the sizes by beside the effect of the data"
        return _without(table, surface, words)
    forms = ", ".join(f"{form} ({_p(p)})" for form, p in missed)
    return _without(
        table,
        surface,
        f"no form fits: squares and product of the logs show a pattern that is missed by {forms}; of the surface: "
        f"{surface.fit.reason}",
        missed[0][1],
    )


def _law(
    table: _Table,
    surface: Surface,
    slope: SizeSlope,
    *,
    source: Source,
    how: str,
    ends: Interval | None,
    beta: float | None,
    lack_of_fit_p: float | None,
    left_out: tuple[SizeLeftOut, ...],
    doubts: Sequence[str],
    residuals: Floats | None,
) -> SizeLaw:
    confidence, alpha = surface.fit.confidence, 0.0 - slope.slope
    low, high = slope.interval(confidence)
    t_width = high - low
    if ends is not None:
        low, high = min(low, ends[0]), max(high, ends[1])
    se = slope.se * (high - low) / t_width
    count = np.bincount(table.size_P)
    reference_n = float(np.exp(slope.x_G.mean() + np.log(table.n_P).mean()))
    reference_data = float(np.exp(np.log(table.d_P).mean()))
    told = list(doubts)
    if (inflation := table.design.inflation) > _COLLINEAR:
        told.append(
            f"size and data nearly move in step: that makes the variance of the exponent {inflation:.0f} times that at "
            "constant data"
        )
    tenfold, optimum = of_exponent(alpha, (low, high), middle_n=reference_n, n_data=reference_data), None
    if source is Source.SURFACE and surface.fit.identified:
        tenfold = at_same_data(surface, middle_n=reference_n, n_data=reference_data, alpha=alpha, alpha_ci=(low, high))
        optimum = along_optimum(surface, middle_n=reference_n, alpha=alpha, alpha_ci=(low, high))
    means = tuple(
        SizeMean(
            n_params=float(np.exp(x + np.log(table.n_P).mean())),
            n_points=int(points),
            loss=float(np.exp(mean)),
            residual=float(left),
        )
        for x, points, mean, left in zip(slope.x_G, count, slope.mean_G, slope.residual_G, strict=True)
    )
    top = left_out[-1] if left_out and np.isclose(left_out[-1].n_params, means[-1].n_params, rtol=0.1) else None
    return SizeLaw(
        design=table.design,
        source=source,
        reason=f"{how}: {table.design.n_sizes} sizes are the replicates, {degrees_in_words(slope.dof)}",
        confidence=confidence,
        surface=surface.fit,
        n_points=int(table.y_P.size),
        n_sizes=table.design.n_sizes,
        alpha=alpha,
        alpha_ci=(low, high),
        alpha_se=se,
        dof=slope.dof,
        residual_sd=slope.noise,
        log_n_spread=(slope.noise / se) ** 2,
        beta=beta,
        reference_n=reference_n,
        reference_data=reference_data,
        loss_at_reference=float(np.exp(slope.mean_G.mean())),
        lack_of_fit_p=lack_of_fit_p,
        tenfold_at_same_data=tenfold,
        tenfold_along_optimum=optimum,
        size_means=means,
        left_out=left_out,
        extrapolation=top,
        doubts=tuple(told),
        residuals=() if residuals is None else tuple(residuals.tolist()),
    )


def _without(table: _Table, surface: Surface, reason: str, lack_of_fit_p: float | None = None) -> SizeLaw:
    return SizeLaw(
        design=table.design,
        source=None,
        reason=reason,
        confidence=surface.fit.confidence,
        surface=surface.fit,
        n_points=int(table.y_P.size),
        n_sizes=table.design.n_sizes,
        lack_of_fit_p=lack_of_fit_p,
        doubts=surface.fit.doubts,
    )


def _two_way(table: _Table, y_P: Floats, curve: Curve | None = None) -> SizeSlope | None:
    return two_way(y_P, table.x_P, table.z_P, table.size_P, table.amount_P, curve=curve, least_noise=table.least_noise)


def _fitted(surface: Surface, x: Floats, z: Floats) -> Floats:
    assert surface.theta_K is not None  # noqa: S101
    fitted = surface.log_loss(surface.theta_K[None], np.exp(x + surface.centre[0]), np.exp(z + surface.centre[1]))
    return np.asarray(fitted[0])


def _jacobian(theta_K: Floats, x_P: Floats, z_P: Floats) -> Floats:
    """Return the derivatives of the fitted log loss by the five parameters of `tsladder.law.surface.huber`, P x 5."""
    size, data = theta_K[0] - theta_K[3] * x_P, theta_K[1] - theta_K[4] * z_P
    floor = np.full_like(x_P, theta_K[2])
    total = np.logaddexp(np.logaddexp(size, data), floor)
    size, data, floor = np.exp(size - total), np.exp(data - total), np.exp(floor - total)
    return np.column_stack([size, data, floor, -x_P * size, -z_P * data])


def _misfit_of_surface(table: _Table, residual_P: Floats, jacobian_PK: Floats) -> float | None:
    """Return p of a test that squares and product of the logs explain nothing of the residuals; where sizes have
    several points, of their variation within sizes."""
    x, z = table.x_P, table.z_P
    if table.y_P.size <= MOSTLY_SINGLE * table.design.n_sizes:
        return p_of_terms(jacobian_PK, np.column_stack([x**2, x * z, z**2]), residual_P)
    member = np.asarray(table.size_P[:, None] == np.arange(table.design.n_sizes), dtype=np.float64)
    return p_of_terms(np.column_stack([member, jacobian_PK]), np.column_stack([x * z, z**2]), residual_P)


def _amount(table: _Table) -> str:
    return f"n_data = {size_in_words(float(np.exp(np.log(table.d_P).mean())))}, the geometric mean"


def _p(p: float | None) -> str:
    return "p unknown" if p is None else p_in_words(p)
