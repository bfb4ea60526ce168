"""Fits of log loss on log size over rung means, and what a ladder can and cannot show.

Rungs, not seeds, are the replicates: each rung's architecture is itself a draw, so a fit sees one mean a rung and
its interval has R - 2 degrees of freedom. Sizes are centred in logs: at `reference_n`, the ladder's geometric
mean, level and slope are uncorrelated, so the two intervals given there describe their joint uncertainty.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12
"""Least residual deviation: logs of losses carry rounding errors, and a perfect fit must not beat them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantFit:
    """Size does not matter: the geometric mean of the rung means, and the sd of their logs around it."""

    loss: float
    residual_sd: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerFit:
    """loss = C * N ** -alpha by least squares in logs, with t intervals at `confidence`.

    `residuals`: log(loss) - fitted, smallest rung first. `log_n_spread`: sum of squared deviations of log N.
    `cooks_distance`: one a rung; above 1 that rung carries the fit. Other figures follow from `interval_at`.
    """

    C: float
    alpha: float
    alpha_ci: tuple[float, float]
    alpha_se: float
    r2: float
    residuals: tuple[float, ...]
    cooks_distance: tuple[float, ...]
    reference_n: float
    loss_at_reference: float
    loss_at_reference_ci: tuple[float, float]
    residual_sd: float
    log_n_spread: float
    n_rungs: int
    t_critical: float
    confidence: float

    @property
    def dof(self) -> int:
        return self.n_rungs - 2

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"dof": self.dof}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> PowerFit:
        """Inverse of `to_json`, also after a trip through text, where tuples become lists."""
        known: dict[str, Any] = {field.name: plain[field.name] for field in dataclasses.fields(cls)}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**known)

    def loss_at(self, n_params: NDArray[np.floating] | float) -> Floats:
        return np.asarray(self.loss_at_reference * np.exp(-self.alpha * self._centred(n_params)), dtype=np.float64)

    def interval_at(self, n_params: NDArray[np.floating] | float, *, new_rung: bool = False) -> tuple[Floats, Floats]:
        """Interval of the line at `n_params`; with `new_rung`, of the loss that one further rung would show."""
        x = self._centred(n_params)
        variance = 1.0 / self.n_rungs + x**2 / self.log_n_spread + (1.0 if new_rung else 0.0)
        width = np.exp(self.t_critical * self.residual_sd * np.sqrt(variance))
        line = self.loss_at(n_params)
        return line / width, line * width

    def _centred(self, n_params: NDArray[np.floating] | float) -> Floats:
        return np.asarray(np.log(np.asarray(n_params, dtype=np.float64) / self.reference_n), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """One rung predicted from the others by a power law. `error` is relative: predicted / measured - 1."""

    n_params: float
    measured: float
    predicted: float
    error: float
    alpha_without: float


def fit_constant(loss_R: Sequence[float] | Floats) -> ConstantFit:
    """The fit without a slope. Raises ValueError without points."""
    log_loss = np.sort(np.log(np.asarray(loss_R, dtype=np.float64)))
    if log_loss.size == 0:
        raise ValueError("a constant needs at least one rung")
    spread = float(log_loss.std(ddof=1)) if log_loss.size > 1 else None
    return ConstantFit(loss=float(np.exp(log_loss.mean())), residual_sd=spread)


def fit_power(
    n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats, confidence: float = 0.95
) -> PowerFit | None:
    """Fit rung means; None with fewer than three sizes: there is no interval then.

    The order of the points changes nothing, and another unit of N changes C and `reference_n` alone.
    """
    line = _line(n_params_R, loss_R)
    if line is None or np.unique(line.x).size < 3:
        return None
    from scipy.stats import t

    r = line.x.size
    sse = float(line.residuals @ line.residuals)
    sst = float(np.sum((line.y - line.level) ** 2))
    sd = max(float(np.sqrt(sse / (r - 2))), _ROUNDING)
    se = sd / float(np.sqrt(line.spread))
    critical = float(t.ppf((1.0 + confidence) / 2.0, r - 2))
    leverage = 1.0 / r + line.x**2 / line.spread
    cooks = line.residuals**2 * leverage / (2.0 * sd**2 * np.maximum(1.0 - leverage, _ROUNDING) ** 2)
    level_width = critical * sd / np.sqrt(r)
    return PowerFit(
        C=float(np.exp(line.level - line.slope * line.centre)),
        alpha=0.0 - line.slope,
        alpha_ci=(-line.slope - critical * se, -line.slope + critical * se),
        alpha_se=se,
        r2=1.0 - sse / sst if sst > r * _ROUNDING**2 else 0.0,
        residuals=tuple(line.residuals.tolist()),
        cooks_distance=tuple(cooks.tolist()),
        reference_n=float(np.exp(line.centre)),
        loss_at_reference=float(np.exp(line.level)),
        loss_at_reference_ci=(float(np.exp(line.level - level_width)), float(np.exp(line.level + level_width))),
        residual_sd=sd,
        log_n_spread=line.spread,
        n_rungs=r,
        t_critical=critical,
        confidence=confidence,
    )


def leave_one_rung_out(n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats) -> tuple[LeftOut, ...]:
    """Each rung, smallest first, predicted by the power law through the others; () with fewer than three rungs.

    The last entry is the test that counts for a ladder: the top rung predicted from below.
    """
    n, loss = _ordered(n_params_R, loss_R)
    left_out = []
    for index in range(n.size if n.size >= 3 else 0):
        rest = np.arange(n.size) != index
        line = _line(n[rest], loss[rest])
        if line is None:
            return ()
        predicted = float(np.exp(line.level + line.slope * (np.log(n[index]) - line.centre)))
        measured = float(loss[index])
        left_out.append(
            LeftOut(
                n_params=float(n[index]),
                measured=measured,
                predicted=predicted,
                error=predicted / measured - 1.0,
                alpha_without=0.0 - line.slope,
            )
        )
    return tuple(left_out)


def minimum_detectable_alpha(
    n_params_R: Sequence[float] | Floats, residual_sd: float, confidence: float = 0.95, power: float = 0.8
) -> float | None:
    """The exponent that such a ladder would call `scales` with probability `power`; None below three rungs.

    `residual_sd`: sd of log rung means around their law. Closed form: under the alternative the slope's t ratio is
    noncentral t with noncentrality alpha * sqrt(sum of squared centred log N) / residual_sd.
    """
    n = np.asarray(n_params_R, dtype=np.float64)
    if n.size < 3:
        return None
    spread = float(np.sum((np.log(n) - np.log(n).mean()) ** 2))
    if spread <= _ROUNDING:
        return None
    return _noncentrality(n.size - 2, confidence, power) * residual_sd / float(np.sqrt(spread))


@functools.lru_cache(maxsize=256)
def _noncentrality(dof: int, confidence: float, power: float) -> float:
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    critical = float(t.ppf((1.0 + confidence) / 2.0, dof))
    return float(brentq(lambda delta: float(nct.sf(critical, dof, delta)) - power, 0.0, 40.0 * critical, xtol=1e-9))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    x: Floats
    y: Floats
    centre: float
    spread: float
    level: float
    slope: float
    residuals: Floats


def _ordered(n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    n, loss = np.asarray(n_params_R, dtype=np.float64), np.asarray(loss_R, dtype=np.float64)
    if n.shape != loss.shape or n.ndim != 1:
        raise ValueError(f"sizes and losses must pair up, one of each a rung; got {n.shape} and {loss.shape}")
    if not (np.isfinite(n).all() and np.isfinite(loss).all() and (n > 0.0).all() and (loss > 0.0).all()):
        raise ValueError("sizes and losses must be positive numbers")
    order = np.lexsort((loss, n))
    return n[order], loss[order]


def _line(n_params_R: Sequence[float] | Floats, loss_R: Sequence[float] | Floats) -> _Line | None:
    """Least squares through two points or more; None when all sizes are equal."""
    n, loss = _ordered(n_params_R, loss_R)
    if n.size < 2:
        return None
    log_n, y = np.log(n), np.log(loss)
    centre, level = float(log_n.mean()), float(y.mean())
    x = log_n - centre
    spread = float(x @ x)
    if spread <= _ROUNDING:
        return None
    slope = float(x @ (y - level)) / spread
    return _Line(x=x, y=y, centre=centre, spread=spread, level=level, slope=slope, residuals=y - level - slope * x)
