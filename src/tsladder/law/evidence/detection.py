"""The smallest exponent that a ladder can be relied on to show.

If alpha is true, its estimate is normal around it with variance noise^2 / spread + days^2, where spread is the sum of
squared centred log N. The ladder calls it `scales` when the estimate exceeds the reach of its interval. Two things
vary: the scatter that the interval is made from, and the noise itself, which is known from few degrees of freedom: it
is drawn from s^2 nu / chi^2_nu. The exponent given is found with the asked-for probability over both, so that the
promise "four studies out of five" is kept on average over ladders (benchmarks/verdicts.py). Taking the estimated noise
as true keeps it in three out of five.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.law.curve.line import ROUNDING, Floats
from tsladder.law.curve.power_law import PowerFit

POWER = 0.8
"""Four studies out of five."""

FEW_DOF = 3
"""Below so many degrees of freedom the noise is known to a factor of two or more, so the exponent has only a range."""

_NODES = 64
_RANGE = (0.1, 0.9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """What decides how well a ladder tells an exponent.

    noise              relative noise of a rung mean
    noise_dof          degrees of freedom of the noise: how well it is known
    spread             sum of squared centred log N
    test_dof           degrees of freedom of the scatter that the interval will be made from
    days_se, days_dof  standard error of alpha from the choice of the scored days, and its degrees of freedom
    """

    noise: float
    noise_dof: float
    spread: float
    test_dof: float
    confidence: float
    days_se: float = 0.0
    days_dof: float = math.inf

    @classmethod
    def of(cls, fit: PowerFit, noise: float) -> Precision:
        days = fit.days
        return cls(
            noise=noise,
            noise_dof=fit.dof,
            spread=fit.log_n_spread,
            test_dof=fit.dof,
            confidence=fit.confidence,
            days_se=0.0 if days is None else math.sqrt(days[0]),
            days_dof=math.inf if days is None else days[1],
        )

    @classmethod
    def of_sizes(
        cls,
        n_params_R: Sequence[float] | Floats,
        noise: float,
        *,
        noise_dof: float = math.inf,
        confidence: float = 0.95,
    ) -> Precision | None:
        """Of rungs of these sizes, measured or not; None below three sizes."""
        log_n = np.log(np.asarray(n_params_R, dtype=np.float64))
        spread = float(np.sum((log_n - log_n.mean()) ** 2)) if log_n.size else 0.0
        if np.unique(log_n).size < 3 or spread <= ROUNDING:
            return None
        return cls(noise=noise, noise_dof=noise_dof, spread=spread, test_dof=log_n.size - 2.0, confidence=confidence)

    def of_days(self) -> float:
        """Half-width of the interval of alpha that the choice of days alone leaves, however many rungs there are."""
        from scipy.special import stdtrit

        return self.days_se * float(stdtrit(self.days_dof, 0.5 + self.confidence / 2.0)) if self.days_se else 0.0


def detectable_alpha(precision: Precision, power: float = POWER) -> float:
    """The exponent that is called `scales` with probability `power`, over what the noise may be."""
    return _solve(precision, _shares(precision.noise_dof), power)


def detectable_range(precision: Precision, power: float = POWER) -> tuple[float, float]:
    """The same if the noise were as low, and as high, as its estimate allows: the middle 80 % of what it may be."""
    from scipy.stats import chi2

    low, high = (chi2.ppf(1.0 - share, precision.noise_dof) / precision.noise_dof for share in _RANGE)
    return _solve(precision, np.array([low]), power), _solve(precision, np.array([high]), power)


def _solve(precision: Precision, scale_W: Floats, power: float) -> float:
    """`scale_W`: chi^2 / nu of the noise, so that the true variance is the estimated one over it."""
    if precision.days_se == 0.0:
        # Everything is in units of noise / sqrt(spread).
        unit = precision.noise / math.sqrt(precision.spread)
        return unit * _in_units(precision.test_dof, precision.confidence, power, tuple(scale_W.tolist()))
    of_rungs_W = precision.noise**2 / precision.spread / scale_W
    of_days = precision.days_se**2
    reach_WV, sd_W = _reach(precision, of_rungs_W), np.sqrt(of_rungs_W + of_days)
    return _found_with(power, reach_WV, sd_W)


@functools.lru_cache(maxsize=512)
def _in_units(test_dof: float, confidence: float, power: float, scale_W: tuple[float, ...]) -> float:
    of_rungs_W = 1.0 / np.array(scale_W)
    precision = Precision(
        noise=1.0, noise_dof=math.inf, spread=1.0, test_dof=test_dof, confidence=confidence, days_se=0.0
    )
    reach_WV, sd_W = _reach(precision, of_rungs_W), np.sqrt(of_rungs_W)
    return _found_with(power, reach_WV, sd_W)


def _found_with(power: float, reach_WV: Floats, sd_W: Floats) -> float:
    """The exponent whose estimate exceeds its reach with this probability, sought below one that is found almost
    surely."""
    from scipy.optimize import brentq

    most = 2.0 * float(reach_WV.max() + 10.0 * sd_W.max())
    return float(brentq(lambda alpha: _power(alpha, reach_WV, sd_W) - power, 0.0, most, rtol=1e-6))


def _power(alpha: float, reach_WV: Floats, sd_W: Floats) -> float:
    from scipy.special import ndtr

    return float(ndtr((alpha - reach_WV) / sd_W[:, None]).mean())


def _reach(precision: Precision, of_rungs_W: Floats) -> Floats:
    """Half-width of the interval of alpha, for each true variance and each scatter that a study may happen to have."""
    from scipy.special import stdtrit

    estimated_WV = of_rungs_W[:, None] * _shares(precision.test_dof)[None, :]
    of_days = precision.days_se**2
    total_WV = estimated_WV + of_days
    dof_WV = total_WV**2 / (estimated_WV**2 / precision.test_dof + of_days**2 / precision.days_dof)
    share = 0.5 + precision.confidence / 2.0
    of_rungs_WV = stdtrit(precision.test_dof, share) * np.sqrt(estimated_WV)
    together_WV = stdtrit(dof_WV, share) * np.sqrt(total_WV)
    return np.asarray(np.maximum(np.maximum(together_WV, of_rungs_WV), precision.of_days()))


@functools.lru_cache(maxsize=64)
def _shares(dof: float) -> Floats:
    """chi^2 / nu at equally likely nodes; 1 where the degrees of freedom are without end."""
    from scipy.stats import chi2

    if math.isinf(dof):
        return np.ones(1)
    middle = (np.arange(_NODES) + 0.5) / _NODES
    return np.asarray(chi2.ppf(middle, dof) / dof)
