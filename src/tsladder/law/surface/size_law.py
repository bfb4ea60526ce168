"""Law of size at equal data: the exponent over the sizes' means, with its interval and the effect of ten times N."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tsladder.artifacts.law_evidence import SizeLeftOut
from tsladder.law.design import Design, Labels
from tsladder.law.points import size_in_words
from tsladder.law.surface.size_slope import Floats, SizeSlope
from tsladder.law.surface.surface_fit import Interval, Surface, SurfaceFit
from tsladder.law.surface.tenfold import Tenfold, along_optimum, at_same_data, of_exponent
from tsladder.law.wording import degrees_in_words

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
class SizeTable:
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


def law_of_slope(
    table: SizeTable,
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
    """Return the law of the sizes' means. `how`: how size was judged, in words; `ends`: a further interval that the
    law's own must hold."""
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


def no_exponent(table: SizeTable, surface: Surface, reason: str, lack_of_fit_p: float | None = None) -> SizeLaw:
    """Return a law without an exponent, for `reason`."""
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


def amount_in_words(table: SizeTable) -> str:
    """Name the amount of data at which sizes are compared."""
    return f"n_data = {size_in_words(float(np.exp(np.log(table.d_P).mean())))}, the geometric mean"
