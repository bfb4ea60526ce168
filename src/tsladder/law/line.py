"""The straight line through log losses over log sizes, by least squares.

Where the amount of data varies too, log D enters beside log N (Frisch, Waugh and Lovell: the slope on what D leaves of
N), so that a ladder whose larger models saw more data is not credited with what the data did. It costs one degree of
freedom, and the line is that at the geometric mean of D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Least residual deviation: logs of losses carry rounding errors, and a perfect fit must not beat them."""

_IN_STEP = 1e-6
"""Share of the spread of log N that log D must leave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """`partial`: centred log N, less what log D explains of it; `spread` is its sum of squares."""

    n: Floats
    loss: Floats
    y: Floats
    partial: Floats
    centre: float
    spread: float
    level: float
    slope: float
    beta: float | None
    residuals: Floats
    leverage: Floats

    @property
    def dof(self) -> int:
        return int(self.n.size) - (2 if self.beta is None else 3)


def _ordered(
    n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats, n_data_R: Sequence[float] | Floats | None
) -> tuple[Floats, Floats, Floats]:
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    data = np.ones_like(n) if n_data_R is None else np.asarray(n_data_R, dtype=np.float64)
    if not n.shape == loss.shape == data.shape or n.ndim != 1:
        raise ValueError(f"sizes and losses must pair up, one of each a rung; got {n.shape} and {loss.shape}")
    if not all(np.isfinite(values).all() and (values > 0.0).all() for values in (n, loss, data)):
        raise ValueError("sizes and losses must be positive numbers")
    order = np.lexsort((loss, data, n))
    return n[order], loss[order], data[order]


def fit_line(
    n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats, n_data_R: Sequence[float] | Floats | None
) -> Line | None:
    """Least squares through two points or more; None when all sizes are equal, or in step with the data."""
    n, loss, data = _ordered(n_params_R, loss_R, n_data_R)
    if n.size < 2:
        return None
    log_n, y, z = np.log(n), np.log(loss), np.log(data)
    centre, level = float(log_n.mean()), float(y.mean())
    x, z = log_n - centre, z - z.mean()
    total, data_spread = float(x @ x), float(z @ z)
    leverage = np.full(n.size, 1.0 / n.size)
    beta, explained = None, np.zeros_like(y)
    if n_data_R is not None and data_spread > ROUNDING:
        x = x - z * float(z @ x) / data_spread
        beta = -float(z @ (y - level)) / data_spread
        explained = -beta * z
        leverage = leverage + z**2 / data_spread
    spread = float(x @ x)
    if spread <= max(ROUNDING, _IN_STEP * total):
        return None
    slope = float(x @ (y - level)) / spread
    if beta is not None:
        beta -= slope * float(z @ (x - (log_n - centre))) / data_spread
    return Line(
        n=n,
        loss=loss,
        y=y,
        partial=x,
        centre=centre,
        spread=spread,
        level=level,
        slope=slope,
        beta=beta,
        residuals=y - level - slope * x - explained,
        leverage=leverage + x**2 / spread,
    )
