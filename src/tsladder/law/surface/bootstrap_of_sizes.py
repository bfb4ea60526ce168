"""Bootstrap of a surface over sizes: a draw takes sizes with replacement, each with all its points.

A size's configuration is itself a draw, whose luck all its amounts of data share (`tsladder.law.design`). Where every
size has one point this is a bootstrap of points. Draws with fewer than three sizes, three amounts or five points cannot
identify a surface and are drawn again. Each draw is minimised from the optimum, from two starts beside it and from
projected ones.
"""

from __future__ import annotations

import numpy as np

from tsladder.law.design import Labels
from tsladder.law.surface import huber
from tsladder.law.surface.huber import Floats
from tsladder.law.surface.projected import projected_starts
from tsladder.law.surface.surface_fit import LEAST_LEVELS

_BESIDE = ((0.0,) * 5, (0.5, -0.3, 0.05, 0.1, -0.1), (-0.5, 0.3, -0.05, -0.1, 0.1))
_PROJECTED_PER_DRAW = 2
_ITERATIONS_OF_A_DRAW = 60
"""Most iterations for a bootstrap draw. Draws that identify a surface need fewer than 20; the others never converge."""


def nearby_minima(points: huber.Points, best_K: Floats, delta: float) -> huber.Minima:
    """Return the least minimum for every row of `points.weight_Mn`, from `best_K`, starts beside it and projected
    starts."""
    assert points.weight_Mn is not None  # noqa: S101
    problems = len(points.weight_Mn)
    beside = np.broadcast_to(best_K + np.array(_BESIDE), (problems, len(_BESIDE), huber.PARAMETERS))
    starts = np.concatenate([beside, projected_starts(points, _PROJECTED_PER_DRAW)], axis=1)
    each = starts.shape[1]
    many = huber.Points(
        x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=np.repeat(points.weight_Mn, each, axis=0)
    )
    minima = huber.minimise(many, starts.reshape(-1, huber.PARAMETERS), delta, iterations=_ITERATIONS_OF_A_DRAW)
    rows, chosen = np.arange(problems), minima.objective_M.reshape(problems, each).argmin(axis=1)
    at = rows * each + chosen
    return huber.Minima(
        theta_MK=minima.theta_MK[at],
        objective_M=minima.objective_M[at],
        gradient_M=minima.gradient_M[at],
        converged_M=minima.converged_M[at],
    )


def bootstrap_sizes(
    points: huber.Points, sizes: Labels, amounts: Labels, best_K: Floats, delta: float, draws: int, seed: int
) -> tuple[Floats, float | None]:
    """Return the minimum of every draw of sizes with replacement, and the share of draws that converged."""
    if draws == 0:
        return best_K[None], None
    counts = _counts(sizes, amounts, draws, np.random.default_rng(seed))
    drawn = huber.Points(x_n=points.x_n, z_n=points.z_n, y_n=points.y_n, weight_Mn=counts)
    minima = nearby_minima(drawn, best_K, delta)
    return minima.theta_MK, float(minima.converged_M.mean())


def _counts(sizes: Labels, amounts: Labels, draws: int, rng: np.random.Generator) -> Floats:
    """Return how often each draw contains each point, D x n."""
    number = int(sizes.max()) + 1
    of_amount = np.zeros((sizes.size, int(amounts.max()) + 1))
    of_amount[np.arange(sizes.size), amounts] = 1.0
    kept: list[Floats] = []
    missing = draws
    while missing:
        drawn = rng.multinomial(number, np.full(number, 1.0 / number), size=missing)
        held = (drawn[:, sizes] > 0).astype(np.float64)
        enough = ((drawn > 0).sum(axis=1) >= LEAST_LEVELS) & (held.sum(axis=1) >= huber.PARAMETERS)
        enough &= ((held @ of_amount) > 0.0).sum(axis=1) >= LEAST_LEVELS
        kept.append(drawn[enough][:, sizes].astype(np.float64))
        missing -= int(enough.sum())
    return np.concatenate(kept)
