"""Fits of log loss on log size over rung means, and what a ladder can and cannot show.

Rungs, not seeds, are the replicates: each rung's architecture is itself a draw, so a fit sees one mean a rung and
its interval has R - 2 degrees of freedom. Sizes are centred in logs: at `reference_n`, the ladder's geometric
mean, level and slope are uncorrelated, so the two intervals given there describe their joint uncertainty.

Where the amount of data varies too, N is judged at equal data (`tsladder.law.line`), and `loss_at` is read at the
geometric mean of D.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.law.line import ROUNDING, Floats, fit_line


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantFit:
    """Size does not matter: the geometric mean of the rung means, and the sd of their logs around it."""

    loss: float
    residual_sd: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerFit:
    """loss = C * N ** -alpha by least squares in logs, with t intervals at `confidence`.

    `residuals`: log(loss) - fitted, smallest rung first. `log_n_spread`: sum of squared deviations of log N (of what D
    leaves of it). `leverage`: each rung's own share in its fitted value. `cooks_distance`: one a rung; above 1 that
    rung carries the fit. `beta`: exponent of D where D varies. Other figures follow from `interval_at`.
    """

    C: float
    alpha: float
    alpha_ci: tuple[float, float]
    alpha_se: float
    r2: float
    residuals: tuple[float, ...]
    leverage: tuple[float, ...]
    cooks_distance: tuple[float, ...]
    reference_n: float
    loss_at_reference: float
    loss_at_reference_ci: tuple[float, float]
    residual_sd: float
    log_n_spread: float
    n_rungs: int
    t_critical: float
    confidence: float
    beta: float | None = None

    @property
    def dof(self) -> int:
        return self.n_rungs - (2 if self.beta is None else 3)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"dof": self.dof}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> PowerFit:
        """Inverse of `to_json`, also after a trip through text, where tuples become lists."""
        known: dict[str, Any] = {field.name: plain[field.name] for field in dataclasses.fields(cls)}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**known)

    def loss_at(self, n_params: NDArray[np.floating] | float) -> Floats:
        with np.errstate(over="ignore"):
            return np.asarray(self.loss_at_reference * np.exp(-self.alpha * self._centred(n_params)), dtype=np.float64)

    def interval_at(self, n_params: NDArray[np.floating] | float, *, new_rung: bool = False) -> tuple[Floats, Floats]:
        """Interval of the line at `n_params`; with `new_rung`, of the loss that one further rung would show."""
        x = self._centred(n_params)
        variance = 1.0 / self.n_rungs + x**2 / self.log_n_spread + (1.0 if new_rung else 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            width = np.exp(self.t_critical * self.residual_sd * np.sqrt(variance))
            line = self.loss_at(n_params)
            return line / width, line * width

    def _centred(self, n_params: NDArray[np.floating] | float) -> Floats:
        return np.asarray(np.log(np.asarray(n_params, dtype=np.float64) / self.reference_n), dtype=np.float64)


def fit_constant(loss_R: Sequence[float] | Floats) -> ConstantFit:
    """The fit without a slope. Raises ValueError without points."""
    log_loss = np.sort(np.log(np.asarray(loss_R, dtype=np.float64)))
    if log_loss.size == 0:
        raise ValueError("a constant needs at least one rung")
    spread = float(log_loss.std(ddof=1)) if log_loss.size > 1 else None
    return ConstantFit(loss=float(np.exp(log_loss.mean())), residual_sd=spread)


def fit_power(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    confidence: float = 0.95,
    n_data_R: Sequence[float] | Floats | None = None,
) -> PowerFit | None:
    """Fit rung means; None with fewer than three sizes: there is no interval then.

    The order of the points changes nothing, and another unit of N changes C and `reference_n` alone. With `n_data_R`
    four points are needed, and sizes that move in step with the data have no slope of their own: None.
    """
    line = fit_line(n_params_R, loss_R, n_data_R)
    if line is None or np.unique(line.n).size < 3 or line.dof < 1:
        return None
    from scipy.stats import t

    r = line.n.size
    sse = float(line.residuals @ line.residuals)
    sst = float(np.sum((line.y - line.level) ** 2))
    sd = max(float(np.sqrt(sse / line.dof)), ROUNDING)
    se = sd / float(np.sqrt(line.spread))
    critical = float(t.ppf((1.0 + confidence) / 2.0, line.dof))
    cooks = (
        line.residuals**2 * line.leverage / ((r - line.dof) * sd**2 * np.maximum(1.0 - line.leverage, ROUNDING) ** 2)
    )
    level_width = critical * sd / np.sqrt(r)
    with np.errstate(over="ignore"):
        low, high, C = np.exp(
            [line.level - level_width, line.level + level_width, line.level - line.slope * line.centre]
        )
    return PowerFit(
        C=float(C),
        alpha=0.0 - line.slope,
        alpha_ci=(-line.slope - critical * se, -line.slope + critical * se),
        alpha_se=se,
        r2=1.0 - sse / sst if sst > r * ROUNDING**2 else 0.0,
        residuals=tuple(line.residuals.tolist()),
        leverage=tuple(line.leverage.tolist()),
        cooks_distance=tuple(cooks.tolist()),
        reference_n=float(np.exp(line.centre)),
        loss_at_reference=float(np.exp(line.level)),
        loss_at_reference_ci=(float(low), float(high)),
        residual_sd=sd,
        log_n_spread=line.spread,
        n_rungs=r,
        t_critical=critical,
        confidence=confidence,
        beta=line.beta,
    )
