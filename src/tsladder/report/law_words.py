"""Wording of a law: its exponent with its interval and its two parts, the exponent that a ladder could have detected,
and of rankings the RankIC per tenfold size. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tsladder.artifacts.law import HorizonLaw, StudyLaw
from tsladder.artifacts.law_fits import ExcessLaw, Interval, RankIcPerTenfold, closed
from tsladder.law.curve.forms import Form
from tsladder.law.evidence.detection import FEW_DOF
from tsladder.law.rank_ic import slope_in_words
from tsladder.ranking.words import gain, gain_with_interval, is_rank_error, rank_ic, rank_ic_of
from tsladder.report import words

PARTS = ("of the rungs", "of the days")

VERDICTS_OF_RANKINGS = {
    "invalid": "These rankings may know the future, so no figure counts.",
    "too_few_rungs": "Too few model sizes have a RankIC to speak of a law.",
    "no_skill": "No model size ranks the stocks better than a constant ranking, so size has no skill to improve.",
    "scales": "Over the whole ladder, larger models rank the stocks better.",
    "worse_with_size": "Over the whole ladder, larger models rank the stocks worse.",
    "flat": "Larger models rank the stocks as well as smaller ones, no better and no worse by any margin that matters.",
    "not_monotone": "RankIC rises between some sizes and falls between others: no power law describes it.",
    "underpowered": "This ladder is too noisy or too short, or its days or stocks too few, to tell a law from no law.",
}
"""Meaning of each verdict on a law of rankings for a reader without training in statistics."""


def is_of_rankings(law: StudyLaw | None) -> bool:
    """Check whether a law is one of rankings, of which readers are told the RankIC."""
    return law is not None and is_rank_error(law.metric)


def meaning(law: HorizonLaw, *, of_rankings: bool) -> str:
    """Return the meaning of a verdict in one sentence."""
    return (VERDICTS_OF_RANKINGS if of_rankings else words.VERDICTS).get(law.verdict, law.verdict)


def slope(law: HorizonLaw) -> str | None:
    """State what a tenfold size gains: "RankIC per tenfold size: +0.0012 (-0.0060 to 0.0080)"; None without it, as for
    any law that is not one of rankings."""
    return None if law.rank_ic_per_tenfold is None else slope_in_words(law.rank_ic_per_tenfold)


def slope_figure(found: RankIcPerTenfold | None) -> str:
    """Format the RankIC per tenfold size with its interval for a table."""
    return words.MISSING if found is None else gain_with_interval(found.value, found.low, found.high)


def detectable_slope(found: RankIcPerTenfold | None) -> str:
    """Format the least RankIC per tenfold size that a study finds; below three degrees of freedom only its range is
    known."""
    if found is None:
        return words.MISSING
    if found.detectable is not None:
        return gain(found.detectable)
    ends = closed(found.detectable_range)
    return words.MISSING if ends is None else f"{rank_ic(ends[0])} to {rank_ic(ends[1])}"


def distance_to_best(excess: ExcessLaw) -> str:
    """State how far the rungs of a law of rankings lie from the best baseline, and how that moves with size."""
    statement = f"against {words.forecast(excess.baseline)} (RankIC {rank_ic(rank_ic_of(excess.baseline_loss))})"
    if excess.power is not None:
        statement += (
            f", the distance falls as a power of N with alpha {words.exponent(excess.power.alpha)}, interval of the "
            f"rungs {words.exponents(closed(excess.power.alpha_ci))}"
        )
    return f"{statement}: {excess.reason}"


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
