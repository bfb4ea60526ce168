"""Fallbacks where no surface can be judged by: the plane in logs, log loss = level - alpha log N - beta log D, and the
power of N times a floored curve in D, loss = N^-alpha (E + B D^-beta), which holds where size does little and the data
much, a case that no surface with a term of size of its own can tell from others.

They hold over a narrow range only: a floor and the two terms' sum both bend them. So their lack of fit is tested by
what squares and the product of the logs explain beyond them. Replicates of a point are no measure of that (pure error):
they share the luck of the size's configuration, which would pass for lack of fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsladder.law.design import Labels
from tsladder.law.line import ROUNDING
from tsladder.law.size_slope import Floats, SizeSlope, p_of_terms, partial_residuals

STEEPEST = 5.0
MOSTLY_SINGLE = 1.5
"""Points a size up to which the points are tested as such: within sizes there is little to test."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """`level`: fitted log loss where x and z, log N and log D less their means, are 0. `floor`: share of the floor in
    it, 0 of a plane. `lack_of_fit_p`: None where too few points test it."""

    level: float
    alpha: float
    beta: float
    slope: SizeSlope
    lack_of_fit_p: float | None
    floor: float = 0.0

    def log_loss(self, x: Floats, z: Floats) -> Floats:
        return np.asarray(self.level - self.alpha * x + _of_data(z, self.beta, self.floor))


def _of_data(z: Floats, beta: float, floor: float) -> Floats:
    """log(floor + (1 - floor) exp(-beta z)), 0 where z is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.log(floor), np.log1p(-floor) - beta * z), dtype=np.float64)


def fit_plane(y_P: Floats, x_P: Floats, z_P: Floats, size_P: Labels, *, least_noise: float = ROUNDING) -> Plane | None:
    """Least squares; `x_P` and `z_P` centred. None where the points leave no scatter to judge the sizes by."""
    columns = np.column_stack([np.ones_like(x_P), x_P, z_P])
    level, slope_x, slope_z = np.linalg.lstsq(columns, y_P, rcond=None)[0]
    x_G = np.bincount(size_P, weights=x_P) / np.bincount(size_P)
    slope = partial_residuals(
        y_P - level - slope_x * x_P - slope_z * z_P,
        level + slope_x * x_G,
        columns,
        np.column_stack([np.ones_like(x_P), x_P, np.zeros_like(z_P)]),
        x_P,
        size_P,
        least_noise=least_noise,
    )
    if slope is None:
        return None
    return Plane(
        level=float(level),
        alpha=-float(slope_x),
        beta=-float(slope_z),
        slope=slope,
        lack_of_fit_p=_lack_of_fit(y_P, columns, x_P, z_P, size_P, slope),
    )


def fit_floored(
    y_P: Floats, x_P: Floats, z_P: Floats, size_P: Labels, *, least_noise: float = ROUNDING
) -> Plane | None:
    """loss = N^-alpha (E + B D^-beta) by least squares in logs, from nine starts; as `fit_plane` otherwise.

    Given beta and the floor's share, level and alpha have a closed form: the search is over those two.
    """
    from scipy.optimize import least_squares

    flat = np.column_stack([np.ones_like(x_P), -x_P])

    def linear(parameters: Floats) -> tuple[Floats, Floats]:
        rest = y_P - _of_data(z_P, float(parameters[0]), float(parameters[1]))
        found = np.asarray(np.linalg.lstsq(flat, rest, rcond=None)[0], dtype=np.float64)
        return found, np.asarray(rest - flat @ found, dtype=np.float64)

    def left(parameters: Floats) -> Floats:
        return linear(parameters)[1]

    solutions = [
        least_squares(
            left, (beta, floor), bounds=((-STEEPEST, 0.0), (STEEPEST, 0.9999)),
            xtol=1e-12, ftol=1e-14, gtol=1e-14, max_nfev=200,
        )
        for beta in (0.1, 0.4, 1.2)
        for floor in (0.1, 0.5, 0.9)
    ]  # fmt: skip
    beta, floor = map(float, min(solutions, key=lambda solution: float(solution.cost)).x)
    (level, alpha), residual = linear(np.array([beta, floor]))
    power = np.exp(np.log1p(-floor) - beta * z_P - _of_data(z_P, beta, floor))
    columns = np.column_stack([flat, -z_P * power, (1.0 - power) / max(floor, ROUNDING) - power / (1.0 - floor)])
    x_G = np.bincount(size_P, weights=x_P) / np.bincount(size_P)
    slope = partial_residuals(
        residual,
        level - alpha * x_G,
        columns,
        np.column_stack([flat, np.zeros((y_P.size, 2))]),
        x_P,
        size_P,
        least_noise=least_noise,
    )
    if slope is None:
        return None
    return Plane(
        level=float(level),
        alpha=float(alpha),
        beta=beta,
        slope=slope,
        lack_of_fit_p=_lack_of_fit(residual, columns, x_P, z_P, size_P, slope),
        floor=floor,
    )


def _lack_of_fit(
    y_P: Floats, columns_PK: Floats, x_P: Floats, z_P: Floats, size_P: Labels, slope: SizeSlope
) -> float | None:
    """p that squares and product explain nothing. Where sizes have several points their luck would pass for bends, so
    those within sizes and the one over sizes are tested apart (Bonferroni)."""
    if y_P.size <= MOSTLY_SINGLE * slope.x_G.size:
        return p_of_terms(columns_PK, np.column_stack([x_P**2, x_P * z_P, z_P**2]), y_P)
    member = np.asarray(size_P[:, None] == np.arange(slope.x_G.size), dtype=np.float64)
    within = p_of_terms(np.column_stack([member, columns_PK]), np.column_stack([x_P * z_P, z_P**2]), y_P)
    over = p_of_terms(np.column_stack([np.ones_like(slope.x_G), slope.x_G]), (slope.x_G**2)[:, None], slope.mean_G)
    known = [p for p in (within, over) if p is not None]
    return min(1.0, len(known) * min(known)) if known else None
