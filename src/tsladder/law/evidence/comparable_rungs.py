"""Warnings where the rungs of a law differ in search effort, precision or optimizer.

A rung that was searched with more trials has a better winner for that reason alone; precision and optimizer may change
from rung to rung.
"""

from __future__ import annotations

from collections.abc import Mapping

PARITY = "benchmarks/README.md, Parity of lean training"


def unequal_effort(trials: Mapping[str, int]) -> str | None:
    """Warn where the cells of one horizon were not searched with equally many trials; None where they were.

    `trials`: cell -> number of trials that finished or were pruned, smallest rung first.
    """
    if len(set(trials.values())) < 2:
        return None
    listed = ", ".join(f"{cell} {count}" for cell, count in trials.items())
    return (
        f"the rungs were searched with unequal effort (trials: {listed}). The best of more trials is better by that "
        "alone, so a slope between them may be one of effort. Set search.trials to what every rung can afford"
    )


def cut_short(trials: Mapping[str, tuple[int, int]]) -> str | None:
    """Warn where trials of a cell ended without a loss, so that its winner is the best of fewer; None elsewhere.

    `trials`: cell -> (trials that ended, those of them that finished or were pruned).
    """
    fewer = {cell: counts for cell, counts in trials.items() if counts[1] < counts[0]}
    if not fewer:
        return None
    listed = ", ".join(f"{cell} {trained} of {ended}" for cell, (ended, trained) in fewer.items())
    return f"some winners are the best of fewer trials than were run ({listed}): the others ended without a loss"


def mixed_numerics(recipes: Mapping[str, tuple[str, str]]) -> str | None:
    """Warn where the cells of one horizon differ in precision or optimizer; None where they do not.

    `recipes`: cell -> (precision, optimizer), smallest rung first.
    """
    if len(set(recipes.values())) < 2:
        return None
    listed = ", ".join(f"{cell} {precision} {optimizer}" for cell, (precision, optimizer) in recipes.items())
    return (
        f"the rungs were trained in different numbers (precision and optimizer: {listed}), so a part of their "
        f"differences may be of those. How far lean and standard training were seen apart: {PARITY}. Set "
        "training.precision and training.optimizer to one each to ask the whole law in the same"
    )
