"""The interval of every metric of a cell over the days of a region."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.evaluation.bootstrap import mean_interval, resampled_intervals, shared_block_length, within
from tsladder.evaluation.calibration import Probabilities, expected_calibration_error
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.evaluation.weighted import SortedForecasts
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]


def metric_intervals(
    y_N: NDArray[np.floating], probabilities: Probabilities, *, params: EvaluationParams, seed: int
) -> dict[str, Interval | None]:
    """Return the interval, over days, of the mean over seeds of log loss, Brier score, AUC, average precision and ECE.

    The intervals describe the variation over other days, not over other seeds. Log loss and Brier score are means of
    days. The other metrics are computed on resampled days, the same days for every seed and metric; draws with a single
    class have no ranks and are left out. A rank metric is None where only one class occurs. All blocks have the length
    estimated from the labels, so that models scored on the same days get comparable intervals.
    """
    y = np.asarray(y_N, dtype=np.float64)
    by_seed = [np.asarray(p_N, dtype=np.float64) for _, p_N in sorted(probabilities.items())]
    loss_N = np.mean([per_day_log_loss(y, p_N) for p_N in by_seed], axis=0)
    brier_N = np.mean([(p_N - y) ** 2 for p_N in by_seed], axis=0)
    # The daily loss of a constant forecast is a linear function of the labels.
    block = shared_block_length(y)
    found: dict[str, Interval | None] = {}
    for name, values_N, highest in (("log_loss", loss_N, math.inf), ("brier", brier_N, 1.0)):
        interval = mean_interval(
            values_N, draws=params.bootstrap_draws, confidence=params.confidence, seed=seed, block=block
        )
        found[name] = within(interval, 0.0, highest)

    sorted_by_seed = [SortedForecasts.of(y, p_N) for p_N in by_seed]

    def figures(weights_DN: Floats) -> Floats:
        return np.asarray(np.mean([one.figures(weights_DN) for one in sorted_by_seed], axis=0), dtype=np.float64)

    intervals = resampled_intervals(
        figures,
        _values(y, by_seed),
        days=y.size,
        block=block,
        draws=params.bootstrap_draws,
        confidence=params.confidence,
        seed=seed,
    )
    for name, own in zip(("auc", "average_precision", "ece"), intervals, strict=True):
        found[name] = None if own is None else within(own, 0.0, 1.0)
    return found


def _values(y_N: Floats, by_seed: list[Floats]) -> tuple[float | None, float | None, float]:
    scores = [score_classifier(y_N, p_N) for p_N in by_seed]
    ranked = [(s.auc, s.average_precision) for s in scores if s.auc is not None and s.average_precision is not None]
    ece = float(np.mean([expected_calibration_error(y_N, p_N) for p_N in by_seed]))
    if not ranked:
        return None, None, ece
    auc, precision = np.mean(ranked, axis=0).tolist()
    return auc, precision, ece
