"""A straight line through log losses over log sizes, fitted by weighted least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Lower bound on the residual deviation: logs of losses carry rounding errors, and a perfect fit must not beat them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A fitted line, its points in order of size. `x`: log N less its weighted mean `centre`; `spread`: weighted sum of
    the squares of `x`.

    `weight`: weight of each point, 1 on average. `leverage`: share of each point in its own fitted value.
    """

    n: Floats
    loss: Floats
    weight: Floats
    x: Floats
    y: Floats
    centre: float
    spread: float
    level: float
    slope: float
    residuals: Floats
    leverage: Floats

    @property
    def dof(self) -> int:
        return int(self.n.size) - 2

    @property
    def squares(self) -> float:
        """Weighted sum of squared residuals."""
        return float(np.sum(self.weight * self.residuals**2))


def fit_line(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    weight_R: Sequence[float] | Floats | None = None,
) -> Line | None:
    """Fit a line through two points or more; None when all sizes are equal.

    Without weights all points count the same. Raises ValueError for values that are not positive or do not pair up.
    """
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    weight = np.ones_like(n) if weight_R is None else np.asarray(weight_R, dtype=np.float64)
    if not n.shape == loss.shape == weight.shape or n.ndim != 1:
        raise ValueError(f"sizes and losses must pair up, one of each a rung; got {n.shape} and {loss.shape}")
    if not all(np.isfinite(values).all() and (values > 0.0).all() for values in (n, loss, weight)):
        raise ValueError("sizes, losses and weights must be positive numbers")
    if n.size < 2:
        return None
    order = np.lexsort((weight, loss, n))
    n, loss, weight = n[order], loss[order], weight[order]
    if weight_R is not None:
        weight = weight / weight.mean()
    log_n, y = np.log(n), np.log(loss)
    centre, level = float(np.average(log_n, weights=weight)), float(np.average(y, weights=weight))
    x = log_n - centre
    spread = float(np.sum(weight * x**2))
    if spread <= ROUNDING:
        return None
    slope = float(np.sum(weight * x * (y - level))) / spread
    return Line(
        n=n,
        loss=loss,
        weight=weight,
        x=x,
        y=y,
        centre=centre,
        spread=spread,
        level=level,
        slope=slope,
        residuals=y - level - slope * x,
        leverage=weight * (1.0 / n.size + x**2 / spread),
    )
