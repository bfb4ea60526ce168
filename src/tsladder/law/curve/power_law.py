"""Fits of log loss on log size over rung means.

Rungs, not seeds, are the replicates: each rung's architecture is itself a draw, so a fit sees one mean per rung and
its interval has R - 2 degrees of freedom. Sizes are centred in logs: at `reference_n`, the ladder's geometric
mean, level and slope are uncorrelated, so the two intervals given there describe their joint uncertainty.

All rungs are scored on the same days, and days on which larger models happen to do better move the slope without
showing in the scatter of the rungs. So the interval of alpha has two parts, of the rungs and of the days
(`tsladder.law.evidence.days`); both together are `alpha_ci`. The level and the line are those of the scored days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_fits import ConstantLaw, Interval, PowerLaw
from tsladder.evaluation.difference import Term, bounds, combine
from tsladder.law.curve.line import ROUNDING, Floats, fit_line
from tsladder.law.design import n_sizes_of


def loss_at(law: PowerLaw, n_params: NDArray[np.floating] | float) -> Floats:
    """Return the loss of the fitted line at `n_params`."""
    with np.errstate(over="ignore"):
        return np.asarray(law.loss_at_reference * np.exp(-law.alpha * _centred(law, n_params)), dtype=np.float64)


def interval_at(
    law: PowerLaw, n_params: NDArray[np.floating] | float, *, new_rung: bool = False
) -> tuple[Floats, Floats]:
    """Return the interval of the line at `n_params`; with `new_rung`, of the loss of one further rung. Both hold for
    the days that were scored."""
    x = _centred(law, n_params)
    variance = 1.0 / law.n_rungs + x**2 / law.log_n_spread + (1.0 if new_rung else 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        width = np.exp(law.t_critical * law.residual_sd * np.sqrt(variance))
        line = loss_at(law, n_params)
        return line / width, line * width


def _centred(law: PowerLaw, n_params: NDArray[np.floating] | float) -> Floats:
    return np.asarray(np.log(np.asarray(n_params, dtype=np.float64) / law.reference_n), dtype=np.float64)


def fit_constant(loss_R: Sequence[float] | Floats) -> ConstantLaw:
    """Fit a law without a slope. Raises ValueError without points."""
    log_loss = np.sort(np.log(np.asarray(loss_R, dtype=np.float64)))
    if log_loss.size == 0:
        raise ValueError("a constant needs at least one rung")
    spread = float(log_loss.std(ddof=1)) if log_loss.size > 1 else None
    return ConstantLaw(loss=float(np.exp(log_loss.mean())), residual_sd=spread)


def fit_power(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    confidence: float = 0.95,
    *,
    weight_R: Sequence[float] | Floats | None = None,
    days: Term | None = None,
    least_noise: float = ROUNDING,
) -> PowerLaw | None:
    """Fit a power law to rung means; None with fewer than three sizes, where there is no interval.

    `weight_R`: see `tsladder.law.curve.weights`; None: equal weights. `days`: variance of the slope that the choice of
    the scored days causes, and its degrees of freedom. `least_noise`: lower bound on the relative noise of every rung
    mean, such as that of losses printed with few digits. The order of the points changes nothing, and another unit of N
    changes C and `reference_n` alone.
    """
    line = fit_line(n_params_R, loss_R, weight_R)
    if line is None or n_sizes_of(line.n) < 3 or line.dof < 1:
        return None
    from scipy.stats import t

    r = line.n.size
    sst = float(np.sum(line.weight * (line.y - line.level) ** 2))
    sd = max(float(np.sqrt(line.squares / line.dof)), least_noise, ROUNDING)
    of_rungs = (sd**2 / line.spread, float(line.dof))
    critical = float(t.ppf((1.0 + confidence) / 2.0, line.dof))
    cooks = (
        line.weight * line.residuals**2 * line.leverage / (2.0 * sd**2 * np.maximum(1.0 - line.leverage, ROUNDING) ** 2)
    )
    level_width = critical * sd / np.sqrt(r)
    with np.errstate(over="ignore"):
        low, high, C = np.exp(
            [line.level - level_width, line.level + level_width, line.level - line.slope * line.centre]
        )
    alpha = 0.0 - line.slope
    terms = [of_rungs] if days is None else [of_rungs, days]
    se, dof = combine(terms)
    return PowerLaw(
        C=float(C),
        alpha=alpha,
        alpha_ci=_widest(alpha, terms, confidence),
        alpha_se=se,
        alpha_dof=dof,
        alpha_ci_rungs=bounds(alpha, [of_rungs], confidence=confidence),
        alpha_se_rungs=math.sqrt(of_rungs[0]),
        alpha_ci_days=None if days is None else bounds(alpha, [days], confidence=confidence),
        alpha_se_days=None if days is None else math.sqrt(days[0]),
        alpha_dof_days=None if days is None or math.isinf(days[1]) else days[1],
        r2=1.0 - line.squares / sst if sst > r * ROUNDING**2 else 0.0,
        residuals=tuple(line.residuals.tolist()),
        weights=tuple(line.weight.tolist()),
        leverage=tuple(line.leverage.tolist()),
        cooks_distance=tuple(cooks.tolist()),
        reference_n=float(np.exp(line.centre)),
        loss_at_reference=float(np.exp(line.level)),
        loss_at_reference_ci=(float(low), float(high)),
        residual_sd=sd,
        log_n_spread=line.spread,
        n_rungs=r,
        dof=line.dof,
        t_critical=critical,
        confidence=confidence,
        beta=None,
    )


def _widest(alpha: float, terms: Sequence[Term], confidence: float) -> Interval:
    """Return the widest of the intervals from all terms together and from each term alone.

    A further source of noise adds degrees of freedom as well, so the interval of all terms can come out narrower than
    that of a term with few degrees of freedom.
    """
    ends = [bounds(alpha, terms, confidence=confidence)]
    ends += [bounds(alpha, [term], confidence=confidence) for term in terms]
    return min(low for low, _ in ends), max(high for _, high in ends)
