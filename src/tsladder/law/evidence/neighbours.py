"""Tests for differences between neighbouring rungs beyond the choice of configurations, paired by day, Holm-corrected.

Days and seeds say how well the loss of the two CHOSEN configurations is known. A turn of the curve, however, is a claim
about size, and each rung's configuration is itself a draw: a search with another seed finds another one, whose loss
differs though the size does not. So the replicate of a size is the rung, and a contrast is compared with the scatter of
rungs wherever that exceeds what days and seeds explain. The scatter is the residual deviation around the power law,
with that law's degrees of freedom: one configuration per rung leaves no other estimate.

That estimate holds a true turn too, and a large turn would hide itself. So the scatter counts up to `LARGEST_CHOICE`
only, and where it is cut there it counts as known: rungs further apart than the choice of configurations can explain
differ by size. A standard error that a table gives for a point without replicates is taken as it is: the author of the
table knows what it holds.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_evidence import NeighbourContrast
from tsladder.artifacts.law_fits import PowerLaw
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.evaluation.difference import holm, two_sided
from tsladder.evaluation.least_block import block_of_at_least
from tsladder.law.evidence.days import same_days
from tsladder.law.points import RungPoint, in_order

LARGEST_CHOICE = 0.03
"""Largest relative scatter attributed to the choice of configurations: half as much again as the effect of 2 % in the
null ladders of tests/law."""


def compare_neighbours(
    points: Sequence[RungPoint],
    fit: PowerLaw | None,
    *,
    draws: int,
    confidence: float,
    seed: int,
    least_block: int = 1,
) -> tuple[NeighbourContrast, ...]:
    """Compare every pair of neighbouring rungs, smallest first.

    `fit`: the power law through the rungs; None where the scatter is unknown. The variance of a difference is that of
    the paired daily losses (block bootstrap: same days, same market) plus that of both seed means; Student's t takes
    its degrees of freedom from Welch and Satterthwaite. A rung of one seed borrows the relative spread of the others.
    `least_block`: least mean block of the bootstrap, in days. Raises ValueError when two rungs' days differ.
    """
    ordered = in_order(points)
    pairs = list(itertools.pairwise(range(len(ordered))))
    return _contrasts(ordered, pairs, fit, draws=draws, confidence=confidence, seed=seed, least_block=least_block)


def compare_with_least(
    points: Sequence[RungPoint],
    fit: PowerLaw | None,
    *,
    draws: int,
    confidence: float,
    seed: int,
    least_block: int = 1,
) -> tuple[NeighbourContrast, ...]:
    """Compare the rung of least loss with every larger one, as `compare_neighbours` does; () where it is the largest.

    The least rung was picked for its luck too, so the correction counts every rung that could have been picked.
    """
    ordered = in_order(points)
    if len(ordered) < 2:
        return ()
    least = min(range(len(ordered)), key=lambda index: ordered[index].loss)
    pairs = [(least, index) for index in range(least + 1, len(ordered))]
    found = _contrasts(ordered, pairs, fit, draws=draws, confidence=confidence, seed=seed, least_block=least_block)
    picked = len(ordered) - 1 - len(pairs)
    return tuple(
        dataclasses.replace(c, p_holm=None if c.p_holm is None else min(1.0, c.p_holm * (1.0 + picked / len(pairs))))
        for c in found
    )


def is_significant(contrast: NeighbourContrast, confidence: float) -> bool:
    return contrast.p_holm is not None and contrast.p_holm < 1.0 - confidence


def _contrasts(
    ordered: Sequence[RungPoint],
    pairs: Sequence[tuple[int, int]],
    fit: PowerLaw | None,
    *,
    draws: int,
    confidence: float,
    seed: int,
    least_block: int,
) -> tuple[NeighbourContrast, ...]:
    seed_terms, of_seeds = _seed_terms(ordered), any(point.replicated for point in ordered)
    raw: list[tuple[float | None, float | None, str]] = []
    for first, second in pairs:
        smaller, larger = ordered[first], ordered[second]
        terms = [term for term in (seed_terms[first], seed_terms[second]) if term is not None]
        known = ["seeds"] if terms else []
        if (days := _day_term(smaller, larger, draws, confidence, seed, least_block)) is not None:
            terms.append(days)
            known.insert(0, "days")
        noise = " and ".join(known) or "unknown"
        if terms and (of_seeds or "days" in known):
            choice = _choice_term(smaller, larger, fit)
            if choice is not None and choice[0] > sum(variance for variance, _ in terms):
                terms, noise = [choice], "choice"
        elif terms:
            noise = "se as given"
        raw.append((*two_sided(larger.loss - smaller.loss, terms), noise))
    corrected = holm([p for _, p, _ in raw])
    return tuple(
        NeighbourContrast(
            smaller=ordered[first].cell,
            larger=ordered[second].cell,
            difference=ordered[second].loss - ordered[first].loss,
            relative=ordered[second].loss / ordered[first].loss - 1.0,
            se=se,
            p_holm=p_holm,
            noise=noise,
        )
        for (first, second), (se, _, noise), p_holm in zip(pairs, raw, corrected, strict=True)
    )


def _choice_term(smaller: RungPoint, larger: RungPoint, fit: PowerLaw | None) -> tuple[float, float] | None:
    if fit is None:
        return None
    scatter = min(fit.residual_sd, LARGEST_CHOICE)
    return scatter**2 * (smaller.loss**2 + larger.loss**2), fit.dof if scatter < LARGEST_CHOICE else math.inf


def _seed_terms(points: Sequence[RungPoint]) -> list[tuple[float, float] | None]:
    """Return (variance, degrees of freedom) of each rung mean over seeds; None where unknown."""
    spreads = [(p.se / p.loss) ** 2 * max(len(p.seeds), 1) for p in points if p.se is not None]
    dof = sum(len(p.seeds) - 1 for p in points if p.se is not None and len(p.seeds) > 1) or math.inf
    terms: list[tuple[float, float] | None] = []
    for point in points:
        if point.se is not None:
            terms.append((point.se**2, len(point.seeds) - 1 if len(point.seeds) > 1 else math.inf))
        elif spreads:
            terms.append((float(np.mean(spreads)) * point.loss**2 / max(len(point.seeds), 1), dof))
        else:
            terms.append(None)
    return terms


def _day_term(
    smaller: RungPoint, larger: RungPoint, draws: int, confidence: float, seed: int, least_block: int
) -> tuple[float, float] | None:
    if smaller.loss_N is None or larger.loss_N is None:
        return None
    if not same_days((smaller, larger)):
        raise ValueError(f"{smaller.cell} and {larger.cell} were scored on different days and cannot be paired")
    gap_N = larger.loss_N - smaller.loss_N
    block = block_of_at_least(least_block, gap_N)
    interval = mean_interval(gap_N, draws=draws, confidence=confidence, seed=seed, block=block)
    return interval.se**2, math.inf if interval.dof is None else interval.dof
