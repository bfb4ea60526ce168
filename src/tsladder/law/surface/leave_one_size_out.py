"""Prediction of a whole size from the others, where the amount of data varies.

A size is left out with all its points: its other amounts of data share its luck and would predict themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_evidence import SizeLeftOut
from tsladder.law.design import SAME_AMOUNT, Labels, groups_of
from tsladder.law.points import size_in_words
from tsladder.law.surface import huber
from tsladder.law.surface.bootstrap_of_sizes import nearby_minima
from tsladder.law.surface.plane import Plane
from tsladder.law.surface.size_slope import Replicates, two_way
from tsladder.law.surface.surface_fit import LEAST_LEVELS, Surface

Floats = NDArray[np.float64]


def by_surface(surface: Surface, size_P: Labels) -> tuple[SizeLeftOut, ...]:
    """Predict each size, smallest first, by the surface through the others; a size is missing where too few points
    would remain.

    `size_P`: size of each of the surface's points. The exponent without a size is the mean over the others at the mean
    log D.
    """
    points, best = surface.points, surface.theta_K
    delta = surface.fit.huber_delta
    if points is None or best is None or delta is None:
        return ()
    amounts = groups_of(np.exp(points.z_n), SAME_AMOUNT)
    able = [size for size in range(int(size_P.max()) + 1) if _enough(size_P != size, size_P, amounts)]
    if not able:
        return ()
    weight = np.array([size_P != size for size in able], dtype=np.float64)
    minima = nearby_minima(huber.Points(x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=weight), best, delta)
    here = huber.log_loss(minima.theta_MK, points.x_n, points.z_n)
    at_reference = huber.log_loss(minima.theta_MK, points.x_n, np.zeros_like(points.z_n))
    found = []
    for row, size in enumerate(able):
        kept = size_P != size
        equal = points.y_n - here[row] + at_reference[row]
        alpha = -_mean_slope(points.x_n[kept], equal[kept], size_P[kept])
        log_n = points.x_n + surface.centre[0]
        found.append(_entry(log_n[~kept], points.y_n[~kept], here[row][~kept], alpha))
    return tuple(found)


def by_two_way(
    y_P: Floats, log_n_P: Floats, log_d_P: Floats, size_P: Labels, amount_P: Labels
) -> tuple[SizeLeftOut, ...]:
    """Predict each size by fixed effects of the amounts and a line over the other sizes.

    Only those of its points are predicted whose amount of data other sizes share.
    """
    found = []
    for size in range(int(size_P.max()) + 1):
        kept = size_P != size
        without = two_way(y_P[kept], log_n_P[kept], log_d_P[kept], _again(size_P[kept]), _again(amount_P[kept]))
        known = ~kept & np.isin(amount_P, amount_P[kept])
        if without is None or not known.any():
            continue
        line = without.mean_G.mean() + without.slope * (log_n_P - without.x_G.mean())
        # What an amount adds: the mean, over the others' points of it, of what their size's mean leaves.
        left = y_P[kept] - without.mean_G[_again(size_P[kept])]
        effect = {amount: float(left[amount_P[kept] == amount].mean()) for amount in set(amount_P[known].tolist())}
        fitted = line[known] + np.array([effect[amount] for amount in amount_P[known].tolist()])
        found.append(_entry(log_n_P[known], y_P[known], fitted, 0.0 - without.slope))
    return tuple(found)


def by_plane(
    fit: Callable[[Floats, Floats, Floats, Labels], Plane | None],
    y_P: Floats,
    log_n_P: Floats,
    log_d_P: Floats,
    size_P: Labels,
) -> tuple[SizeLeftOut, ...]:
    """Predict each size by the plane that `fit` (`tsladder.law.surface.plane`) finds for the others."""
    found = []
    for size in range(int(size_P.max()) + 1):
        kept = size_P != size
        x, z = log_n_P - log_n_P[kept].mean(), log_d_P - log_d_P[kept].mean()
        without = fit(y_P[kept], x[kept], z[kept], _again(size_P[kept]))
        if without is not None:
            fitted = without.log_loss(x[~kept], z[~kept])
            found.append(_entry(log_n_P[~kept], y_P[~kept], fitted, 0.0 - without.slope.slope))
    return tuple(found)


def _entry(log_n_P: Floats, y_P: Floats, fitted_P: Floats, alpha_without: float) -> SizeLeftOut:
    off = fitted_P - y_P
    n_params = float(np.exp(log_n_P.mean()))
    return SizeLeftOut(
        cell=size_in_words(n_params),
        n_params=n_params,
        n_points=int(y_P.size),
        measured=float(np.exp(y_P.mean())),
        predicted=float(np.exp(fitted_P.mean())),
        error=float(np.expm1(off.mean())),
        worst_error=float(np.expm1(off[int(np.abs(off).argmax())])),
        alpha_without=float(alpha_without),
    )


def _enough(kept: NDArray[np.bool_], size_P: Labels, amount_P: Labels) -> bool:
    levels = min(np.unique(size_P[kept]).size, np.unique(amount_P[kept]).size)
    return bool(kept.sum() > huber.PARAMETERS and levels >= LEAST_LEVELS)


def _again(labels: Labels) -> Labels:
    """Renumber labels without gaps."""
    return np.unique(labels, return_inverse=True)[1].astype(np.intp)


def _mean_slope(x_P: Floats, y_P: Floats, size_P: Labels) -> float:
    sizes = Replicates.of(x_P, _again(size_P))
    return float(sizes.slope_G @ sizes.average_GP @ y_P)
