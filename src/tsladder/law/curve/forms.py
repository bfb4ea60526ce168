"""The functional form that the points support: one decision, from which every statement about a law follows.

The forms, from the weakest claim to the strongest: not identifiable, a constant, a power of N, a power of N above a
floor, a loss that falls and rises again, and where the amount of data D varies with N, a surface in both.

The decision is made by tests at the confidence of the verdict, never by AICc: below seven rungs AICc compares a
constant and a power law by a penalty that has nothing to do with that confidence (on five rungs it asks for a ratio of
55 in the squares, an F test at 95 % for 4.4), so that the two would contradict each other. AICc is recorded from seven
rungs on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tsladder.artifacts.law_fits import ConstantLaw, FloorLaw, OverfitLaw, PowerLaw
from tsladder.law.curve.line import ROUNDING
from tsladder.law.curve.weights import rung_noise
from tsladder.law.design import data_beside_tenfold
from tsladder.law.points import RungPoint
from tsladder.law.surface.size_law import SizeLaw, Source

AICC_RUNGS = 7
"""Fewest rungs for AICc: with fewer, a form of four parameters leaves it hardly any degree of freedom."""

PARAMETERS = {"constant": 2, "power": 3, "power_floor": 4, "overfit": 4}
"""Number of free parameters of each form, the noise level included."""


_SOME_FLOOR = "a law without a floor fits significantly worse, though where the floor lies is not known well"


class Form(StrEnum):
    """The functional forms, named as in `model_choice.preferred` of the record."""

    UNKNOWN = "not identifiable"
    CONSTANT = "constant"
    POWER = "power"
    FLOOR = "power_floor"
    TURN = "overfit"
    SURFACE = "surface"


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """The form that the points support, the reason `why`, and the fits behind the decision.

    power          the power law that the verdict judges: over rungs or, where data vary, over sizes at equal data; None
                   where there is no exponent
    floor, overfit fits over rungs whose data are the same or grow in step with size; None elsewhere
    sizes          effect of size at equal data, where data vary
    n_sizes        number of distinct sizes
    data_exponent  k where D grew with N as N^k, so that the law is of both; None elsewhere
    """

    form: Form
    why: str
    power: PowerLaw | None
    n_sizes: int
    floor: FloorLaw | None = None
    overfit: OverfitLaw | None = None
    sizes: SizeLaw | None = None
    data_exponent: float | None = None

    def noise_of(self, points: Sequence[RungPoint]) -> float | None:
        """Return the relative noise of one point of the fit, a rung or a size; None where it is unknown."""
        if self.sizes is not None:
            return self.sizes.residual_sd
        return rung_noise(points, self.around_the_form)

    @property
    def around_the_form(self) -> PowerLaw | None:
        """The power law with the scatter of the rungs around their supported form: around a straight line, a floor or a
        turn would count as noise."""
        fits: dict[Form, FloorLaw | OverfitLaw | None] = {Form.FLOOR: self.floor, Form.TURN: self.overfit}
        fit = fits.get(self.form)
        if self.power is None or fit is None or fit.sse is None:
            return self.power
        dof = self.power.n_rungs - 3
        return replace(self.power, residual_sd=max(math.sqrt(fit.sse / dof), ROUNDING), dof=dof)

    @property
    def together(self) -> str:
        """Words to follow "the loss falls as models grow"; empty where data did not grow with size."""
        return "" if self.data_exponent is None else " and their data with them"

    @property
    def subject(self) -> str:
        """Subject of a sentence such as "size makes no difference"."""
        return "size" if self.data_exponent is None else "size, with the data that grow with it,"

    @property
    def on_data(self) -> str:
        """Words to follow "a model ten times larger" that name its amount of data; empty where the data are the
        same."""
        if self.sizes is not None:
            return " on the same data"
        return "" if self.data_exponent is None else f" on {data_beside_tenfold(self.data_exponent)}"


def support_of_rungs(
    power: PowerLaw | None,
    floor: FloorLaw,
    overfit: OverfitLaw,
    *,
    n_sizes: int,
    alpha_of_interest: float,
    data_exponent: float | None = None,
    sign_by_interval: bool = False,
) -> Support:
    """Choose the form for rungs whose data are the same or grew in step with size.

    `sign_by_interval`: that the loss falls is claimed by the interval of alpha alone, so a floor needs it above 0.
    """
    if overfit.turns:
        # It was chosen against this floor, and a law above a floor never rises.
        reason = f"{Form.UNKNOWN}: the loss rises beyond its least, and a law above a floor never does"
        floor = replace(floor, identified=False, bends=False, reason=reason)
    elif floor.bends and power is not None and power.alpha_ci_days is not None and power.alpha_ci_days[0] <= 0.0:
        reason = f"{Form.UNKNOWN}: on other test days the loss might not fall at all"
        floor = replace(floor, identified=False, bends=False, reason=reason)
    elif floor.bends and power is not None and sign_by_interval and power.alpha_ci[0] <= 0.0:
        reason = f"{Form.UNKNOWN}: that the loss falls at all is not shown"
        floor = replace(floor, identified=False, bends=False, reason=reason)
    form, why = _form(power, floor, overfit, alpha_of_interest)
    return Support(
        form=form, why=why, power=power, n_sizes=n_sizes, floor=floor, overfit=overfit, data_exponent=data_exponent
    )


def support_of_sizes(sizes: SizeLaw, *, alpha_of_interest: float) -> Support:
    """Choose the form where the amount of data varies: the surface, or by the interval of the exponent at equal
    data."""
    power = _as_power_law(sizes)
    if power is None:
        form, why = Form.UNKNOWN, sizes.reason
    elif sizes.source is Source.SURFACE:
        form, why = Form.SURFACE, sizes.reason
    else:
        form, why = _by_interval(power, alpha_of_interest)
        why = f"{why}; at equal data, {sizes.reason}; no surface, since of it: {sizes.surface.reason}"
    return Support(form=form, why=why, power=power, n_sizes=sizes.n_sizes, sizes=sizes)


def _form(power: PowerLaw | None, floor: FloorLaw, overfit: OverfitLaw, alpha_of_interest: float) -> tuple[Form, str]:
    if power is None:
        return Form.UNKNOWN, f"{Form.UNKNOWN}: fewer than three sizes"
    if overfit.turns:
        return Form.TURN, overfit.reason
    if floor.bends:
        return Form.FLOOR, floor.reason if floor.identified else _SOME_FLOOR
    return _by_interval(power, alpha_of_interest)


def _by_interval(power: PowerLaw, alpha_of_interest: float) -> tuple[Form, str]:
    """Return a power law, a constant or neither, by the same rule as the verdicts `scales`, `flat` and
    `underpowered`."""
    low, high = power.alpha_ci
    interval = f"the {power.confidence:.0%} interval of alpha"
    if low > 0.0 or high < 0.0:
        return Form.POWER, f"{interval} lies {'above' if low > 0.0 else 'below'} 0, and no other form is shown"
    if -alpha_of_interest < low and high < alpha_of_interest:
        return Form.CONSTANT, f"{interval} contains 0 and lies inside ±{alpha_of_interest:g}"
    return Form.UNKNOWN, f"{Form.UNKNOWN}: {interval} contains 0 and reaches past ±{alpha_of_interest:g}"


def _as_power_law(sizes: SizeLaw) -> PowerLaw | None:
    """Express the effect of size at equal data as a power law over the sizes' means, so that power, repetition and
    region are computed as for rungs; None where there is no exponent."""
    if sizes.alpha is None or sizes.alpha_ci is None or sizes.alpha_se is None or sizes.dof is None:
        return None
    if sizes.residual_sd is None or sizes.reference_n is None:
        return None
    if sizes.loss_at_reference is None:
        return None
    from scipy.stats import t

    means = sizes.size_means
    critical = float(t.ppf(0.5 + sizes.confidence / 2.0, sizes.dof))
    width = math.exp(critical * sizes.residual_sd / math.sqrt(len(means)))
    log_loss = np.log([mean.loss for mean in means])
    squares, total = (
        float(np.sum(np.square([m.residual for m in means]))),
        float(np.sum((log_loss - log_loss.mean()) ** 2)),
    )
    # A surface's interval is longer away from 0, and what a verdict or its repetition hangs on is the side of 0.
    low, high = sizes.alpha_ci
    towards_zero = (sizes.alpha - low if sizes.alpha > 0.0 else high - sizes.alpha) / critical
    with np.errstate(over="ignore"):
        C = float(np.exp(np.log(sizes.loss_at_reference) + sizes.alpha * np.log(sizes.reference_n)))
    return PowerLaw(
        C=C,
        alpha=sizes.alpha,
        alpha_ci=sizes.alpha_ci,
        alpha_se=sizes.alpha_se,
        alpha_dof=sizes.dof,
        alpha_ci_rungs=sizes.alpha_ci,
        alpha_se_rungs=sizes.alpha_se,
        alpha_ci_days=None,
        alpha_se_days=None,
        alpha_dof_days=None,
        r2=1.0 - squares / total if total > len(means) * ROUNDING**2 else 0.0,
        residuals=tuple(mean.residual for mean in means),
        weights=(1.0,) * len(means),
        leverage=(),
        cooks_distance=(),
        reference_n=sizes.reference_n,
        loss_at_reference=sizes.loss_at_reference,
        loss_at_reference_ci=(sizes.loss_at_reference / width, sizes.loss_at_reference * width),
        residual_sd=sizes.residual_sd,
        log_n_spread=(sizes.residual_sd / towards_zero) ** 2,
        n_rungs=len(means),
        dof=sizes.dof,
        t_critical=critical,
        confidence=sizes.confidence,
        beta=sizes.beta,
    )


def aicc_of_forms(constant: ConstantLaw | None, support: Support) -> dict[str, float | None]:
    """Return the AICc of each form over the rung means (Hurvich and Tsai 1989); None below seven rungs and where data
    vary."""
    sse: dict[str, float | None] = dict.fromkeys(PARAMETERS)
    power = support.power
    if power is None or power.n_rungs < AICC_RUNGS or constant is None or support.sizes is not None:
        return sse
    left = float(np.sum(np.array(power.weights) * np.square(power.residuals)))
    # What the line explains is the slope's square times the spread.
    sse |= {"power": left, "constant": left + power.alpha**2 * power.log_n_spread}
    sse |= {"power_floor": None if support.floor is None else support.floor.sse}
    sse |= {"overfit": None if support.overfit is None else support.overfit.sse}
    return {form: aicc_of(value, power.n_rungs, PARAMETERS[form]) for form, value in sse.items()}


def aicc_of(sse: float | None, rungs: int, parameters: int) -> float | None:
    """Return R log(SSE / R) + 2 k + 2 k (k + 1) / (R - k - 1); None where it is undefined.

    The SSE of a perfect fit is raised to the rounding error, so that no perfect fit beats another.
    """
    if sse is None or rungs - parameters - 1 <= 0:
        return None
    fit = rungs * math.log(max(sse / rungs, ROUNDING**2))
    return fit + 2.0 * parameters + 2.0 * parameters * (parameters + 1) / (rungs - parameters - 1)
