"""Rank correlation in small samples, with a p-value from permutations. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from tsladder.report.patterns.permutation_test import BLOCK, FEWEST, Floats, PermutationTest, blocks_of, permutations


def rank_correlation(x: Sequence[float], y: Sequence[float], seed: int, block: int = BLOCK) -> PermutationTest | None:
    """Return Spearman's rank correlation of values in the order of their trials; ties get their mean rank.

    For more trials than a `block` it is that of ranks within blocks. None where x or y is constant.
    """
    x_N, y_N = _centred_ranks(x, block), _centred_ranks(y, block)
    scale = float(np.sqrt((x_N @ x_N) * (y_N @ y_N)))
    if scale == 0.0:
        return None
    orders, exact = permutations(len(y_N), seed, block)
    return PermutationTest(value=float(x_N @ y_N) / scale, null=(y_N[orders] @ x_N) / scale, exact=exact)


def weakest_detectable(n: int, level: float, seed: int, block: int = BLOCK) -> float | None:
    """Return the weakest correlation of `n` values without ties whose two-sided p-value is at most `level`; None where
    there is none."""
    perfect = rank_correlation(range(n), range(n), seed, block) if n >= FEWEST else None
    if perfect is None:
        return None
    values = np.unique(np.round(np.abs(perfect.null), 9))

    def is_shown(value: float) -> bool:
        return PermutationTest(value=float(value), null=perfect.null, exact=perfect.exact).p_two_sided <= level

    weakest = bisect_left(values, True, key=is_shown)
    return float(values[weakest]) if weakest < len(values) else None


def _centred_ranks(values: Sequence[float], block: int) -> Floats:
    """Return the ranks within each block of trials, less their mean."""
    from scipy.stats import rankdata

    values_N = np.asarray(values, dtype=np.float64)
    ranks = [np.asarray(rankdata(values_N[part]), dtype=np.float64) for part in blocks_of(len(values_N), block)]
    return np.concatenate([part - part.mean() for part in ranks])
