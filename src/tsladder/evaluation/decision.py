"""Decisions from probabilities by one threshold, chosen on the validation region alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import ThresholdDecision
from tsladder.evaluation.calibration import Probabilities, fit_temperature

CRITERION = "balanced_accuracy"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationChoices:
    """Choices made on the validation region for all regions. `threshold` is None where that region has only one
    class."""

    temperature: float
    threshold: float | None


def choose_on_validation(y_N: NDArray[np.floating], probabilities: Probabilities) -> ValidationChoices:
    """Choose temperature and threshold from the labels and probabilities of the validation region, one of each for all
    seeds."""
    return ValidationChoices(
        temperature=fit_temperature(y_N, probabilities), threshold=choose_threshold(y_N, probabilities)
    )


def choose_threshold(y_N: NDArray[np.floating], probabilities: Probabilities) -> float | None:
    """Choose the threshold with the best balanced accuracy over the pooled seeds; None where only one class occurs.

    Between two neighbouring forecasts every threshold decides alike, so the middle of each gap stands for it, the gaps
    to 0 and to 1 included. Of equally good gaps the one nearest to the base rate is taken, then the lower.
    """
    y = np.tile(np.asarray(y_N, dtype=np.float64), len(probabilities))
    p = np.concatenate([np.asarray(p_N, dtype=np.float64) for _, p_N in sorted(probabilities.items())])
    base_rate = float(y.mean())
    if base_rate in (0.0, 1.0):
        return None
    level_L, inverse = np.unique(p, return_inverse=True)
    hits_L, called_L = np.bincount(inverse, weights=y), np.bincount(inverse)
    # Entry k counts the forecasts classified as positive at level k and above; the last entry is 0.
    hits = np.r_[np.cumsum(hits_L[::-1])[::-1], 0.0]
    called = np.r_[np.cumsum(called_L[::-1])[::-1], 0]
    balanced = 0.5 * (hits / y.sum() + 1.0 - (called - hits) / (y.size - y.sum()))
    edges = np.r_[0.0, level_L, np.nextafter(1.0, 2.0)]
    low, high = edges[:-1], edges[1:]
    middle = 0.5 * (low + high)
    # Between neighbouring floats the middle is the lower one, which is below the gap.
    middle = np.where(middle > low, middle, high)
    best = np.flatnonzero(balanced >= balanced.max() - 1e-12)
    return float(middle[best[np.argmin(np.abs(middle[best] - base_rate))]])


def decide(y_N: NDArray[np.floating], probabilities: Probabilities, threshold: float) -> ThresholdDecision:
    """Predict the positive class where a forecast is at least `threshold`, and compare with the labels."""
    y = np.tile(np.asarray(y_N, dtype=np.float64) == 1.0, len(probabilities))
    yes = np.concatenate([np.asarray(p_N) >= threshold for _, p_N in sorted(probabilities.items())])
    hits, misses = int((yes & y).sum()), int((~yes & y).sum())
    alarms, passes = int((yes & ~y).sum()), int((~yes & ~y).sum())
    recall, specificity = _share(hits, hits + misses), _share(passes, passes + alarms)
    return ThresholdDecision(
        threshold=threshold,
        criterion=CRITERION,
        accuracy=(hits + passes) / y.size,
        balanced_accuracy=None if recall is None or specificity is None else 0.5 * (recall + specificity),
        precision=_share(hits, hits + alarms),
        recall=recall,
        f1=_share(2 * hits, 2 * hits + alarms + misses),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
