"""The fitted surface loss = E + A N^-alpha + B D^-beta: constants, intervals, bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsladder.law.surface import huber
from tsladder.law.surface.huber import Floats

Interval = tuple[float, float]

LEAST_LEVELS = 3
"""Fewest sizes, and fewest amounts of data, of a surface."""


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


def no_surface(reason: str, n_points: int, n_sizes: int, confidence: float) -> SurfaceFit:
    """Return a surface of which nothing could be fitted."""
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
