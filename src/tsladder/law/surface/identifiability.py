"""Identifiability of a surface: too few points, terms that are not told from none, intervals at a bound."""

from __future__ import annotations

from tsladder.law.design import Design, Kind
from tsladder.law.surface import huber
from tsladder.law.surface.huber import Floats
from tsladder.law.surface.surface_fit import LEAST_LEVELS

LEAST_POINTS = 8
ENOUGH_CONVERGED = 0.9
_NO_FLOOR = 0.01
_AT_BOUND = 1e-6


def obstacle(design: Design, points: int) -> str | None:
    """Return why five parameters cannot be identified from these points; None where they may be."""
    if points < LEAST_POINTS or min(design.n_sizes, design.n_amounts) < LEAST_LEVELS:
        return (
            f"not identifiable: {points} points of {design.n_sizes} sizes and {design.n_amounts} amounts of data; five "
            f"parameters and a noise level need at least {LEAST_POINTS} points with {LEAST_LEVELS} of each"
        )
    if design.kind is Kind.IN_STEP:
        return (
            "not identifiable: the amount of data moves in step with the size (it leaves "
            f"{design.left_of_size:.2g} of the spread of log N), so their two terms cannot be told apart. Points with "
            "other data at the same size would tell"
        )
    return None


def terms_not_told(converged: bool, ends: Floats | None, lowest: float, confidence: float) -> list[str]:
    """Return why a surface is not identified; [] where every term differs significantly from none. `ends`: interval
    ends of (E, A, B, alpha, beta), 2 x 5; `lowest`: the least loss."""
    if ends is None:
        return ["not identifiable: no bootstrap draws were asked for, so there are no intervals"]
    missing = [] if converged else ["the search for the optimum did not converge"]
    if ends[0, 0] < _NO_FLOOR * lowest:
        missing.append(f"E is not told from 0 ({confidence:.0%} interval)")
    for column, name, term in ((3, "alpha", "size"), (4, "beta", "data")):
        if ends[0, column] <= 0.0 <= ends[1, column]:
            missing.append(f"{name} is not told from 0, so the {term}'s term not from a constant")
    return missing


def doubts_of_intervals(ends_2K: Floats, converged: float | None) -> tuple[str, ...]:
    """Return sentences on the intervals. `ends_2K`: quantiles of the draws in the parameters of
    `tsladder.law.surface.huber`."""
    doubts = []
    if converged is not None and converged < ENOUGH_CONVERGED:
        doubts.append(
            f"only {converged:.0%} of the bootstrap draws ended in a minimum inside the bounds, so the intervals of "
            "these constants are rough"
        )
    for column, name in ((3, "alpha"), (4, "beta")):
        for end, which in zip(ends_2K[:, column], ("lower", "upper"), strict=True):
            if abs(end) > huber.STEEPEST * (1.0 - _AT_BOUND):
                doubts.append(
                    f"the {which} end of {name}'s interval is the bound of the search ({end:.0f}): the points set none"
                )
    for column, name in ((0, "size's term"), (1, "data's term"), (2, "floor E")):
        if ends_2K[0, column] < -huber.FAINTEST * (1.0 - _AT_BOUND):
            doubts.append(f"the lower end of the {name} is the bound of the search, a term that is absent")
    return tuple(doubts)
