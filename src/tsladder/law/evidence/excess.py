"""The law of a model's excess loss: its loss less that of the best baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_fits import ExcessLaw, PowerLaw
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.law.curve.power_law import fit_power
from tsladder.law.points import RungPoint

HINDSIGHT = ("own_rate", OWN_STATIC_ORDER)
"""Constants that know the scored region's own labels. They are excluded, since nobody could have forecast by them."""


def fit_excess(rungs: Sequence[RungPoint], confidence: float, *, ranks: bool = False) -> ExcessLaw | None:
    """Fit the excess of the rungs' mean losses over the best baseline; None without baselines. `ranks`: the losses are
    rank errors, and the reason speaks of RankIC."""
    known = {name: loss for name, loss in (rungs[0].baselines if rungs else {}).items() if name not in HINDSIGHT}
    if not known:
        return None
    name = min(known, key=lambda key: (known[key], key))
    sizes = np.array([point.n_params for point in rungs])
    excess = np.array([point.loss - known[name] for point in rungs])
    slope, ci = _slope_per_tenfold(sizes, excess, confidence)
    power = fit_power(sizes, excess, confidence) if bool((excess > 0.0).all()) else None
    return ExcessLaw(
        baseline=name,
        baseline_loss=known[name],
        slope_per_tenfold=slope,
        slope_ci=ci,
        power=power,
        reason=(_reason_of_rankings if ranks else _reason)(name, excess, slope, power),
    )


def _reason(name: str, excess: np.ndarray, slope: float | None, power: PowerLaw | None) -> str:
    if slope is None:
        return f"fewer than three sizes: no slope of the loss above {name}"
    if power is not None:
        return f"every rung loses more than {name}, so its excess has a logarithm and a power law is fitted to it"
    below = int(np.sum(excess <= 0.0))
    return (
        f"{below} of {excess.size} rungs lose no more than {name}: an excess that is not positive has no logarithm, so "
        "the slope per tenfold stands alone"
    )


def _reason_of_rankings(name: str, excess: np.ndarray, slope: float | None, power: PowerLaw | None) -> str:
    if slope is None:
        return f"fewer than three sizes: no slope of the distance to the RankIC of {name}"
    if power is not None:
        return f"every rung has a lower RankIC than {name}, so a power law of the distance can be fitted"
    ahead = int(np.sum(excess <= 0.0))
    return (
        f"{ahead} of {excess.size} rungs have no lower RankIC than {name}: a distance that is not positive has no "
        "logarithm, so the slope per tenfold stands alone"
    )


def _slope_per_tenfold(
    sizes: np.ndarray, excess: np.ndarray, confidence: float
) -> tuple[float | None, tuple[float, float] | None]:
    """Fit the excess on log10 N over the rungs by least squares; return the slope and its t interval."""
    if np.unique(sizes).size < 3:
        return None, None
    from scipy.stats import t

    x = np.log10(sizes) - np.log10(sizes).mean()
    spread = float(x @ x)
    slope = float(x @ excess) / spread
    residuals = excess - excess.mean() - slope * x
    dof = sizes.size - 2
    reach = float(t.ppf((1.0 + confidence) / 2.0, dof)) * float(np.sqrt(residuals @ residuals / dof / spread))
    return slope, (slope - reach, slope + reach)
