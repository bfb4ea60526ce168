"""The plane in logs, log loss = level - alpha log N - beta log D: the fallback where no surface can be fitted.

It holds over a narrow range only: a floor and the two terms' sum both bend it. So its lack of fit is tested by what
squares and the product of the logs explain beyond it. Replicates of a point are no measure of that (pure error): they
share the luck of the size's configuration, which would pass for lack of fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsladder.law.design import Labels
from tsladder.law.line import ROUNDING
from tsladder.law.size_slope import Floats, SizeSlope, p_of_terms, partial_residuals


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """`level`: fitted log loss where x and z, log N and log D less their means, are 0. `lack_of_fit_p`: None where too
    few points test it."""

    level: float
    alpha: float
    beta: float
    slope: SizeSlope
    lack_of_fit_p: float | None

    def log_loss(self, x: Floats, z: Floats) -> Floats:
        return np.asarray(self.level - self.alpha * x - self.beta * z)


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
        lack_of_fit_p=_lack_of_fit(y_P, columns, size_P, slope),
    )


def _lack_of_fit(y_P: Floats, columns_PK: Floats, size_P: Labels, slope: SizeSlope) -> float | None:
    """p that squares and product explain nothing. Where a size has several points its own luck would pass for bends, so
    those within sizes and the one over sizes are tested apart (Bonferroni)."""
    x_P, z_P = columns_PK[:, 1], columns_PK[:, 2]
    if slope.x_G.size == y_P.size:
        return p_of_terms(columns_PK, np.column_stack([x_P**2, x_P * z_P, z_P**2]), y_P)
    member = np.asarray(size_P[:, None] == np.arange(slope.x_G.size), dtype=np.float64)
    within = p_of_terms(np.column_stack([member, z_P]), np.column_stack([x_P * z_P, z_P**2]), y_P)
    over = p_of_terms(np.column_stack([np.ones_like(slope.x_G), slope.x_G]), (slope.x_G**2)[:, None], slope.mean_G)
    known = [p for p in (within, over) if p is not None]
    return min(1.0, len(known) * min(known)) if known else None
