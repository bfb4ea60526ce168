"""Starting points for the fit of the surface, by variable projection.

Given alpha and beta, E + A N^-alpha + B D^-beta is linear in E, A and B, none of which may be negative. So for every
pair of a grid of exponents the least-squares solution in relative errors has a closed form, and the best pairs are
starts near the minima of the Huber loss. With such starts bootstrap draws find optima far from that of all points.

With three unknowns the non-negative solution is the best feasible one among the seven subsets of terms.
"""

from __future__ import annotations

import numpy as np

from tsladder.law.surface.huber import PARAMETERS, Floats, Points

EXPONENTS = (-0.5, -0.1, 0.02, 0.05, 0.1, 0.15, 0.22, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)
_FAINT = 1e-3
"""Share of the loss at which an absent term starts: large enough for the search to raise it."""

_APART = 2
_RIDGE = 1e-11
_AT_ONCE = 200


def projected_starts(points: Points, per_problem: int) -> Floats:
    """Return starts (M x per_problem x 5) for M problems, one for each row of `points.weight_Mn` (None: one problem).

    Each start lies more than two steps of the grid from every one before it.
    """
    weight = np.ones((1, points.x_n.size)) if points.weight_Mn is None else points.weight_Mn
    parts = [_starts(points, weight[at : at + _AT_ONCE], per_problem) for at in range(0, len(weight), _AT_ONCE)]
    return np.concatenate(parts)


def _starts(points: Points, weight_Mn: Floats, per_problem: int) -> Floats:
    exponents, count = np.array(EXPONENTS), len(EXPONENTS)
    floor_n = np.exp(-points.y_n)
    size_Gn = np.exp(-np.outer(exponents, points.x_n)) * floor_n
    data_Gn = np.exp(-np.outer(exponents, points.z_n)) * floor_n
    both_Gn = (size_Gn[:, None, :] * data_Gn[None, :, :]).reshape(count * count, -1)

    def summed(values: Floats) -> Floats:
        return np.asarray(weight_Mn @ values.T)

    # Length of each term's column, its cosine with the losses, and the cosines between columns: M x alpha x beta.
    size, data, floor = np.sqrt(summed(size_Gn**2)), np.sqrt(summed(data_Gn**2)), np.sqrt(summed(floor_n[None] ** 2))
    lengths = (size[:, :, None], data[:, None, :], floor[:, :, None])
    ahead = (
        (summed(size_Gn) / size)[:, :, None],
        (summed(data_Gn) / data)[:, None, :],
        (summed(floor_n[None]) / floor)[:, :, None],
    )
    between = {
        (0, 1): summed(both_Gn).reshape(-1, count, count) / (lengths[0] * lengths[1]),
        (0, 2): (summed(size_Gn * floor_n) / (size * floor))[:, :, None],
        (1, 2): (summed(data_Gn * floor_n) / (data * floor))[:, None, :],
    }
    terms, explained = _non_negative(ahead, between, (len(weight_Mn), count, count))
    scaled = tuple(term / length for term, length in zip(terms, lengths, strict=True))
    return _chosen(np.stack(scaled, axis=-1), explained, float(points.y_n.mean()), per_problem)


def _non_negative(
    ahead: tuple[Floats, ...], between: dict[tuple[int, int], Floats], shape: tuple[int, ...]
) -> tuple[tuple[Floats, ...], Floats]:
    """Solve least squares on columns of unit length without a negative term; also return the part of the sum of squares
    that each solution explains. Cramer's rule is used, since there are millions of systems."""
    best = tuple(np.zeros(shape) for _ in range(3))
    explained = np.full(shape, -np.inf)

    def offer(subset: tuple[int, ...], solution: tuple[Floats, ...]) -> None:
        worth = sum((part * ahead[i] for i, part in zip(subset, solution, strict=True)), start=np.zeros(shape))
        better = np.logical_and.reduce([np.broadcast_to(part >= 0.0, shape) for part in solution])
        better &= worth > explained
        np.copyto(explained, worth, where=better)
        for i in range(3):
            np.copyto(best[i], solution[subset.index(i)] if i in subset else 0.0, where=better)

    one = 1.0 + _RIDGE
    p, q, r = between[0, 1], between[0, 2], between[1, 2]
    u, v, w = ahead
    whole = one * (one**2 - p**2 - q**2 - r**2) + 2.0 * p * q * r
    with np.errstate(divide="ignore", invalid="ignore"):
        offer(
            (0, 1, 2),
            (
                (u * (one**2 - r**2) + v * (q * r - one * p) + w * (p * r - one * q)) / whole,
                (u * (q * r - one * p) + v * (one**2 - q**2) + w * (p * q - one * r)) / whole,
                (u * (p * r - one * q) + v * (p * q - one * r) + w * (one**2 - p**2)) / whole,
            ),
        )
    for (i, j), cosine in between.items():
        alone = one**2 - cosine**2
        offer((i, j), ((one * ahead[i] - cosine * ahead[j]) / alone, (one * ahead[j] - cosine * ahead[i]) / alone))
    for i in range(3):
        offer((i,), (ahead[i] / one,))
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
