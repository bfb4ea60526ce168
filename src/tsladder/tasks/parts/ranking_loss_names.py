"""Names of the training losses of a ranking, and mixtures of them in words. Imports neither numpy nor torch.

A mixture is a weighted sum of losses; `loss_weights` maps the name of a loss to its weight.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES = ("ic", "quantile", "soft_spearman", "ranknet", "listnet", "sharpe", "regime")
"""Losses; the first is the one that `auto` means."""

QUANTILE = "quantile"
"""Loss that is trained on quantiles; with it, a model forecasts quantiles instead of a score."""

SHARPE = "sharpe"
"""Loss that is no sum over days but a figure of all days of a step."""

REGIME = "regime"
"""Loss that weighs days by their volatility."""

OVER_PAIRS = ("soft_spearman", "ranknet", "listnet")
"""Losses that compare every stock of a day with every other one."""

MOST_STOCKS = 512
"""Most stocks of a training day for a loss of `OVER_PAIRS`."""


def weighed(loss_weights: Mapping[str, float]) -> dict[str, float]:
    """Return the losses with a weight that is not 0, in the order of NAMES, unknown ones last."""
    order = [*NAMES, *(name for name in loss_weights if name not in NAMES)]
    return {name: weight for name in order if (weight := loss_weights.get(name, 0.0)) != 0.0}


def mixture(loss_weights: Mapping[str, float]) -> str:
    """Return a mixture in words, the largest weight first: "ic", "quantile + 0.5 ic"."""
    ordered = sorted(weighed(loss_weights).items(), key=lambda found: -found[1])
    return " + ".join(name if weight == 1.0 else f"{weight:g} {name}" for name, weight in ordered)


def needs_quantiles(loss_weights: Mapping[str, float]) -> bool:
    """Check whether a model that is trained on this mixture forecasts quantiles."""
    return QUANTILE in weighed(loss_weights)
