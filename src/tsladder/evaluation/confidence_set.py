"""The model confidence set: the models not distinguishable from the best on the given days."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_evidence import ConfidenceSet
from tsladder.evaluation.bootstrap import block_length, resamples

Floats = NDArray[np.float64]

TRAINED_MODELS = "of these trained models, on these days"
DRAWN_MODELS = "of models whose searches and seeds are draws, on days like these"

_SAME = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanNoise:
    """Noise of each model's mean loss from sources other than the days: other searches, other seeds.

    `variances`: model -> variance of its mean, in squared units of the loss. `dof`: degrees of freedom of their common
    scale; infinite where the scale is known.
    """

    variances: Mapping[str, float]
    dof: float = math.inf

    def __post_init__(self) -> None:
        wrong = {name: v for name, v in self.variances.items() if not (math.isfinite(v) and v >= 0.0)}
        if wrong or not self.dof > 0.0:
            raise ValueError(f"variances must be at least 0 and dof above 0, got {wrong} and dof {self.dof}")


def model_confidence_set(
    losses: Mapping[str, NDArray[np.floating]],
    *,
    confidence: float,
    draws: int,
    seed: int,
    noise: MeanNoise | None = None,
    least_block: int = 1,
) -> ConfidenceSet:
    """Compute the set of Hansen, Lunde and Nason (2011) by the range statistic, from daily losses on the same days in
    time order.

    The stationary bootstrap's mean block is the longest one estimated from any model's distance to the average model,
    and at least `least_block` days.
    `noise`: added to each resampled mean, as a t variate of its degrees of freedom, and to the variance of each pair's
    distance. Without it the statement is about the models as trained: models with equal losses get the same p-value,
    and one that loses the same amount to another every day gets p 0, since no resample says otherwise. Raises
    ValueError without models, for losses that do not pair up, and for noise of other models.
    """
    series = {name: np.asarray(losses[name], dtype=np.float64) for name in sorted(losses)}
    shapes = {name: loss_N.shape for name, loss_N in series.items()}
    if not series or len(set(shapes.values())) > 1 or any(len(s) != 1 or s[0] < 2 for s in shapes.values()):
        raise ValueError(f"a confidence set needs the losses of its models on the same days, got {shapes}")
    if not all(np.isfinite(loss_N).all() for loss_N in series.values()):
        raise ValueError("a confidence set needs finite losses")
    if noise is not None and set(noise.variances) != set(series):
        raise ValueError(f"a confidence set of {list(series)} got the noise of {sorted(noise.variances)}")
    ordered = sorted(series, key=lambda name: float(series[name].mean()))
    noise_free = noise is None or not any(noise.variances.values())
    twin_of, worse = _tied_or_dominated(series, ordered) if noise_free else ({}, set())
    kept = [name for name in ordered if name not in twin_of and name not in worse]
    p_values = dict.fromkeys(worse, 0.0) | _p_values(
        {name: series[name] for name in kept}, draws, seed, noise, least_block
    )
    p_values |= {name: p_values[twin] for name, twin in twin_of.items()}
    return ConfidenceSet(
        members=tuple(name for name in ordered if p_values[name] > 1.0 - confidence),
        p_values={name: p_values[name] for name in sorted(p_values)},
        about=TRAINED_MODELS if noise is None else DRAWN_MODELS,
    )


def _tied_or_dominated(series: Mapping[str, Floats], ordered: list[str]) -> tuple[dict[str, str], set[str]]:
    """Return (model -> an equal one before it, models that lose the same amount to a better one every day)."""
    twin_of: dict[str, str] = {}
    worse: set[str] = set()
    for better, name in itertools.combinations(ordered, 2):
        gap_N = series[name] - series[better]
        if better in twin_of or float(np.ptp(gap_N)) > _SAME:
            continue
        if float(np.abs(gap_N).max()) <= _SAME:
            twin_of.setdefault(name, better)
        else:
            worse.add(name)
    return twin_of, worse


def _p_values(
    series: Mapping[str, Floats], draws: int, seed: int, noise: MeanNoise | None, least_block: int
) -> dict[str, float]:
    """Return each model's p-value: the worst model leaves the set first, and its p is the largest of all tests so far.

    Axis letter: K models.
    """
    names = list(series)
    loss_KN = np.stack([series[name] for name in names])
    mean_K = loss_KN.mean(axis=1)
    moved_DK = _centred_means(loss_KN, draws, seed, least_block)
    moved_DKK = moved_DK[:, :, None] - moved_DK[:, None, :]
    variance_KK = (moved_DKK**2).mean(axis=0)
    if noise is not None:
        noise_K = np.array([noise.variances[name] for name in names])
        added_DK = _noise_draws(noise_K, noise.dof, draws, seed)
        moved_DKK = moved_DKK + added_DK[:, :, None] - added_DK[:, None, :]
        variance_KK = variance_KK + noise_K[:, None] + noise_K[None, :]
    # A model against itself, or two models whose difference has no variance: distance 0.
    scale_KK = np.where(variance_KK > _SAME**2, np.sqrt(variance_KK), np.inf)
    apart_KK = (mean_K[:, None] - mean_K[None, :]) / scale_KK
    moved_DKK = moved_DKK / scale_KK
    left = list(range(len(names)))
    p_values, so_far = {}, 0.0
    while len(left) > 1:
        farthest_K = apart_KK[left][:, left].max(axis=1)
        largest_D = moved_DKK[:, left][:, :, left].max(axis=(1, 2))
        so_far = max(so_far, float((farthest_K.max() < largest_D).mean()))
        p_values[names[left.pop(int(farthest_K.argmax()))]] = so_far
    return p_values | {names[left[0]]: 1.0}


def _centred_means(loss_KN: Floats, draws: int, seed: int, least_block: int) -> Floats:
    """Return the mean loss of each model on resampled days, less that on all days."""
    days = loss_KN.shape[1]
    distance_KN = loss_KN - loss_KN.mean(axis=0)
    block = max(least_block, *(block_length(distance_N) for distance_N in distance_KN))
    # Subtract the common mean: the distances stay the same, and no precision is lost.
    centred_KN = distance_KN - distance_KN.mean(axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    return np.concatenate([weights_DN @ centred_KN.T / days for weights_DN in resamples(days, block, draws, rng)])


def _noise_draws(variance_K: Floats, dof: float, draws: int, seed: int) -> Floats:
    """Draw the noise of each model's mean.

    The scale is common to all models of a draw, since it was estimated from all of them together.
    """
    rng = np.random.default_rng([seed, 1])
    normal_DK = rng.normal(size=(draws, variance_K.size)) * np.sqrt(variance_K)
    if math.isinf(dof):
        return normal_DK
    return np.asarray(normal_DK * np.sqrt(dof / rng.chisquare(dof, size=(draws, 1))), dtype=np.float64)
