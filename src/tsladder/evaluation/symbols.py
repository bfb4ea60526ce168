"""A short summary of one cell's scores on each symbol of a study, with the same figures for all symbols.

Every symbol has its own days, labels and base rate, so losses of two symbols are never compared; skill may be.
"""

from __future__ import annotations

from tsladder.artifacts.scores import SymbolScores
from tsladder.evaluation.region import Scores


def symbol_scores(scores: Scores, metric: str) -> SymbolScores:
    """Return the summary of the scores on one region of one symbol. `metric`: name of the task's loss."""
    return SymbolScores(
        windows=scores.windows,
        positives=scores.positives,
        base_rate=scores.base_rate,
        first_day=scores.first_day,
        last_day=scores.last_day,
        loss=getattr(scores.mean, metric),
        auc=getattr(scores.mean, "auc", None),
        ic=getattr(scores.mean, "ic", None),
        stricter=scores.stricter,
        skill=scores.skill,
        advantage=scores.advantage,
    )
