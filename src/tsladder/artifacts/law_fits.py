"""Functional forms fitted to the losses of a ladder, as they stand in scaling.json.

A number beyond the range of floats is null in the file and is read as nan.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tsladder.artifacts.record import NanIfNull

Interval = tuple[float, float]

Figure = Annotated[float, NanIfNull()]
"""Number that may lie beyond the range of floats."""
Ends = Annotated[tuple[Figure, Figure], NanIfNull()]
"""Interval of which an end may lie beyond the range of floats."""


def closed(ends: Ends | None) -> Interval | None:
    """Return the interval `ends`; None if there is none or one of its ends is no finite number."""
    return ends if ends is not None and math.isfinite(ends[0]) and math.isfinite(ends[1]) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantLaw:
    """Law without an effect of size: the geometric mean of the rung means, and the standard deviation of their logs
    around it."""

    loss: float
    residual_sd: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw:
    """Power law loss = C * N ** -alpha, fitted by least squares in logs, with t intervals at `confidence`.

    alpha_ci, alpha_se, alpha_dof  from rungs and days together, by Welch and Satterthwaite; no narrower than each part
    alpha_ci_rungs, alpha_se_rungs from the scatter of the rungs alone, with `dof` degrees of freedom
    alpha_ci_days, alpha_se_days   from the choice of the scored days alone; None where daily losses are not known
    residuals                      log(loss) - fitted, smallest rung first
    residual_sd                    residual deviation of a rung of mean weight
    weights, leverage              of each rung; its leverage is its own share in its fitted value
    cooks_distance                 one per rung; a rung above 1 carries the fit
    log_n_spread                   weighted sum of squared deviations of log N
    dof                            degrees of freedom of `residual_sd`
    beta                           exponent of the amount of data, where that varies
    """

    C: Figure
    alpha: float
    alpha_ci: Ends
    alpha_se: Figure
    alpha_dof: Figure
    alpha_ci_rungs: Ends
    alpha_se_rungs: Figure
    alpha_ci_days: Ends | None
    alpha_se_days: float | None
    alpha_dof_days: float | None
    r2: Figure
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    leverage: tuple[float, ...]
    cooks_distance: tuple[Figure, ...]
    reference_n: float
    loss_at_reference: float
    loss_at_reference_ci: Ends
    residual_sd: float
    log_n_spread: float
    n_rungs: int
    dof: float
    t_critical: float
    confidence: float
    beta: float | None

    @property
    def days(self) -> tuple[float, float] | None:
        """The part of the days as (variance of alpha that the choice of days causes, degrees of freedom of that
        estimate)."""
        if self.alpha_se_days is None:
            return None
        return self.alpha_se_days**2, math.inf if self.alpha_dof_days is None else self.alpha_dof_days


@dataclass(frozen=True, kw_only=True, slots=True)
class RankIcPerTenfold:
    """RankIC that a ranking gains when its model has ten times the parameters, at the ladder's reference size.

    `value`, `low`, `high`: alpha and the ends of its interval, times ln(10) times the loss at the reference size, which
    is the slope of the fitted curve there; so this interval lies above 0 where that of alpha does. `detectable`: least
    gain that such a study finds in four of five repetitions; below three degrees of freedom only `detectable_range` is
    known.
    """

    value: Figure
    low: Figure
    high: Figure
    detectable: float | None
    detectable_range: Ends | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FloorLaw:
    """Power law above a floor, E + A N^-alpha. E, A and alpha are None below six rungs; unless `identified`, many
    others fit as well.

    `sse`: weighted sum of squared residuals of the log losses under the best fit; known from four rungs on. `E_ci`:
    profile likelihood interval of E. `bends`: the loss falls, and a law without a floor fits significantly worse, so
    that E lies above 0. `identified`: the law bends and `E_ci` is narrow. `alpha_ci`: profile likelihood interval of
    alpha where E is identified.
    """

    E: float | None
    A: float | None
    alpha: float | None
    identified: bool
    reason: str
    sse: float | None
    E_ci: Ends | None
    alpha_ci: Ends | None
    bends: bool
    reference_n: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OverfitLaw:
    """Parabola in log N: the loss rises again beyond some size. a, b and c refer to natural logs of N; they are None
    below five sizes.

    `turns_at_n`: size of least loss where the curve has one inside the ladder, claimed or not; `turns_at_ci`: its
    interval, None where that is not bounded on both sides. `turns`: the turn is inside the ladder with confidence.
    `preferred`: it is the form that the rungs support.
    """

    a: float | None
    b: float | None
    c: float | None
    turns_at_n: float | None
    turns_at_ci: Ends | None
    loss_at_turn: float | None
    turns: bool
    reason: str
    sse: float | None
    form: str
    preferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Fits:
    """Fits of every functional form to one ladder."""

    constant: ConstantLaw | None
    power: PowerLaw | None
    power_floor: FloorLaw | None
    overfit: OverfitLaw | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """Functional form that the rungs support at the confidence of the verdict. An AICc of None: it does not exist for
    so few rungs."""

    aicc: Mapping[str, float | None]
    preferred: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRegion:
    """Boundary, point by point, of the joint confidence region of C and alpha, and the loss at the reference size along
    it."""

    confidence: float
    alpha: tuple[float, ...]
    C: tuple[float | None, ...]
    loss_at_reference: tuple[float | None, ...]

    @property
    def alpha_ends(self) -> Interval:
        return min(self.alpha), max(self.alpha)

    @property
    def C_ends(self) -> tuple[float, float | None] | None:
        """Smallest and largest C of the region. The upper end is None if C reaches beyond the range of floats; None if
        all of it does."""
        known = [value for value in self.C if value is not None]
        if not known:
            return None
        return min(known), max(known) if len(known) == len(self.C) else None

    @property
    def loss_ends(self) -> Interval | None:
        known = [value for value in self.loss_at_reference if value is not None]
        return (min(known), max(known)) if known else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcessLaw:
    """Excess of the loss over that of the best simpler forecast.

    `slope_per_tenfold`: change of the excess, in units of the loss, when N grows tenfold; None below three sizes.
    `power`: power law of the excess itself, where every rung's excess is positive and so has a logarithm.
    """

    baseline: str
    baseline_loss: float
    slope_per_tenfold: float | None
    slope_ci: Ends | None
    power: PowerLaw | None
    reason: str
