"""Rungs where a law that is not monotone turns, whatever its figures are: which they are, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.artifacts.law_evidence import NeighbourContrast, SettleOption
from tsladder.law.verdict_case import Case
from tsladder.law.wording import p_in_words


@dataclass(frozen=True, kw_only=True, slots=True)
class TurningRungs:
    """Sentences and the option on the rungs where a curve turns.

    `caution`: a sentence, empty where every neighbour was compared over seeds. `settle`: what would settle the verdict.
    """

    caution: str
    settle: str
    option: SettleOption


def turning_rungs(case: Case, falls: Sequence[NeighbourContrast], rises: Sequence[NeighbourContrast]) -> TurningRungs:
    """Find the rungs between a fall and a rise; where only one of them was found, the rung nearest to the turn of the
    fitted curve."""
    overfit = case.support.overfit
    turning = sorted({c.larger for c in (*falls, *rises)} & {c.smaller for c in (*falls, *rises)})
    if not (falls and rises) and overfit is not None and overfit.turns_at_n is not None:
        at = overfit.turns_at_n
        turning = [min(case.points, key=lambda point: abs(math.log(point.n_params / at))).cell]
    by_days = any(c.noise == "days" for c in (*falls, *rises))
    named = f" ({', '.join(turning)})" if turning else ""
    turned = [point for point in case.points if point.cell in turning] or list(case.points)
    now = max(1, max(len(point.seeds) for point in turned))
    return TurningRungs(
        caution=" With one seed a rung this holds for these trained models, not yet for their sizes."
        if by_days
        else "",
        settle=f"Search and retrain the rungs where the curve turns{named} with more trials and seeds: if the turn "
        "stays, it is the models' own and no power law holds here.",
        option=SettleOption(
            what="seeds",
            seeds=2 * now,
            rungs=None,
            words=f"{2 * now} seeds on the rungs where the curve turns{named}",
            estimated_seconds=None if case.cost is None else case.cost.more_seeds([p.n_params for p in turned], now),
        ),
    )


def p_of(contrast: NeighbourContrast) -> str:
    """Format the p of a difference between neighbours."""
    return "p unknown" if contrast.p_holm is None else p_in_words(contrast.p_holm)
