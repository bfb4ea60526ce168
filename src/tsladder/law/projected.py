"""Starts for the surface's search, by variable projection.

Given alpha and beta, E + A N^-alpha + B D^-beta is linear in E, A and B, which are none of them negative: for every
pair of a grid of exponents their least relative squares have a closed form, and the best pairs are starts near the
minima of the Huber loss. Bootstrap draws find optima so that lie far from that of all points.

With three unknowns the non-negative solution is the best feasible one among the seven subsets of terms.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from tsladder.law.huber import PARAMETERS, Floats, Points

EXPONENTS = (-0.5, -0.1, 0.02, 0.05, 0.1, 0.15, 0.22, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)
_SUBSETS = tuple(subset for count in (3, 2, 1) for subset in combinations(range(3), count))
_FAINT = 1e-3
"""Share of the loss that an absent term starts with: present enough for the search to raise it."""

_APART = 2
_RIDGE = 1e-11
_AT_ONCE = 200


def projected_starts(points: Points, per_problem: int) -> Floats:
    """Starts (M x per_problem x 5) for M problems, one row of `points.weight_Mn` each (None: one problem).

    The second start and those after it lie more than two steps of the grid from every one before.
    """
    weight = np.ones((1, points.x_n.size)) if points.weight_Mn is None else points.weight_Mn
    parts = [_starts(points, weight[at : at + _AT_ONCE], per_problem) for at in range(0, len(weight), _AT_ONCE)]
    return np.concatenate(parts)


def _starts(points: Points, weight_Mn: Floats, per_problem: int) -> Floats:
    exponents, count = np.array(EXPONENTS), len(EXPONENTS)
    per_loss = np.exp(-points.y_n)
    size_Gn = np.exp(-np.outer(exponents, points.x_n)) * per_loss
    data_Gn = np.exp(-np.outer(exponents, points.z_n)) * per_loss
    gram = np.empty((len(weight_Mn), count, count, 3, 3))
    right = np.empty((len(weight_Mn), count, count, 3))
    # Order of the three terms: size, data, floor.
    gram[..., 0, 0] = (weight_Mn @ (size_Gn**2).T)[:, :, None]
    gram[..., 1, 1] = (weight_Mn @ (data_Gn**2).T)[:, None, :]
    gram[..., 2, 2] = (weight_Mn @ per_loss**2)[:, None, None]
    product = (size_Gn[:, None, :] * data_Gn[None, :, :]).reshape(count * count, -1)
    gram[..., 0, 1] = gram[..., 1, 0] = (weight_Mn @ product.T).reshape(-1, count, count)
    gram[..., 0, 2] = gram[..., 2, 0] = (weight_Mn @ (size_Gn * per_loss).T)[:, :, None]
    gram[..., 1, 2] = gram[..., 2, 1] = (weight_Mn @ (data_Gn * per_loss).T)[:, None, :]
    right[..., 0] = (weight_Mn @ size_Gn.T)[:, :, None]
    right[..., 1] = (weight_Mn @ data_Gn.T)[:, None, :]
    right[..., 2] = (weight_Mn @ per_loss)[:, None, None]
    terms, explained = _non_negative(gram, right)
    return _chosen(terms, explained, float(points.y_n.mean()), per_problem)


def _non_negative(gram: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Least squares with no negative term, and what each solution explains of the sum of squares."""
    best = np.zeros_like(right)
    explained = np.full(right.shape[:-1], -np.inf)
    for subset in _SUBSETS:
        chosen = np.array(subset)
        part = gram[..., chosen[:, None], chosen]
        scale = np.sqrt(np.einsum("...ii->...i", part))
        scaled = part / (scale[..., :, None] * scale[..., None, :]) + _RIDGE * np.eye(chosen.size)
        solution = np.linalg.solve(scaled, (right[..., chosen] / scale)[..., None])[..., 0] / scale
        worth = np.einsum("...i,...i->...", solution, right[..., chosen])
        better = (solution >= 0.0).all(axis=-1) & (worth > explained)
        explained = np.where(better, worth, explained)
        full = np.zeros_like(right)
        full[..., chosen] = solution
        best = np.where(better[..., None], full, best)
    return best, explained


def _chosen(terms: Floats, explained: Floats, level: float, per_problem: int) -> Floats:
    problems, count = len(terms), len(EXPONENTS)
    left = explained.copy()
    rows, grid = np.arange(problems), np.arange(count)
    starts = np.empty((problems, per_problem, PARAMETERS))
    for number in range(per_problem):
        i, j = np.unravel_index(left.reshape(problems, -1).argmax(axis=1), (count, count))
        logs = np.log(np.maximum(terms[rows, i, j], _FAINT * np.exp(level)))
        starts[:, number, :3] = logs
        starts[:, number, 3], starts[:, number, 4] = np.array(EXPONENTS)[i], np.array(EXPONENTS)[j]
        near = (np.abs(grid - i[:, None]) <= _APART)[:, :, None] & (np.abs(grid - j[:, None]) <= _APART)[:, None, :]
        left = np.where(near, -np.inf, left)
    return starts
