"""Metrics of one classifier on one region, from its labels and probabilities alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CLIP = 1e-7
"""Distance from 0 and 1 to which probabilities are clipped before the logarithm: one certain error costs at most
16.1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifierScores:
    """Metrics of one classifier. `auc` and `average_precision` are None where only one class occurs: they are undefined
    there, not 0."""

    log_loss: float
    brier: float
    auc: float | None
    average_precision: float | None


def per_day_log_loss(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> Floats:
    """Return the negative log likelihood (nats) of each label under its probability, clipped to [CLIP, 1 - CLIP].

    Raises ValueError for labels other than 0 and 1, for probabilities that are no numbers in [0, 1], and for arrays
    that do not pair up.
    """
    y, p = _checked(y_N, p_N)
    p = np.clip(p, CLIP, 1.0 - CLIP)
    return np.where(y == 1.0, -np.log(p), -np.log1p(-p))


def score_classifier(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> ClassifierScores:
    """Compute all metrics of the probabilities `p_N` for the labels `y_N` (0 or 1)."""
    y, p = _checked(y_N, p_N)
    ranked = 0.0 < y.mean() < 1.0
    return ClassifierScores(
        log_loss=float(per_day_log_loss(y, p).mean()),
        brier=float(np.mean((p - y) ** 2)),
        auc=_auc(y, p) if ranked else None,
        average_precision=_average_precision(y, p) if ranked else None,
    )


def _checked(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> tuple[Floats, Floats]:
    y, p = np.asarray(y_N, dtype=np.float64), np.asarray(p_N, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or y.size == 0:
        raise ValueError(f"labels and probabilities must pair up, one of each a day; got {y.shape} and {p.shape}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 or 1")
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise ValueError("probabilities must lie in [0, 1]; a model's output needs one sigmoid, and no NaN")
    return y, p


def _auc(y: Floats, p: Floats) -> float:
    """Return the share of (positive, negative) pairs in the right order, ties counted half (Mann-Whitney, by
    midranks)."""
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    midrank = np.cumsum(counts) - (counts - 1) / 2.0
    positives = y.sum()
    rank_sum = midrank[inverse][y == 1.0].sum()
    return float((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * (y.size - positives)))


def _average_precision(y: Floats, p: Floats) -> float:
    """Return the precision at each distinct threshold, weighted by the recall gained there; no interpolation."""
    _, inverse = np.unique(-p, return_inverse=True)
    hits = np.bincount(inverse, weights=y)
    called = np.cumsum(np.bincount(inverse))
    precision = np.cumsum(hits) / called
    return float((precision * hits).sum() / y.sum())
