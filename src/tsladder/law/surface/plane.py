"""Fallback forms where no surface can be used: a plane in logs, and products of a power and a floored curve.

The plane is log loss = level - alpha log N - beta log D. The products are N^-alpha (E + B D^-beta) and D^-beta (E + A
N^-alpha); they hold where one variable has little effect and the other one's curve bends, a case in which a surface
with a term for each is not identifiable.

These forms hold over a narrow range only, since a floor and the sum of two terms both bend them. So their lack of fit
is tested by what squares and the product of the logs explain beyond them. Replicates of a point are no measure of it
(pure error): they share the luck of the size's configuration, which would pass for lack of fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsladder.law.curve.line import ROUNDING
from tsladder.law.design import Labels
from tsladder.law.surface.size_slope import Floats, SizeSlope, p_of_terms, partial_residuals

STEEPEST = 5.0
MOSTLY_SINGLE = 1.5
"""Most points per size at which lack of fit is tested on the points as such: within sizes there is little to test."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """A fitted plane or floored form. `level`: fitted log loss where x and z, log N and log D less their means, are 0.
    `floor_in_size`, `floor_in_data`: share of a floor in that term there, 0 without a floor. `lack_of_fit_p`: None
    where too few points test it."""

    level: float
    alpha: float
    beta: float
    slope: SizeSlope
    lack_of_fit_p: float | None
    floor_in_size: float = 0.0
    floor_in_data: float = 0.0

    def log_loss(self, x: Floats, z: Floats) -> Floats:
        of_size, of_data = _term(x, self.alpha, self.floor_in_size), _term(z, self.beta, self.floor_in_data)
        return np.asarray(self.level + of_size + of_data)


def _term(t: Floats, exponent: float, floor: float) -> Floats:
    """Return log(floor + (1 - floor) exp(-exponent t)), which is 0 where t is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.log(floor), np.log1p(-floor) - exponent * t), dtype=np.float64)


def _tangent(t: Floats, exponent: float, floor: float) -> Floats:
    """Return the derivatives of `_term` by exponent and floor, P x 2."""
    over, power = np.exp(-_term(t, exponent, floor)), np.exp(-exponent * t)
    return np.column_stack([-t * (1.0 - floor) * power * over, (1.0 - power) * over])


def fit_plane(y_P: Floats, x_P: Floats, z_P: Floats, size_P: Labels, *, least_noise: float = ROUNDING) -> Plane | None:
    """Fit a plane by least squares; `x_P` and `z_P` are centred logs.

    None where the points leave no scatter to judge the sizes by.
    """
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


def fit_floor_in_data(
    y_P: Floats, x_P: Floats, z_P: Floats, size_P: Labels, *, least_noise: float = ROUNDING
) -> Plane | None:
    """Fit loss = N^-alpha (E + B D^-beta), otherwise as `fit_plane`."""
    (level, alpha), beta, floor, residual = _floored(y_P, x_P, z_P)
    flat = np.column_stack([np.ones_like(x_P), -x_P])
    columns = np.column_stack([flat, _tangent(z_P, beta, floor)])
    x_G = np.bincount(size_P, weights=x_P) / np.bincount(size_P)
    equal = np.column_stack([flat, np.zeros((y_P.size, 2))])
    slope = partial_residuals(residual, level - alpha * x_G, columns, equal, x_P, size_P, least_noise=least_noise)
    if slope is None:
        return None
    p = _lack_of_fit(residual, columns, x_P, z_P, size_P, slope)
    return Plane(level=level, alpha=alpha, beta=beta, slope=slope, lack_of_fit_p=p, floor_in_data=floor)


def fit_floor_in_size(
    y_P: Floats, x_P: Floats, z_P: Floats, size_P: Labels, *, least_noise: float = ROUNDING
) -> Plane | None:
    """Fit loss = D^-beta (E + A N^-alpha), otherwise as `fit_plane`."""
    (level, beta), alpha, floor, residual = _floored(y_P, z_P, x_P)
    of_size = np.column_stack([np.ones_like(x_P), _tangent(x_P, alpha, floor)])
    columns = np.column_stack([of_size, -z_P])
    equal = np.column_stack([of_size, np.zeros_like(z_P)])
    x_G = np.bincount(size_P, weights=x_P) / np.bincount(size_P)
    reference_G = level + _term(x_G, alpha, floor)
    slope = partial_residuals(residual, reference_G, columns, equal, x_P, size_P, least_noise=least_noise)
    if slope is None:
        return None
    p = _lack_of_fit(residual, columns, x_P, z_P, size_P, slope)
    return Plane(level=level, alpha=alpha, beta=beta, slope=slope, lack_of_fit_p=p, floor_in_size=floor)


def _floored(y_P: Floats, straight_P: Floats, bent_P: Floats) -> tuple[tuple[float, float], float, float, Floats]:
    """Return ((level, exponent of the straight term), exponent and floor of the bent term, residuals), by least
    squares.

    Given the bent term the straight one has a closed form; the search over the bent one starts at nine places.
    """
    from scipy.optimize import least_squares

    flat = np.column_stack([np.ones_like(straight_P), -straight_P])

    def linear(parameters: Floats) -> tuple[Floats, Floats]:
        rest = y_P - _term(bent_P, float(parameters[0]), float(parameters[1]))
        found = np.asarray(np.linalg.lstsq(flat, rest, rcond=None)[0], dtype=np.float64)
        return found, np.asarray(rest - flat @ found, dtype=np.float64)

    def left(parameters: Floats) -> Floats:
        return linear(parameters)[1]

    solutions = [
        least_squares(
            left, (exponent, floor), bounds=((-STEEPEST, 0.0), (STEEPEST, 0.9999)),
            xtol=1e-12, ftol=1e-14, gtol=1e-14, max_nfev=200,
        )
        for exponent in (0.1, 0.4, 1.2)
        for floor in (0.1, 0.5, 0.9)
    ]  # fmt: skip
    best = min(solutions, key=lambda solution: float(solution.cost)).x
    (level, exponent), residual = linear(best)
    return (float(level), float(exponent)), float(best[0]), float(best[1]), residual


def _lack_of_fit(
    y_P: Floats, columns_PK: Floats, x_P: Floats, z_P: Floats, size_P: Labels, slope: SizeSlope
) -> float | None:
    """Return p of a test that squares and product of the logs explain nothing.

    Where sizes have several points, the luck of the sizes would pass for bends, so the terms within sizes and the
    square over sizes are tested separately (Bonferroni).
    """
    if y_P.size <= MOSTLY_SINGLE * slope.x_G.size:
        return p_of_terms(columns_PK, np.column_stack([x_P**2, x_P * z_P, z_P**2]), y_P)
    member = np.asarray(size_P[:, None] == np.arange(slope.x_G.size), dtype=np.float64)
    within = p_of_terms(np.column_stack([member, columns_PK]), np.column_stack([x_P * z_P, z_P**2]), y_P)
    over = p_of_terms(np.column_stack([np.ones_like(slope.x_G), slope.x_G]), (slope.x_G**2)[:, None], slope.mean_G)
    known = [p for p in (within, over) if p is not None]
    return min(1.0, len(known) * min(known)) if known else None
