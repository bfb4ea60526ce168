"""Test whether the winners of a rung become deeper or wider with the horizon, or keep one shape. Pure."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

from tsladder.evaluation.difference import holm
from tsladder.report.patterns.trials import Shape

Drawn = TypeVar("Drawn", Shape, float)


class Order(StrEnum):
    """Order of the shapes of a rung's winners, shortest horizon first."""

    SAME = "same shape"
    DEEPER = "deeper with the horizon"
    WIDER = "wider with the horizon"
    NONE = "no order"


@dataclass(frozen=True, kw_only=True, slots=True)
class WinnersPattern:
    """The winners of one rung. `chances`: probability of each order if every complete trial of a search were equally
    likely to win; None where a search has no trial on record."""

    budget: str
    winners: Mapping[int, Shape]
    order: Order
    chances: Mapping[Order, float] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderCount:
    """Count of one order over all rungs: the number of rungs that show it, the number expected by chance, and the
    p-value, corrected over the orders."""

    order: Order
    found: int
    expected: float
    p_holm: float


def order_of(shapes: Sequence[Shape]) -> Order:
    """Classify the shapes of at least two winners. Deeper: never wider from one horizon to the next, and deeper at
    least once."""
    if len(set(shapes)) == 1:
        return Order.SAME
    ratios = [n_layers / d_model for d_model, n_layers in shapes]
    if len(set(ratios)) > 1 and all(a <= b for a, b in itertools.pairwise(ratios)):
        return Order.DEEPER
    if len(set(ratios)) > 1 and all(a >= b for a, b in itertools.pairwise(ratios)):
        return Order.WIDER
    return Order.NONE


def chances_of(tried: Sequence[Sequence[Shape]]) -> dict[Order, float]:
    """Return the probability of each order if each horizon's winner is drawn from its trials. `tried`: shapes by
    horizon."""
    shapes = [Counter(of_horizon) for of_horizon in tried]
    ratios = [Counter(n_layers / d_model for d_model, n_layers in of_horizon) for of_horizon in tried]
    same, one_ratio = _all_equal(shapes), _all_equal(ratios)
    deeper = _never_falls(ratios) - one_ratio
    wider = _never_falls(ratios[::-1]) - one_ratio
    return {Order.SAME: same, Order.DEEPER: deeper, Order.WIDER: wider, Order.NONE: 1.0 - same - deeper - wider}


def winners_pattern(
    budget: str, winners: Mapping[int, Shape], tried: Mapping[int, Sequence[Shape]]
) -> WinnersPattern | None:
    """Return the pattern of one rung; None where fewer than two horizons have a winner."""
    ordered = dict(sorted(winners.items()))
    if len(ordered) < 2:
        return None
    known = [tried.get(horizon, ()) for horizon in ordered]
    return WinnersPattern(
        budget=budget,
        winners=ordered,
        order=order_of(list(ordered.values())),
        chances=chances_of(known) if all(known) else None,
    )


def count_orders(patterns: Sequence[WinnersPattern]) -> tuple[OrderCount, ...]:
    """Count the orders over the rungs whose chances are known; empty where there is none."""
    known = [(pattern.order, pattern.chances) for pattern in patterns if pattern.chances is not None]
    if not known:
        return ()
    counts = []
    for order in (Order.SAME, Order.DEEPER, Order.WIDER):
        chances = [of_rung[order] for _, of_rung in known]
        found = sum(seen is order for seen, _ in known)
        p = _at_least(found, chances)
        counts.append(OrderCount(order=order, found=found, expected=math.fsum(chances), p_holm=p))
    corrected = [p for p in holm([count.p_holm for count in counts]) if p is not None]
    return tuple(dataclasses.replace(count, p_holm=p) for count, p in zip(counts, corrected, strict=True))


def _all_equal(counts: Sequence[Counter[Drawn]]) -> float:
    """Return the probability that all draws are equal."""
    shares = [math.prod(of_horizon[value] / of_horizon.total() for of_horizon in counts) for value in counts[0]]
    return math.fsum(shares)


def _never_falls(counts: Sequence[Counter[float]]) -> float:
    """Return the probability that each draw is at least as large as the one before it."""
    values = sorted({value for of_horizon in counts for value in of_horizon})
    # For each value, the probability that the draws so far never decreased and end at it.
    ending = np.ones(1)
    for position, of_horizon in enumerate(counts):
        share = np.array([of_horizon[value] for value in values]) / of_horizon.total()
        ending = share if position == 0 else share * np.cumsum(ending)
    return float(ending.sum())


def _at_least(found: int, chances: Sequence[float]) -> float:
    """Return the probability that at least `found` of the independent events happen."""
    happened = np.ones(1)
    for chance in chances:
        happened = np.convolve(happened, [1.0 - chance, chance])
    return min(1.0, float(happened[found:].sum()))
