"""Wording of an exponent: its interval with its two parts, and the exponent that a ladder could have detected. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tsladder.artifacts.law import HorizonLaw
from tsladder.artifacts.law_fits import Interval, closed
from tsladder.law.curve.forms import Form
from tsladder.law.evidence.detection import FEW_DOF
from tsladder.report import words

PARTS = ("of the rungs", "of the days")


def half_width(interval: Interval | None) -> str:
    """Format half the width of an interval: ±0.0123."""
    return words.MISSING if interval is None else f"±{words.exponent((interval[1] - interval[0]) / 2.0)}"


def ends_and_parts(law: HorizonLaw) -> str:
    """Format the interval of alpha and its parts: -0.0177 to 0.0423: of the rungs ±0.0210, of the days ±0.0150. Only
    the ends where the part of the days is unknown."""
    ends = words.exponents(law.alpha_ci)
    if law.alpha_ci_rungs is None or law.alpha_ci_days is None:
        return ends
    parts = zip(PARTS, (law.alpha_ci_rungs, law.alpha_ci_days), strict=True)
    return f"{ends}: {', '.join(f'{name} {half_width(part)}' for name, part in parts)}"


def scope(law: HorizonLaw) -> str:
    """Return the qualification of an alpha where no single exponent describes the ladder; "" where one does."""
    if law.form == Form.TURN:
        return ", over a ladder that no single exponent describes"
    floor = law.fits.power_floor
    if law.form != Form.FLOOR or floor is None:
        return ""
    if not floor.identified:
        return ", on average over a ladder that falls ever less"
    above = f"{words.exponent(floor.alpha)} ({words.exponents(closed(floor.alpha_ci))})"
    return f", on average over the ladder; above its floor of {words.short(floor.E)} alpha is {above}"


def detectable(law: HorizonLaw) -> str:
    """Format the minimum detectable exponent of the ladder; below three degrees of freedom only its range is known."""
    if is_range(law):
        return words.exponents(law.detectable_range)
    return words.exponent(law.minimum_detectable_alpha)


def is_range(law: HorizonLaw) -> bool:
    return law.detectable_range is not None and law.fits.power is not None and law.fits.power.dof < FEW_DOF


def what_the_parts_are(laws: Iterable[HorizonLaw], level: str) -> str | None:
    """Explain the interval of alpha and its parts where a reader meets it first; None where no law has an exponent."""
    known = [law for law in laws if law.alpha is not None]
    if not known:
        return None
    if all(law.alpha_ci_days is None for law in known):
        return (
            f"In brackets stands the {level} interval of alpha. It is that of the rungs: what other searches and seeds "
            "at these sizes would do to it, from the scatter of the rungs around their law. What other test days would "
            "do is not in it, since daily losses are not known."
        )
    sentence = (
        f"In brackets stands the {level} interval of alpha, which holds two parts. Of the rungs: what other searches "
        "and seeds at these sizes would do to it, from the scatter of the rungs around their law. Of the days: what "
        "other test days would do to it, on which all rungs could gain more or less from size at once. Each part is "
        f"given as the half-width of the {level} interval that it would leave alone; the whole is of both together "
        "(Welch and Satterthwaite), no narrower than either."
    )
    if any(law.alpha_ci_days is None for law in known):
        sentence += " Where the part of the days is missing, daily losses are not known and the whole is of the rungs."
    return sentence
