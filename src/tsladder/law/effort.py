"""Were the rungs of a law searched with equal effort? A rung of more trials has the better winner by that alone."""

from __future__ import annotations

from collections.abc import Mapping


def unequal_effort(trials: Mapping[str, int]) -> str | None:
    """A warning where the cells of one horizon were not searched by equally many trials; None where they were.

    `trials`: cell -> trials that were trained to an end or given up, smallest rung first.
    """
    if len(set(trials.values())) < 2:
        return None
    listed = ", ".join(f"{cell} {count}" for cell, count in trials.items())
    return (
        f"the rungs were searched with unequal effort (trials: {listed}). The best of more trials is better by that "
        "alone, so a slope between them may be one of effort. Set search.trials to what every rung can afford"
    )


def cut_short(trials: Mapping[str, tuple[int, int]]) -> str | None:
    """A warning where trials of a cell ended without a loss, so that its winner is the best of fewer; None elsewhere.

    `trials`: cell -> (trials that ended, those of them that were trained to an end or given up).
    """
    fewer = {cell: counts for cell, counts in trials.items() if counts[1] < counts[0]}
    if not fewer:
        return None
    listed = ", ".join(f"{cell} {trained} of {ended}" for cell, (ended, trained) in fewer.items())
    return f"some winners are the best of fewer trials than were run ({listed}): the others ended without a loss"
