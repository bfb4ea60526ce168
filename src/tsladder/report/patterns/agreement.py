"""Agreement of the best trials of a search, on their settings and on their location in the search space. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.difference import holm
from tsladder.report.patterns.permutation_test import (
    ALL_ORDERS,
    FEWEST,
    PERMUTATIONS,
    Floats,
    PermutationTest,
    permutations,
    pooled,
)
from tsladder.report.patterns.trials import Cohort, CompleteTrial
from tsladder.vocabulary import Cell

Flags = NDArray[np.bool_]

STABLE = ("learning_rate", "weight_decay", "dropout")
"""Settings whose stability is tested."""

QUARTER = 4
LEAST_BEST = 3
"""Least number of best trials, which are a quarter of all: two have one distance and hardly a spread."""

WIDE_SPREAD = 0.10

_LINEAR = frozenset({"dropout"})


class Scatter(StrEnum):
    """Location of the best trials relative to all trials."""

    CLUSTERED = "clustered"
    SCATTERED = "scattered"
    LIKE_ALL = "like all trials"
    TOO_FEW = "too few trials to say"


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """The `best` trials of a cell compared with all its complete ones.

    `spread`: gap of the median trial behind the best one, as a share of the best's figure. `ranges`: for each setting
    that varied, the range of the best trials over the range of all; `stable` where their mean is significantly smaller
    than by chance, by `p_stable`. `distance`: mean distance between two of the best over that between any two, with the
    two-sided p-value `p_scatter`. Both p-values are corrected over the cells. None: nothing varies, or there are too
    few trials.
    """

    cell: Cell
    trials: int
    best: int
    spread: float | None
    ranges: Mapping[str, float]
    p_stable: float | None
    stable: bool
    distance: float | None
    p_scatter: float | None
    scatter: Scatter

    @property
    def least_p(self) -> float:
        """Smallest uncorrected p-value that is possible for this number of best trials: one over the number of ways to
        choose them where all orders are enumerated, otherwise that of the random permutations."""
        if self.trials > ALL_ORDERS:
            return 1.0 / (PERMUTATIONS + 1)
        return 1.0 / math.comb(self.trials, self.best)


@dataclass(frozen=True, kw_only=True, slots=True)
class PooledAgreement:
    """Pooled result of all cells: means over the cells and their p-values. None where no cell has one."""

    range: float | None
    p_stable: float | None
    distance: float | None
    p_scatter: float | None


def agreements(
    cohorts: Mapping[Cell, Cohort], *, level: float, seed: int
) -> tuple[tuple[Agreement, ...], PooledAgreement]:
    """Return the agreement of every cell, and of all together. `level`: the largest corrected p-value that counts as a
    finding."""
    best = {cell: _is_best(cohort) for cell, cohort in cohorts.items()}
    ranges = {cell: _range_chance(cohort, best[cell], seed) for cell, cohort in cohorts.items()}
    distances = {cell: _distance_chance(cohort, best[cell], seed) for cell, cohort in cohorts.items()}
    p_stable = holm([None if chance is None else chance.p_low for chance in ranges.values()])
    p_scatter = holm([None if chance is None else chance.p_two_sided for chance in distances.values()])
    found = []
    for cell, of_ranges, of_distance in zip(cohorts, p_stable, p_scatter, strict=True):
        distance = distances[cell]
        found.append(
            Agreement(
                cell=cell,
                trials=len(cohorts[cell].trials),
                best=int(best[cell].sum()),
                spread=spread_of(cohorts[cell]),
                ranges=_ranges(cohorts[cell], best[cell]),
                p_stable=of_ranges,
                stable=of_ranges is not None and of_ranges <= level,
                distance=None if distance is None else distance.value,
                p_scatter=of_distance,
                scatter=_scatter(distance, of_distance, level),
            )
        )
    return tuple(found), _pool(ranges, distances, seed)


def spread_of(cohort: Cohort) -> float | None:
    """Return the gap of the median trial behind the best one, as a share of the best's loss or AUC; None for fewer than
    FEWEST trials."""
    if len(cohort.trials) < FEWEST:
        return None
    scores = [trial.score for trial in cohort.trials]
    best = max(scores)
    return (best - statistics.median(scores)) / abs(best) if best != 0.0 else None


def _scatter(distance: PermutationTest | None, p: float | None, level: float) -> Scatter:
    if distance is None or p is None:
        return Scatter.TOO_FEW
    if p > level:
        return Scatter.LIKE_ALL
    return Scatter.CLUSTERED if distance.value < 1.0 else Scatter.SCATTERED


def _pool(
    ranges: Mapping[Cell, PermutationTest | None], distances: Mapping[Cell, PermutationTest | None], seed: int
) -> PooledAgreement:
    known_ranges = [chance for chance in ranges.values() if chance is not None]
    known_distances = [chance for chance in distances.values() if chance is not None]
    of_ranges = pooled(known_ranges, seed) if known_ranges else None
    of_distances = pooled(known_distances, seed) if known_distances else None
    return PooledAgreement(
        range=None if of_ranges is None else of_ranges.value,
        p_stable=None if of_ranges is None else of_ranges.p_low,
        distance=None if of_distances is None else of_distances.value,
        p_scatter=None if of_distances is None else of_distances.p_two_sided,
    )


def _is_best(cohort: Cohort) -> Flags:
    """Return which of the trials, in their order, are the best ones; none of fewer than FEWEST trials."""
    n = len(cohort.trials)
    count = max(LEAST_BEST, math.ceil(n / QUARTER)) if n >= FEWEST else 0
    best = {trial.number for trial in cohort.best_first[:count]}
    return np.array([trial.number in best for trial in cohort.trials], dtype=np.bool_)


def _ranges(cohort: Cohort, best_N: Flags) -> dict[str, float]:
    if not best_N.any():
        return {}
    scaled = scaled_coordinates(cohort.trials)
    return {name: float(np.ptp(scaled[name][best_N])) for name in STABLE if name in scaled}


def _range_chance(cohort: Cohort, best_N: Flags, seed: int) -> PermutationTest | None:
    ranges = _ranges(cohort, best_N)
    if not ranges:
        return None
    orders, exact = permutations(len(best_N), seed)
    permuted = best_N[orders]
    scaled = scaled_coordinates(cohort.trials)
    null = np.mean([_range_within(scaled[name], permuted) for name in ranges], axis=0)
    return PermutationTest(value=math.fsum(ranges.values()) / len(ranges), null=null, exact=exact)


def _range_within(values_N: Floats, permuted: Flags) -> Floats:
    """Return the range of the marked values for each permutation; the values lie in [0, 1]."""
    highest = np.where(permuted, values_N, 0.0).max(axis=1)
    return np.asarray(highest - np.where(permuted, values_N, 1.0).min(axis=1), dtype=np.float64)


def _distance_chance(cohort: Cohort, best_N: Flags, seed: int) -> PermutationTest | None:
    scaled = list(scaled_coordinates(cohort.trials).values())
    if not best_N.any() or not scaled:
        return None
    points_NK = np.stack(scaled, axis=1)
    apart_NN = np.sqrt(((points_NK[:, None, :] - points_NK[None, :, :]) ** 2).sum(axis=2))
    n, best = len(best_N), int(np.count_nonzero(best_N))
    of_all = apart_NN.sum() / (n * (n - 1))
    orders, exact = permutations(n, seed)
    # Row 0 is the observed marking.
    marked = np.vstack([best_N, best_N[orders]]).astype(np.float64)
    apart = ((marked @ apart_NN) * marked).sum(axis=1) / (best * (best - 1)) / of_all
    return PermutationTest(value=float(apart[0]), null=apart[1:], exact=exact)


def scaled_coordinates(trials: Sequence[CompleteTrial]) -> dict[str, Floats]:
    """Return every coordinate that all trials have and that varies, scaled from 0 for its lowest value to 1 for its
    highest: on a logarithmic scale, except for dropout and for a weight decay that may be zero."""
    found = {}
    for name in trials[0].coordinates if trials else ():
        if all(name in trial.coordinates for trial in trials):
            values = np.array([trial.coordinates[name] for trial in trials], dtype=np.float64)
            if name not in _LINEAR and values.min() > 0.0:
                values = np.log(values)
            if (width := np.ptp(values)) > 0.0:
                found[name] = (values - values.min()) / width
    return found
