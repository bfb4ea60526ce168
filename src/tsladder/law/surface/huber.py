"""Minimisation of the summed Huber loss of log residuals of E + A N^-alpha + B D^-beta, for many problems at once.

Parameters theta = (a, b, e, alpha, beta) at the centre of the points: the logs of the three terms there, and the two
exponents. The fitted log loss is the log-sum-exp of a - alpha x, b - beta z and e (Hoffmann et al., 2022), x and z the
centred logs of N and D. The objective is SUMMED: with an averaged one, an optimiser with default tolerances stops at
other values (Besiroglu et al., 2024).

The method is Newton's with the whole Hessian, the absolute values of its eigenvalues taken so that every step is a
descent direction, and damped until the objective falls. The threshold is lowered in steps: at one far below the
residuals the loss is nearly absolute, and its curvature says little until the minimum is near.

Axis letters: M problems, n points, K = 5 parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PARAMETERS = 5
_A, _B, _E, _ALPHA, _BETA = range(PARAMETERS)
STEEPEST = 5.0
FAINTEST = 30.0
"""Bound on the logs of the terms: a term e^30 times smaller than the loss at the centre is absent."""

_SMOOTHEST = 0.3
_STEP_DOWN = 6.0
ITERATIONS = 200
_COARSE_ITERATIONS = 30
GRADIENT_TOLERANCE = 1e-9
"""Largest gradient at a minimum, as a share of the largest gradient that the points could give."""

_CHUNK = 1_000_000
"""Most numbers in one array: problems are solved in portions that fit a processor's cache and need little memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """The points of a fit. `x_n`, `z_n`: centred logs of N and D; `y_n`: log loss. `weight_Mn`: how often each point
    counts; None: once."""

    x_n: Floats
    z_n: Floats
    y_n: Floats
    weight_Mn: Floats | None = None

    def of(self, rows: NDArray[np.intp] | Flags | slice) -> Points:
        weight = None if self.weight_Mn is None else self.weight_Mn[rows]
        return Points(x_n=self.x_n, z_n=self.z_n, y_n=self.y_n, weight_Mn=weight)


@dataclass(frozen=True, kw_only=True, slots=True)
class Minima:
    """The minima of M problems. `gradient_M`: largest gradient component over the largest possible. `converged_M`: the
    gradient vanishes at a point that is a minimum and not on a bound."""

    theta_MK: Floats
    objective_M: Floats
    gradient_M: Floats
    converged_M: Flags


def minimise(points: Points, start_MK: Floats, delta: float, *, iterations: int = ITERATIONS) -> Minima:
    """Minimise from each start, with at most `iterations` steps at the final threshold."""
    portion = max(1, _CHUNK // max(points.x_n.size, 1))
    parts = [
        _minimise(points.of(slice(at, at + portion)), start_MK[at : at + portion], delta, iterations)
        for at in range(0, len(start_MK), portion)
    ]
    return Minima(
        theta_MK=np.concatenate([part.theta_MK for part in parts]),
        objective_M=np.concatenate([part.objective_M for part in parts]),
        gradient_M=np.concatenate([part.gradient_M for part in parts]),
        converged_M=np.concatenate([part.converged_M for part in parts]),
    )


def log_loss(theta_MK: Floats, x_n: Floats, z_n: Floats) -> Floats:
    """Return the fitted log loss, M x n."""
    return _terms(theta_MK, x_n, z_n)[0]


def objective(theta_MK: Floats, points: Points, delta: float) -> Floats:
    """Return the summed Huber loss of each problem."""
    residual = log_loss(theta_MK, points.x_n, points.z_n) - points.y_n
    size = np.abs(residual)
    loss = np.where(size <= delta, 0.5 * residual**2, delta * (size - 0.5 * delta))
    return np.asarray((loss if points.weight_Mn is None else loss * points.weight_Mn).sum(axis=1))


def _minimise(points: Points, start_MK: Floats, delta: float, iterations: int) -> Minima:
    theta = _bounded(start_MK)
    smooth = _SMOOTHEST
    while smooth > _STEP_DOWN * delta:
        theta = _descend(points, theta, smooth, _COARSE_ITERATIONS, 1e-4)
        smooth /= _STEP_DOWN
    theta = _descend(points, theta, delta, iterations, GRADIENT_TOLERANCE)
    gradient, hessian = _derivatives(theta, points, delta)
    size = _relative(gradient, points, delta)
    least = np.linalg.eigvalsh(hessian)[:, 0]
    inside = (np.abs(theta[:, _ALPHA:]) < STEEPEST * (1.0 - 1e-6)).all(axis=1)
    return Minima(
        theta_MK=theta,
        objective_M=objective(theta, points, delta),
        gradient_M=size,
        converged_M=(size <= 100.0 * GRADIENT_TOLERANCE) & (least > 0.0) & inside,
    )


def _descend(points: Points, start_MK: Floats, delta: float, iterations: int, tolerance: float) -> Floats:
    theta = start_MK.copy()
    value = objective(theta, points, delta)
    damping = np.full(len(theta), 1e-3)
    active = np.arange(len(theta))
    for _ in range(iterations):
        here = points.of(active)
        gradient, hessian = _derivatives(theta[active], here, delta)
        going = (_relative(gradient, here, delta) > tolerance) & (damping[active] < 1e12)
        if not going.any():
            break
        active, gradient, hessian = active[going], gradient[going], hessian[going]
        here = points.of(active)
        values, vectors = np.linalg.eigh(hessian)
        scale = np.abs(values).max(axis=1, keepdims=True)
        curvature = np.maximum(np.abs(values), 1e-14 * scale) + damping[active, None] * np.maximum(scale, 1e-300)
        along = np.einsum("mki,mk->mi", vectors, gradient) / curvature
        moved = _bounded(theta[active] - np.clip(np.einsum("mki,mi->mk", vectors, along), -2.0, 2.0))
        reached = objective(moved, here, delta)
        better = reached < value[active]
        theta[active[better]], value[active[better]] = moved[better], reached[better]
        damping[active] = np.where(better, np.maximum(damping[active] / 10.0, 1e-15), damping[active] * 10.0)
    return theta


def _bounded(theta_MK: Floats) -> Floats:
    theta = theta_MK.copy()
    np.clip(theta[:, _ALPHA:], -STEEPEST, STEEPEST, out=theta[:, _ALPHA:])
    np.clip(theta[:, :_ALPHA], -FAINTEST, FAINTEST, out=theta[:, :_ALPHA])
    return theta


def _terms(theta_MK: Floats, x_n: Floats, z_n: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the fitted log loss and the shares of the two power terms in the fitted loss; each M x n."""
    size = theta_MK[:, _A, None] - theta_MK[:, _ALPHA, None] * x_n
    data = theta_MK[:, _B, None] - theta_MK[:, _BETA, None] * z_n
    floor = theta_MK[:, _E, None]
    top = np.maximum(np.maximum(size, data), floor)
    size, data = np.exp(size - top), np.exp(data - top)
    total = size + data + np.exp(floor - top)
    return top + np.log(total), size / total, data / total


