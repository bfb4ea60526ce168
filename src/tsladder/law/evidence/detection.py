"""The smallest exponent that a ladder can reliably detect.

If alpha is true, its estimate is normal around it with variance noise^2 / spread + days^2, where spread is the sum of
squared centred log N. The ladder calls it `scales` when the estimate exceeds the half-width of its interval. Two things
vary: the scatter that the interval is made from, and the noise itself, which is known from few degrees of freedom and
is drawn from s^2 nu / chi^2_nu. The exponent given is found with the required probability over both, so that the
promise "four studies out of five" is kept on average over ladders (benchmarks/verdicts.py). Taking the estimated noise
as true keeps it in three out of five.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.line import ROUNDING, Floats

POWER = 0.8
"""Probability with which an effect is to be detected: four studies out of five."""

FEW_DOF = 3
"""Fewest degrees of freedom of the noise for one exponent; below, the noise is known only to a factor of two or more,
and a range is given."""

_NODES = 64
_RANGE = (0.1, 0.9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """The figures that decide how precisely a ladder measures an exponent.

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
    def of(cls, fit: PowerLaw, noise: float) -> Precision:
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
        """Return the precision of a ladder with rungs of these sizes, measured or only planned; None below three
        sizes."""
        log_n = np.log(np.asarray(n_params_R, dtype=np.float64))
        spread = float(np.sum((log_n - log_n.mean()) ** 2)) if log_n.size else 0.0
        if np.unique(log_n).size < 3 or spread <= ROUNDING:
            return None
        return cls(noise=noise, noise_dof=noise_dof, spread=spread, test_dof=log_n.size - 2.0, confidence=confidence)

    def of_days(self) -> float:
        """Return the half-width of alpha's interval from the choice of days alone, which no number of rungs reduces."""
        from scipy.special import stdtrit

        return self.days_se * float(stdtrit(self.days_dof, 0.5 + self.confidence / 2.0)) if self.days_se else 0.0


def detectable_alpha(precision: Precision, power: float = POWER) -> float:
    """Return the smallest exponent that is called `scales` with probability `power`, averaged over the possible
    noise."""
    return _solve(precision, _shares(precision.noise_dof), power)


def detectable_range(precision: Precision, power: float = POWER) -> tuple[float, float]:
    """Return the detectable exponent at the 10 % and the 90 % quantile of the noise: the middle 80 % of what its
    estimate allows."""
    from scipy.stats import chi2

    low, high = (chi2.ppf(1.0 - share, precision.noise_dof) / precision.noise_dof for share in _RANGE)
    return _solve(precision, np.array([low]), power), _solve(precision, np.array([high]), power)


def _solve(precision: Precision, scale_W: Floats, power: float) -> float:
    """Return the detectable exponent for the noise scales `scale_W`.

    `scale_W`: chi^2 / nu of the noise; the true variance is the estimated one divided by it.
    """
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
    """Return the exponent whose estimate exceeds the half-width of its interval with probability `power`.

    The search runs from 0 to an exponent that is detected almost surely.
    """
    from scipy.optimize import brentq

    most = 2.0 * float(reach_WV.max() + 10.0 * sd_W.max())
    return float(brentq(lambda alpha: _power(alpha, reach_WV, sd_W) - power, 0.0, most, rtol=1e-6))


def _power(alpha: float, reach_WV: Floats, sd_W: Floats) -> float:
    from scipy.special import ndtr

    return float(ndtr((alpha - reach_WV) / sd_W[:, None]).mean())


def _reach(precision: Precision, of_rungs_W: Floats) -> Floats:
    """Return the half-width of alpha's interval for each true variance (W) and each scatter that a study may happen to
    have (V)."""
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
    """Return chi^2 / nu at equally likely nodes; 1 where the degrees of freedom are infinite."""
    from scipy.stats import chi2

    if math.isinf(dof):
        return np.ones(1)
    middle = (np.arange(_NODES) + 0.5) / _NODES
    return np.asarray(chi2.ppf(middle, dof) / dof)
