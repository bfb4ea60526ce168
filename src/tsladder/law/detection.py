"""The smallest exponent that a ladder can show. Closed form; simulated ladders agree with it (tests/law).

Under the alternative the slope's t ratio is noncentral t with noncentrality alpha * sqrt(spread) / noise, where spread
is the sum of squared centred log N and noise the sd of log rung means around their law.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from tsladder.law.fit import PowerFit
from tsladder.law.line import ROUNDING, Floats

POWER = 0.8
"""Four studies out of five."""


def detectable_alpha(fit: PowerFit, noise: float, power: float = POWER) -> float:
    """The exponent that the ladder of `fit` would call `scales` with probability `power` at this noise of a rung."""
    return _noncentrality(fit.dof, fit.confidence, power) * noise / float(np.sqrt(fit.log_n_spread))


def minimum_detectable_alpha(
    n_params_R: Sequence[float] | Floats, noise: float, confidence: float = 0.95, power: float = POWER
) -> float | None:
    """The same for rungs of these sizes, fitted or not; None below three sizes."""
    n = np.asarray(n_params_R, dtype=np.float64)
    if np.unique(n).size < 3:
        return None
    spread = float(np.sum((np.log(n) - np.log(n).mean()) ** 2))
    if spread <= ROUNDING:
        return None
    return _noncentrality(n.size - 2, confidence, power) * noise / float(np.sqrt(spread))


@functools.lru_cache(maxsize=256)
def _noncentrality(dof: int, confidence: float, power: float) -> float:
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    critical = float(t.ppf((1.0 + confidence) / 2.0, dof))
    return float(brentq(lambda delta: float(nct.sf(critical, dof, delta)) - power, 0.0, 40.0 * critical, xtol=1e-9))
