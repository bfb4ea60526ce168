"""Effect of size on the RankIC of a ladder of rankings, whose loss is 1 - RankIC.

The slope of the fitted curve in log10 N at the ladder's reference size is ln(10) times alpha times the loss there, with
its sign turned for the RankIC. As that factor is a positive number, the interval of the slope lies above 0, holds 0 or
lies below it wherever that of alpha does, and a sentence on RankIC never contradicts a verdict on alpha.
"""

from __future__ import annotations

import math

from tsladder.artifacts.law_fits import PowerLaw, RankIcPerTenfold
from tsladder.law.evidence.detection import FEW_DOF, Precision, detectable_alpha, detectable_range
from tsladder.ranking.words import gain, gain_with_interval


def rank_ic_per_tenfold(fit: PowerLaw, noise: float) -> RankIcPerTenfold:
    """Return the RankIC that a tenfold size gains, and what such a study finds of it. `noise`: relative noise of a
    rung mean."""
    scale, precision = rank_ic_per_alpha(fit), Precision.of(fit, noise)
    known = precision.noise_dof >= FEW_DOF
    low, high = detectable_range(precision)
    return RankIcPerTenfold(
        value=scale * fit.alpha,
        low=scale * fit.alpha_ci[0],
        high=scale * fit.alpha_ci[1],
        detectable=scale * detectable_alpha(precision) if known else None,
        detectable_range=None if known else (scale * low, scale * high),
    )


def rank_ic_per_alpha(fit: PowerLaw) -> float:
    """Return the RankIC per tenfold size of an exponent of 1: ln(10) times the loss at the reference size."""
    return math.log(10.0) * fit.loss_at_reference


def slope_in_words(found: RankIcPerTenfold, on_data: str = "") -> str:
    """State the slope and its interval: "RankIC per tenfold size: +0.0012 (-0.0060 to 0.0080)". `on_data`: words that
    name the data of the larger model."""
    named = f"RankIC per tenfold size{on_data}"
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return f"{named}: {gain(found.value)}, with an interval without two ends"
    return f"{named}: {gain_with_interval(found.value, found.low, found.high)}"
