"""Which form do the rung means support? By AICc, where it exists.

AICc = R log(SSE / R) + 2 k + 2 k (k + 1) / (R - k - 1) over the R rung means, k free parameters with the noise level
among them (Hurvich and Tsai, 1989): constant 2, power law 3, power law above a floor 4, over-fitting form 4. Where
R - k - 1 is not positive it does not exist, and a choice needs it for the constant and the power law at least. A form
is not chosen for its AICc alone: a floor has to be identified, and a turn to lie inside the ladder with confidence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.law.fit import ConstantFit, PowerFit
from tsladder.law.floor import FloorFit
from tsladder.law.line import ROUNDING
from tsladder.law.overfit import OverfitFit

FORMS = ("constant", "power", "power_floor", "overfit")
PARAMETERS = {"constant": 2, "power": 3, "power_floor": 4, "overfit": 4}
NOT_IDENTIFIABLE = "not identifiable"
_CLEAR = 2.0
"""A smaller difference of AICc is no support worth the word (Burnham and Anderson, 2002)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """`aicc`: form -> AICc, None where it does not exist. `preferred`: a form, or "not identifiable"."""

    aicc: Mapping[str, float | None]
    preferred: str
    reason: str


def choose_form(
    rungs: int, constant: ConstantFit | None, power: PowerFit | None, floor: FloorFit, overfit: OverfitFit
) -> ModelChoice:
    """The form of least AICc among those whose claim holds; of equal ones the simpler."""
    sse: dict[str, float | None] = dict.fromkeys(FORMS)
    if constant is not None and constant.residual_sd is not None:
        sse["constant"] = constant.residual_sd**2 * (rungs - 1)
    if power is not None:
        sse["power"] = float(np.sum(np.square(power.residuals)))
    sse |= {"power_floor": floor.sse, "overfit": overfit.sse}
    aicc = {form: aicc_of(value, rungs, PARAMETERS[form]) for form, value in sse.items()}
    if aicc["constant"] is None or aicc["power"] is None:
        return ModelChoice(aicc=aicc, preferred=NOT_IDENTIFIABLE, reason=_too_few(rungs))
    claims = {"power_floor": floor.identified, "overfit": overfit.turns}
    known = {form: value for form, value in aicc.items() if value is not None}
    held = {form: value for form, value in known.items() if claims.get(form, True)}
    preferred = min(held, key=lambda form: (round(held[form], 9), FORMS.index(form)))
    return ModelChoice(aicc=aicc, preferred=preferred, reason=_reason(preferred, held, known, rungs))


def aicc_of(sse: float | None, rungs: int, parameters: int) -> float | None:
    """None where it does not exist. A perfect fit counts as one within rounding, so that none beats another."""
    if sse is None or rungs - parameters - 1 <= 0:
        return None
    fit = rungs * math.log(max(sse / rungs, ROUNDING**2))
    return fit + 2.0 * parameters + 2.0 * parameters * (parameters + 1) / (rungs - parameters - 1)


def _too_few(rungs: int) -> str:
    return f"{NOT_IDENTIFIABLE}: with {rungs} rung{'' if rungs == 1 else 's'} AICc does not exist for a power law; 5 do"


def _reason(preferred: str, held: Mapping[str, float], known: Mapping[str, float], rungs: int) -> str:
    name = {form: form.replace("_", " ") for form in FORMS}
    rest: Sequence[tuple[float, str]] = sorted((value, form) for form, value in held.items() if form != preferred)
    lead = rest[0][0] - held[preferred]
    words = f"{name[preferred]} has the least AICc ({held[preferred]:.2f}), {lead:.2f} below {name[rest[0][1]]}"
    if lead < _CLEAR:
        words += ": too little to tell them apart"
    lower = [form for form, value in known.items() if form not in held and value < held[preferred]]
    for form in lower:
        claim = "its floor is not identified" if form == "power_floor" else "its turn is not certain"
        words += f"; {name[form]} has a lower one ({known[form]:.2f}), but {claim}"
    missing = [name[form] for form in FORMS if form not in known]
    if missing:
        words += f"; {' and '.join(missing)}: {NOT_IDENTIFIABLE} on {rungs} rungs"
    return words
