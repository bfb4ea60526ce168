"""Selection of the budgets that a supplementary phase searches, with reasons. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BEST = 2
"""Number of budgets that `auto` selects."""

Scores = Mapping[str, Mapping[str, float | str]]
"""Rung -> cell -> the winner's score (higher is better), or the reason why there is none; smallest rung first."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen budgets, smallest first, and a sentence on every budget of the study."""

    budgets: tuple[str, ...]
    reasons: Mapping[str, str]


def select_budgets(requested: str | Sequence[str], scores: Scores, *, metric: str) -> Selection:
    """Select the BEST rungs by their mean score over the horizons (`auto`), or those of a list.

    A mean over fewer horizons would not be comparable: under `auto` a rung with a failed cell is left out. `metric`
    names what is scored: a val_loss is the negative of its score.
    """
    if not isinstance(requested, str):
        return _listed(requested, scores)
    missing = {rung: [f"{cell}: {s}" for cell, s in of.items() if isinstance(s, str)] for rung, of in scores.items()}
    means = {
        rung: statistics.fmean(score for score in of.values() if not isinstance(score, str))
        for rung, of in scores.items()
        if not missing[rung]
    }
    ranked = sorted(means, key=lambda rung: -means[rung])
    reasons = {}
    for rung, of in scores.items():
        if rung not in means:
            reasons[rung] = f"left out: {'; '.join(missing[rung])}"
            continue
        mean = -means[rung] if metric == "val_loss" else means[rung]
        place = ranked.index(rung) + 1
        reasons[rung] = (
            f"{'chosen' if place <= BEST else 'not chosen'}: number {place} of {len(ranked)} by the mean {metric} of "
            f"its winners over {len(of)} horizon{'s' if len(of) > 1 else ''}, {mean:.4f}"
        )
    return Selection(tuple(rung for rung in scores if rung in ranked[:BEST]), reasons)


def _listed(requested: Sequence[str], scores: Scores) -> Selection:
    reasons = {rung: "chosen: named in search.supplementary.budgets" for rung in scores if rung in requested}
    reasons |= {rung: "not named in search.supplementary.budgets" for rung in scores if rung not in requested}
    reasons |= {rung: "named, and above the top rung that is planned" for rung in requested if rung not in scores}
    return Selection(tuple(rung for rung in scores if rung in requested), reasons)
