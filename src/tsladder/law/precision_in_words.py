"""Sentences on the precision of a law: the exponent's interval, the ladder's power, the next rung's loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tsladder.law.curve.power_law import interval_at
from tsladder.law.evidence.detection import FEW_DOF, Precision, detectable_alpha, detectable_range
from tsladder.law.points import size_in_words
from tsladder.law.verdict_case import Case
from tsladder.law.wording import counted, degrees_in_words, exponent_in_words, interval_in_words

_LARGEST_TOLD = 1e3
"""Largest ratio of a prediction to the greatest measured loss at which the prediction is given."""


def estimate(case: Case) -> str:
    """State the exponent with its interval, and the two parts of the interval where both are known."""
    fit = case.fit
    level = f"{fit.confidence:.0%} interval"
    if fit.alpha_ci_days is None:
        return f"alpha = {exponent_in_words(fit.alpha)} ({level} {interval_in_words(fit.alpha_ci)})"
    rungs, days = ((ends[1] - ends[0]) / 2.0 for ends in (fit.alpha_ci_rungs, fit.alpha_ci_days))
    return (
        f"alpha = {exponent_in_words(fit.alpha)} ({level} {interval_in_words(fit.alpha_ci)}: of the rungs "
        f"±{exponent_in_words(rungs)}, of the days ±{exponent_in_words(days)})"
    )


def replicates(case: Case) -> str:
    """Count the rungs, or the sizes where data vary."""
    return counted(case.fit.n_rungs, "rung" if case.support.sizes is None else "size")


def days_unknown(case: Case) -> str:
    """State that the days are not in the interval; empty where they are."""
    if case.fit.alpha_ci_days is not None:
        return ""
    return (
        " This is a law of the test data at hand: their daily losses are not known, so what other test days would do "
        "to alpha is not in its interval."
    )


def power_in_words(case: Case) -> str:
    """State the exponent that this ladder finds in four studies out of five."""
    precision = Precision.of(case.fit, case.noise)
    if precision.noise_dof < FEW_DOF:
        low, high = map(exponent_in_words, detectable_range(precision))
        tell = "tells" if precision.noise_dof == 1.0 else "tell"
        return (
            f"the exponent that this ladder finds in four studies out of five lies between {low} and {high}: "
            f"{degrees_in_words(precision.noise_dof)} {tell} no more of its noise."
        )
    least = exponent_in_words(detectable_alpha(precision))
    return f"this ladder finds an exponent of {least} or more in four studies out of five."


def prediction_of_next_rung(case: Case) -> str:
    """State the prediction for one rung ten times the largest, on the same days; empty where data vary, since size
    alone then predicts nothing."""
    if case.support.sizes is not None or case.support.together:
        return ""
    size = 10.0 * case.points[-1].n_params
    (low,), (high,) = (ends.reshape(1).tolist() for ends in interval_at(case.fit, size, new_rung=True))
    if not (math.isfinite(high) and high < _LARGEST_TOLD * max(point.loss for point in case.points)):
        return ""
    return f" ({low:.4g} to {high:.4g} at {size_in_words(size)})"


@dataclass(frozen=True, kw_only=True, slots=True)
class LuckyFit:
    """Rungs that lie closer to their line than their own noise allows other than by luck, beside an exponent below what
    such a ladder can show. `least`: the smallest exponent that it can. `more`: what would confirm or undo the fit."""

    least: float
    more: str


def find_lucky_fit(case: Case, claimed: float) -> LuckyFit | None:
    """Return the lucky fit of a ladder whose exponent of `claimed` is claimed, or excluded; None where it is none."""
    if case.noise <= case.fit.residual_sd:
        return None
    least = detectable_alpha(Precision.of(case.fit, case.noise))
    if least <= abs(claimed):
        return None
    replicated = any(point.replicated for point in case.points)
    return LuckyFit(least=least, more="More seeds a rung" if replicated else "Smaller standard errors")


def lucky_fit(case: Case, claimed: float) -> str:
    """Warn of a lucky fit, as `find_lucky_fit` finds it; empty where there is none."""
    found = find_lucky_fit(case, claimed)
    if found is None:
        return ""
    fit, noise = case.fit, case.noise
    return (
        f" Read it with care: the standard errors of the rungs ({_percent(noise)} of the loss) exceed the rungs' "
        f"distances from the line ({_percent(fit.residual_sd)}), so the interval is narrower than this ladder can "
        f"promise, and an exponent below {exponent_in_words(found.least)} is found or excluded here by luck rather "
        f"than by design. {found.more} would confirm or undo it."
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g}%"
