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

import numpy as np

from tsladder.law.curve.line import ROUNDING
from tsladder.law.design import SAME_AMOUNT, SAME_SIZE, Kind, design_of, groups_of
from tsladder.law.surface.additive_surface import search_surface
from tsladder.law.surface.leave_one_size_out import by_plane, by_surface, by_two_way
from tsladder.law.surface.outliers import clip_outliers
from tsladder.law.surface.plane import MOSTLY_SINGLE, fit_floor_in_data, fit_floor_in_size, fit_plane
from tsladder.law.surface.size_law import SizeLaw, SizeTable, Source, amount_in_words, law_of_slope, no_exponent
from tsladder.law.surface.size_slope import (
    SIZES_OF_A_CURVE,
    Curve,
    Floats,
    SizeSlope,
    p_of_terms,
    partial_residuals,
    two_way,
)
from tsladder.law.surface.surface_fit import Interval, Surface
from tsladder.law.surface.threshold import HuberDelta
from tsladder.law.wording import p_in_words


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
    table = SizeTable(
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
        return no_exponent(
            table, surface, f"n_data and n_params: {table.design.kind.value}, so none is judged at equal data"
        )
    if table.design.n_sizes < 3:
        return no_exponent(
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


def _by_surface(table: SizeTable, surface: Surface) -> SizeLaw | None:
    fit, best, drawn = surface.fit, surface.theta_K, surface.theta_DK
    if best is None or drawn is None or not fit.converged:
        return None
    if not fit.identified and (table.design.shared or not (_told(fit.alpha_ci) or _told(fit.beta_ci))):
        return None
    equal_P = np.zeros_like(table.z_P)
    here, there = (_fitted(surface, table.x_P, z) for z in (table.z_P, equal_P))
    residual, outlying = clip_outliers(table, table.y_P - here, fit.noise)
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
    return law_of_slope(
        table,
        surface,
        slope,
        source=Source.SURFACE,
        how=f"each point's loss is brought by the surface to {amount_in_words(table)}",
        ends=(float(low), float(high)),
        beta=fit.beta,
        lack_of_fit_p=p,
        left_out=left_out,
        doubts=doubts,
        residuals=table.y_P - here,
    )


def _told(interval: Interval | None) -> bool:
    return interval is not None and not interval[0] <= 0.0 <= interval[1]


def _by_grid(table: SizeTable, surface: Surface) -> SizeLaw | None:
    if not table.design.shared or (slope := _two_way(table, table.y_P)) is None:
        return None
    cells = len(np.unique(np.column_stack([table.size_P, table.amount_P]), axis=0))
    complete = cells == table.design.n_sizes * table.design.n_amounts
    p = slope.interaction_p
    bends = p is not None and p < 1.0 - surface.fit.confidence
    if bends and not complete:
        words = "the effects of sizes and data do not add up in logs, in a table where not every size has every amount"
        words += f" ({_p(p)})"
        return no_exponent(table, surface, f"no form fits: {words}, and of the surface: {surface.fit.reason}", p)
    doubts = ["the exponent differs between amounts of data; this is the mean over the table's"] if bends else []
    return law_of_slope(
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


def _by_plane(table: SizeTable, surface: Surface) -> SizeLaw:
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
        return law_of_slope(
            table,
            surface,
            plane.slope,
            source=source,
            how=f"by {form}, at {amount_in_words(table)}"
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
        return no_exponent(table, surface, words)
    forms = ", ".join(f"{form} ({_p(p)})" for form, p in missed)
    return no_exponent(
        table,
        surface,
        f"no form fits: squares and product of the logs show a pattern that is missed by {forms}; of the surface: "
        f"{surface.fit.reason}",
        missed[0][1],
    )


def _two_way(table: SizeTable, y_P: Floats, curve: Curve | None = None) -> SizeSlope | None:
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


def _misfit_of_surface(table: SizeTable, residual_P: Floats, jacobian_PK: Floats) -> float | None:
    """Return p of a test that squares and product of the logs explain nothing of the residuals; where sizes have
    several points, of their variation within sizes."""
    x, z = table.x_P, table.z_P
    if table.y_P.size <= MOSTLY_SINGLE * table.design.n_sizes:
        return p_of_terms(jacobian_PK, np.column_stack([x**2, x * z, z**2]), residual_P)
    member = np.asarray(table.size_P[:, None] == np.arange(table.design.n_sizes), dtype=np.float64)
    return p_of_terms(np.column_stack([member, jacobian_PK]), np.column_stack([x * z, z**2]), residual_P)


def _p(p: float | None) -> str:
    return "p unknown" if p is None else p_in_words(p)