def _derivatives(theta_MK: Floats, points: Points, delta: float) -> tuple[Floats, Floats]:
    """Return the gradient (M x K) and the Hessian (M x K x K) of the objective."""
    fitted, size, data = _terms(theta_MK, points.x_n, points.z_n)
    residual = fitted - points.y_n
    pull, bend = np.clip(residual, -delta, delta), (np.abs(residual) <= delta).astype(np.float64)
    if points.weight_Mn is not None:
        pull, bend = pull * points.weight_Mn, bend * points.weight_Mn
    floor = 1.0 - size - data
    x, z = points.x_n, points.z_n
    # d fitted / d theta is (size, data, floor, -x size, -z data); its derivatives are those of a softmax.
    shares = (size, data, floor)
    slopes = ((1.0, _A, 0), (1.0, _B, 1), (1.0, _E, 2), (-x, _ALPHA, 0), (-z, _BETA, 1))
    gradient = np.empty((len(theta_MK), PARAMETERS))
    hessian = np.empty((len(theta_MK), PARAMETERS, PARAMETERS))
    moments = {i: pull * shares[i] for i in range(3)}
    pairs = {(i, j): (bend - pull) * shares[i] * shares[j] for i in range(3) for j in range(i, 3)}
    for factor, k, i in slopes:
        gradient[:, k] = _dot(moments[i], factor)
        for other, l, j in slopes:  # noqa: E741
            if l < k:
                continue
            both = np.multiply(factor, other)
            entry = _dot(pairs[min(i, j), max(i, j)], both)
            if i == j:
                entry = entry + _dot(moments[i], both)
            hessian[:, k, l] = hessian[:, l, k] = entry
    return gradient, hessian


def _dot(values_Mn: Floats, factor: Floats | float) -> Floats:
    return np.asarray(values_Mn.sum(axis=1) * factor if np.ndim(factor) == 0 else values_Mn @ factor)


def _relative(gradient_MK: Floats, points: Points, delta: float) -> Floats:
    weight = points.x_n.size if points.weight_Mn is None else points.weight_Mn.sum(axis=1)
    reach = max(1.0, float(np.abs(points.x_n).max()), float(np.abs(points.z_n).max()))
    return np.asarray(np.abs(gradient_MK).max(axis=1) / (delta * reach * weight))
