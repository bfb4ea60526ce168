"""Reason of each verdict on a law of rankings, and what would settle it, in sentences that speak of RankIC.

Each reason begins with the RankIC that a tenfold size gains, and its interval (`tsladder.law.rank_ic`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from tsladder.artifacts.law_evidence import NeighbourContrast, SettleOption
from tsladder.artifacts.law_fits import FloorLaw
from tsladder.law.curve.floor import loss_above_floor
from tsladder.law.curve.forms import Form, Support
from tsladder.law.curve.power_law import interval_at
from tsladder.law.effect_in_words import is_negligible
from tsladder.law.evidence.detection import FEW_DOF, Precision, detectable_alpha, detectable_range
from tsladder.law.next_runs import NoiseWords, in_words, more_days, settle_options
from tsladder.law.points import size_in_words
from tsladder.law.precision_in_words import estimate, find_lucky_fit, replicates
from tsladder.law.rank_ic import rank_ic_per_alpha, rank_ic_per_tenfold, slope_in_words
from tsladder.law.turning_rungs import p_of, turning_rungs
from tsladder.law.verdict_case import Case, Verdict, VerdictName
from tsladder.law.wording import degrees_in_words, exponent_in_words, interval_in_words
from tsladder.ranking.words import gain, rank_ic, rank_ic_of

FIGURES = "RankICs"
"""Figures of the rungs that a verdict is about."""


def no_exponent(support: Support) -> Verdict:
    if support.sizes is not None and support.n_sizes >= 3:
        return Verdict(
            name=VerdictName.UNDERPOWERED,
            reason="Neither an effect of size on RankIC nor its absence is shown, and no slope is given: "
            f"{support.why}.",
            settle="More sizes at amounts of data that several sizes share: those tell what size does without a form "
            "for the data.",
        )
    missing = max(1, 3 - support.n_sizes)
    has = {0: "No rung has", 1: "Only one size has", 2: "Only two sizes have"}.get(support.n_sizes)
    told = f"{has} a RankIC" if has else f"The {support.n_sizes} sizes are one"
    more = f"at least {missing} more rung{'s' if missing > 1 else ''}"
    return Verdict(
        name=VerdictName.TOO_FEW_RUNGS,
        reason=f"{told}. A line through fewer than three has no error to judge it by, so no slope is given.",
        settle=f"{more.capitalize()}; four or five, spread over two orders of magnitude or more, give the verdict some "
        "power.",
        options=(SettleOption(what="rungs", seeds=None, rungs=None, words=more),),
    )


def no_skill(case: Case) -> Verdict:
    best = min(case.points, key=lambda point: point.loss)
    against = [
        (loss, name)
        for loss, name in ((best.base_rate_loss, "no order at all"), (best.own_rate_loss, "the static order"))
        if loss is not None
    ]
    constant = ""
    if against:
        loss, name = min(against)
        constant = f", against {rank_ic(rank_ic_of(loss))} of the better constant ranking, {name}"
    return Verdict(
        name=VerdictName.NO_SKILL,
        reason=f"{_opening(case)} That is a slope over models that show nothing learned: none of the "
        f"{len(case.points)} rungs ranks the stocks better than a constant ranking with {case.confidence:.0%} "
        f"confidence; the highest RankIC is {rank_ic(rank_ic_of(best.loss))} ({best.cell}){constant}.",
        settle="Not larger models: first a rung that ranks better than a constant ranking, from other columns, another "
        "horizon or another panel. More test days, or more stocks on each of them, would tell a small skill from none.",
    )


def scales(case: Case) -> Verdict:
    support = case.support
    if support.form is Form.FLOOR and support.floor is not None:
        reason = f"{_opening(case)} {_rise_towards_a_ceiling(case, support.floor)}"
    elif support.form is Form.TURN:
        reason = f"{_opening(case)} Over the whole ladder RankIC rises: the interval lies wholly above 0, on "
        reason += f"{replicates(case)}.{_turn(case)}"
    else:
        reason = (
            f"{_opening(case)} RankIC rises as models grow{support.together}: the interval lies wholly above 0, on "
        )
        reason += f"{replicates(case)}.{_negligible(case)}{_lucky_fit(case, case.fit.alpha)}"
    return Verdict(name=VerdictName.SCALES, reason=reason + _days_unknown(case), settle=_extend(case))


def worse(case: Case) -> Verdict:
    support = case.support
    if support.form is Form.TURN:
        reason = f"{_opening(case)} Over the whole ladder RankIC falls: the interval lies wholly below 0, on "
        reason += f"{replicates(case)}.{_turn(case)}"
    else:
        reason = (
            f"{_opening(case)} RankIC falls as models grow{support.together}: the interval lies wholly below 0, on "
        )
        reason += f"{replicates(case)}.{_negligible(case)}{_lucky_fit(case, case.fit.alpha)}"
    settle = f"{_extend(case)} To learn why: more training days or stronger regularisation on the largest rungs."
    return Verdict(name=VerdictName.WORSE_WITH_SIZE, reason=reason + _days_unknown(case), settle=settle)


def flat(case: Case) -> Verdict:
    interest = case.alpha_of_interest
    subject = case.support.subject.capitalize()
    over = "Over the whole ladder " + case.support.subject if case.support.form is Form.TURN else subject
    reason = f"{_opening(case)} {over} makes no difference worth having: the interval lies inside ±{_of_alpha(case)}, "
    reason += f"which is an exponent of ±{interest:g}."
    reason += _turn(case) if case.support.form is Form.TURN else ""
    return Verdict(
        name=VerdictName.FLAT,
        reason=reason + _lucky_fit(case, interest) + _days_unknown(case),
        settle=f"Settled for {_of_alpha(case)} RankIC per tenfold size (an exponent of {interest:g}) and more. To find "
        f"less, set a smaller {case.interest_option} and add rungs, test days or stocks; {_power(case)}",
    )


def not_monotone(case: Case, falls: Sequence[NeighbourContrast], rises: Sequence[NeighbourContrast]) -> Verdict:
    """`falls` and `rises` are those of the loss: a fall of the loss is a rise of RankIC."""

    def tell(contrasts: Sequence[NeighbourContrast]) -> str:
        return ", ".join(f"{c.smaller} to {c.larger} {gain(-c.difference)} ({p_of(c)})" for c in contrasts)

    if falls and rises:
        told = f" It rises: {tell(falls)}. It falls: {tell(rises)}."
        told += _turn(case) if case.support.form is Form.TURN else ""
    else:
        told = _turn(case)
    found = turning_rungs(case, falls, rises)
    return Verdict(
        name=VerdictName.NOT_MONOTONE,
        reason=f"{_opening(case)} No single slope describes it: RankIC neither rises nor falls throughout.{told}"
        f"{found.caution}{_days_unknown(case)}",
        settle=found.settle,
        options=(found.option,),
    )


def underpowered(case: Case, outliers: Sequence[str]) -> Verdict:
    low, high = case.fit.alpha_ci
    interest = case.alpha_of_interest
    both = low <= -interest and high >= interest
    options = _options(case)
    sought = f"{_of_alpha(case)} RankIC per tenfold size (an exponent of {interest:g})"
    return Verdict(
        name=VerdictName.UNDERPOWERED,
        reason=f"{_opening(case)} Neither a law{' of size and data' if case.support.together else ''} nor its absence "
        f"is shown: the interval contains 0 and reaches {'beyond' if both else 'past one end of'} "
        f"±{_of_alpha(case)}, an exponent of ±{interest:g}. With {replicates(case)} ({degrees_in_words(case.fit.dof)}) "
        f"{_power(case)}{_days_unknown(case)}",
        settle=_look_first(outliers) + in_words(options, sought),
        options=options,
    )


def _opening(case: Case) -> str:
    """State the RankIC per tenfold size, then the exponent, each with its interval."""
    found = rank_ic_per_tenfold(case.fit, case.noise)
    return f"{slope_in_words(found, case.support.on_data)}; {estimate(case)}."


def _of_alpha(case: Case) -> str:
    """Format the RankIC per tenfold size of the exponent of interest."""
    return rank_ic(rank_ic_per_alpha(case.fit) * case.alpha_of_interest)


def _power(case: Case) -> str:
    """State the slope that this ladder finds in four studies out of five."""
    precision, scale = Precision.of(case.fit, case.noise), rank_ic_per_alpha(case.fit)
    if precision.noise_dof < FEW_DOF:
        ends = detectable_range(precision)
        slope, alpha = (" and ".join(map(exponent_in_words, each)) for each in ((scale * a for a in ends), ends))
        tell = "tells" if precision.noise_dof == 1.0 else "tell"
        return (
            "the smallest RankIC per tenfold size that this ladder finds in four studies out of five lies between "
            f"{slope} (an exponent between {alpha}): {degrees_in_words(precision.noise_dof)} {tell} no more of its "
            "noise."
        )
    least = detectable_alpha(precision)
    return (
        f"this ladder finds {gain(scale * least)} RankIC per tenfold size (an exponent of {exponent_in_words(least)}) "
        "or more in four studies out of five."
    )


def _options(case: Case) -> tuple[SettleOption, ...]:
    """List a wider ladder, more test days or stocks, and more seeds, in this order; only days where nothing else
    helps."""
    loss = case.fit.loss_at_reference

    def noise(share: float) -> str:
        return f"{rank_ic(share * loss)} RankIC"

    found = settle_options(
        case.points,
        case.fit,
        case.noise,
        alpha_of_interest=case.alpha_of_interest,
        cost=case.cost,
        varying=case.support.sizes is not None,
        noise_words=NoiseWords(a_rung=noise, of_its_loss=noise),
    )
    days = more_days(
        case.points,
        case.fit,
        case.noise,
        alpha_of_interest=case.alpha_of_interest,
        day_scatter=case.day_scatter,
        only=any(option.what == "days" for option in found),
    )
    wider = [
        dataclasses.replace(option, words=f"a wider ladder, {option.words}") if option.rungs else option
        for option in found
        if option.what == "rungs"
    ]
    return (*wider, days, *(option for option in found if option.what == "seeds"))


def _look_first(outliers: Sequence[str]) -> str:
    if not outliers:
        return ""
    belong = "does not belong" if len(outliers) == 1 else "do not belong"
    return (
        f"First look at {' and '.join(outliers)}, which {belong} to the law of the other rungs, so that most of the "
        "noise comes from there: was the search cut short? "
    )


def _rise_towards_a_ceiling(case: Case, floor: FloorLaw) -> str:
    """State the rise towards the RankIC that a floor of the loss means."""
    largest = case.points[-1].n_params
    low, high = floor.E_ci or (0.0, math.inf)
    ends = f"{case.fit.confidence:.0%} interval {rank_ic(rank_ic_of(high))} to {rank_ic(rank_ic_of(low))}"
    rises = f"RankIC rises as models grow{case.support.together}"
    if not floor.identified or floor.alpha is None:
        return (
            f"{rises}, and ever less: a law without a ceiling fits significantly worse. The ceiling itself is not "
            f"known well ({ends}). The slope is an average over these rungs; beyond the largest one RankIC rises by "
            "less."
        )
    change = float(loss_above_floor(floor, largest) - loss_above_floor(floor, 10.0 * largest))
    exponent = f"alpha {floor.alpha:.4f}"
    if floor.alpha_ci is not None:
        exponent += f" ({interval_in_words(floor.alpha_ci)})"
    return (
        f"{rises}, towards a ceiling of {rank_ic(rank_ic_of(floor.E or 0.0))} ({ends}): what it lacks of the ceiling "
        f"falls as a power of size, {exponent}. The slope is an average over these rungs; a model ten times larger "
        f"than the largest rung{case.support.on_data} has {gain(change)} RankIC."
    )


def _turn(case: Case) -> str:
    """State where the curve turns; empty where none was fitted."""
    overfit = case.support.overfit
    if overfit is None or overfit.turns_at_n is None:
        return ""
    return (
        f" Within it RankIC rises up to about {size_in_words(overfit.turns_at_n)} and falls beyond: no single slope "
        "describes it."
    )


def _negligible(case: Case) -> str:
    """State that a significant effect is too small to matter; empty where it is not."""
    if not is_negligible(case):
        return ""
    return (
        f" It is negligible all the same: the whole interval lies inside ±{_of_alpha(case)}, an exponent of "
        f"±{case.alpha_of_interest:g}, the one of interest."
    )


def _lucky_fit(case: Case, claimed: float) -> str:
    """Warn as `precision_in_words.lucky_fit` does, in RankIC."""
    found = find_lucky_fit(case, claimed)
    if found is None:
        return ""
    fit, noise = case.fit, case.noise
    loss = fit.loss_at_reference
    return (
        f" Read it with care: the standard errors of the rungs ({rank_ic(noise * loss)}) exceed the rungs' distances "
        f"from the line ({rank_ic(fit.residual_sd * loss)}), so the interval is narrower than this ladder can promise, "
        f"and less than {gain(rank_ic_per_alpha(fit) * found.least)} RankIC per tenfold size is found or excluded here "
        f"by luck rather than by design. {found.more} would confirm or undo it."
    )


def _days_unknown(case: Case) -> str:
    """State that the days are not in the interval; empty where they are."""
    if case.fit.alpha_ci_days is not None:
        return ""
    return (
        " This is a law of the test data at hand: their daily RankIC is not known, so what other test days would do to "
        "the slope is not in its interval."
    )


def _extend(case: Case) -> str:
    """State what would confirm a sign, and what the form predicts for the next rung."""
    smallest, largest = (point.n_params for point in (case.points[0], case.points[-1]))
    settle = f"The sign holds for {size_in_words(smallest)} to {size_in_words(largest)}"
    beyond = f"A rung above {size_in_words(largest)}"
    if case.support.form is Form.TURN:
        settle += " as a whole, not for every part. More seeds at the largest rungs would confirm or undo the turn; "
    elif case.support.form is Form.FLOOR and (floor := case.support.floor) is not None:
        to = f" of {rank_ic(rank_ic_of(floor.E or 0.0))}" if floor.identified else ""
        settle += f". {beyond} would show whether the ceiling{to} holds; "
    else:
        settle += f". {beyond} that falls inside the law's prediction{_prediction(case)} would extend it; "
    return settle + _power(case)


def _prediction(case: Case) -> str:
    """State the RankIC predicted for one rung ten times the largest, on the same days; empty where data vary, and where
    no more is predicted than that it lies between -1 and 1."""
    if case.support.sizes is not None or case.support.together:
        return ""
    size = 10.0 * case.points[-1].n_params
    (low,), (high,) = (ends.reshape(1).tolist() for ends in interval_at(case.fit, size, new_rung=True))
    if not high < 2.0:
        return ""
    return f" (a RankIC of {rank_ic(rank_ic_of(high))} to {rank_ic(rank_ic_of(low))} at {size_in_words(size)})"
