"""The threshold delta of the surface's Huber loss, chosen from the noise of one point.

Up to `PUBLISHED_NOISE`, the noise of language models and of figures read off their plots, delta is 1.3 noises but at
most the published 1e-3: so a published table gives the published figures, and the loss is nearly absolute where noise
exceeds 1e-3, which costs precision and buys robustness to outliers. From `FIELD_NOISE` on 1e-3 would be a small part of
every residual, and delta is 1.3 noises: 95 % as precise as least squares on normal noise (Huber, 1964). Between the two
log delta is linear in log noise, so that no small change of the noise makes a large one of delta.

All groups of a table share one delta, since otherwise they would be fitted by different losses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PUBLISHED_DELTA = 1e-3
PUBLISHED_NOISE = 0.01
FIELD_NOISE = 0.02
NOISES = 1.3
LEAST_DELTA = 1e-5
REPLICATES = "the spread of replicates and column se"
RESIDUALS = "the residuals' robust spread"


@dataclass(frozen=True, kw_only=True, slots=True)
class Noise:
    """The relative sd of one point. `dof`: degrees of freedom of the estimate. `source`: its origin, in words."""

    sd: float
    dof: float
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HuberDelta:
    delta: float
    noise: float | None
    reason: str


def delta_for(noise: float) -> float:
    """Return the threshold for residuals of log loss with standard deviation `noise`, continuous in it."""
    if noise <= PUBLISHED_NOISE:
        return max(LEAST_DELTA, min(NOISES * noise, PUBLISHED_DELTA))
    if noise >= FIELD_NOISE:
        return NOISES * noise
    way = math.log(noise / PUBLISHED_NOISE) / math.log(FIELD_NOISE / PUBLISHED_NOISE)
    return float(PUBLISHED_DELTA * (NOISES * FIELD_NOISE / PUBLISHED_DELTA) ** way)


def from_noise(noise: Noise) -> HuberDelta:
    delta = delta_for(noise.sd)
    if noise.sd <= PUBLISHED_NOISE:
        how = "1.3 noises" if delta < PUBLISHED_DELTA else "the published 1e-3, which holds up to a noise of 1 %"
        how = "the least used" if delta <= LEAST_DELTA else how
    elif noise.sd >= FIELD_NOISE:
        how = "1.3 noises"
    else:
        how = "between the published 1e-3 at a noise of 1 % and 1.3 noises at 2 %"
    return HuberDelta(delta=delta, noise=noise.sd, reason=f"{how}; the noise is {noise.sd:.2g} by {noise.source}")


def given(delta: float) -> HuberDelta:
    return HuberDelta(delta=delta, noise=None, reason="given (--huber-delta)")


def pooled(noises: Sequence[Noise]) -> Noise | None:
    """Pool the noises of several groups, weighted by their degrees of freedom. None without groups."""
    dof = sum(noise.dof for noise in noises)
    if dof <= 0.0:
        return None
    sd = math.sqrt(sum(noise.dof * noise.sd**2 for noise in noises) / dof)
    together = f", {len(noises)} groups together" if len(noises) > 1 else ""
    return Noise(sd=sd, dof=dof, source=noises[0].source + together)


def noise_of_replicates(
    loss_P: Sequence[float], se_P: Sequence[float | None], replicates_P: Sequence[int] = ()
) -> Noise | None:
    """Return the noise of a mean of replicates, from the points' standard errors; None where fewer than half of the
    points have one.

    `replicates_P`: number of rows that each point averages. A point of one row has its `se` from the table and counts
    as one degree of freedom, as do all points where this is not given.
    """
    counts = list(replicates_P) or [1] * len(loss_P)
    known = [
        (max(count - 1, 1), se / loss)
        for loss, se, count in zip(loss_P, se_P, counts, strict=True)
        if se is not None and se > 0.0
    ]
    if not known or 2 * len(known) < len(loss_P):
        return None
    dof = sum(weight for weight, _ in known)
    return Noise(sd=math.sqrt(sum(weight * sd**2 for weight, sd in known) / dof), dof=float(dof), source=REPLICATES)
