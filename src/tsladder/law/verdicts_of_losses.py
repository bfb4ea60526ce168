"""Reason of each verdict on a law of losses, and what would settle it, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tsladder.artifacts.law_evidence import NeighbourContrast, SettleOption
from tsladder.law.curve.forms import Form, Support
from tsladder.law.effect_in_words import fall_towards_a_floor, negligible_effect, tenfold_effect, turn_in_words
from tsladder.law.next_runs import in_words, settle_options
from tsladder.law.points import size_in_words
from tsladder.law.precision_in_words import (
    days_unknown,
    estimate,
    lucky_fit,
    power_in_words,
    prediction_of_next_rung,
    replicates,
)
from tsladder.law.turning_rungs import p_of, turning_rungs
from tsladder.law.verdict_case import Case, Verdict, VerdictName
from tsladder.law.wording import degrees_in_words

FIGURES = "losses"
"""Figures of the rungs that a verdict is about."""


def no_exponent(support: Support) -> Verdict:
    if support.sizes is not None and support.n_sizes >= 3:
        return Verdict(
            name=VerdictName.UNDERPOWERED,
            reason=f"Neither a law nor its absence is shown, and no exponent is given: {support.why}.",
            settle="More sizes at amounts of data that several sizes share: those tell what size does without a form "
            "for the data.",
        )
    sizes = support.n_sizes
    missing = max(1, 3 - sizes)
    has = {0: "No rung has", 1: "Only one size has", 2: "Only two sizes have"}.get(sizes)
    told = f"{has} a loss" if has else f"The {sizes} sizes are one"
    return Verdict(
        name=VerdictName.TOO_FEW_RUNGS,
        reason=f"{told}. A line through fewer than three has no error to judge it by, so no exponent is given.",
        settle=f"At least {missing} more rung{'s' if missing > 1 else ''}; four or five, spread over two orders of "
        "magnitude or more, give the verdict some power.",
        options=(
            SettleOption(
                what="rungs", seeds=None, rungs=None, words=f"at least {missing} more rung{'s'[: missing - 1]}"
            ),
        ),
    )


def no_skill(case: Case) -> Verdict:
    best = min(case.points, key=lambda point: point.loss)
    against = [loss for loss in (best.base_rate_loss, best.own_rate_loss) if loss is not None]
    constant = f" against {min(against):.4f} for the best constant" if against else ""
    return Verdict(
        name=VerdictName.NO_SKILL,
        reason=f"None of the {len(case.points)} rungs beats a constant forecast with {case.confidence:.0%} confidence; "
        f"the lowest loss is {best.loss:.4f} ({best.cell}){constant}. {estimate(case)} describes models that show "
        "nothing learned.",
        settle="Not larger models: first a rung that beats the constant, from other features, another target or more "
        "days. More test days would tell a small skill from none.",
    )


def scales(case: Case) -> Verdict:
    fit, support = case.fit, case.support
    if support.form is Form.FLOOR and support.floor is not None:
        reason = fall_towards_a_floor(case, support.floor)
    elif support.form is Form.TURN:
        reason = f"Over the whole ladder the loss falls: {estimate(case)}, wholly above 0, on {replicates(case)}."
        reason += turn_in_words(case)
    else:
        reason = f"The loss falls as models grow{support.together}: {estimate(case)}, wholly above 0, on "
        reason += f"{replicates(case)}. {tenfold_effect(case)}"
        reason += negligible_effect(case) + lucky_fit(case, fit.alpha)
    return Verdict(name=VerdictName.SCALES, reason=reason + days_unknown(case), settle=_extend(case))


def worse(case: Case) -> Verdict:
    fit, support = case.fit, case.support
    reason = f"The loss rises as models grow{support.together}: {estimate(case)}, wholly below 0, on "
    reason += f"{replicates(case)}."
    if support.form is Form.TURN:
        reason = f"Over the whole ladder the loss rises: {estimate(case)}, wholly below 0, on {replicates(case)}."
        reason += turn_in_words(case)
    else:
        reason += f" {tenfold_effect(case)}" + negligible_effect(case) + lucky_fit(case, fit.alpha)
    settle = _extend(case) + " To learn why: more training data or stronger regularisation on the largest rungs."
    return Verdict(name=VerdictName.WORSE_WITH_SIZE, reason=reason + days_unknown(case), settle=settle)


def flat(case: Case) -> Verdict:
    interest = case.alpha_of_interest
    subject = case.support.subject
    reason = f"{subject.capitalize()} makes no difference worth having: {estimate(case)} lies inside ±{interest:g}. "
    reason += f"A model ten times larger{case.support.on_data} changes the loss by less than "
    reason += f"{100.0 * math.expm1(interest * math.log(10.0)):.2g}%."
    if case.support.form is Form.TURN:
        reason = f"Over the whole ladder {subject} makes no difference worth having: {estimate(case)} lies inside "
        reason += f"±{interest:g}.{turn_in_words(case)}"
    return Verdict(
        name=VerdictName.FLAT,
        reason=reason + lucky_fit(case, interest) + days_unknown(case),
        settle=f"Settled for exponents of {interest:g} and more. To find a smaller one, set a smaller "
        f"{case.interest_option} and add rungs or seeds; {power_in_words(case)}",
    )


def not_monotone(case: Case, falls: Sequence[NeighbourContrast], rises: Sequence[NeighbourContrast]) -> Verdict:
    def tell(contrasts: Sequence[NeighbourContrast]) -> str:
        return ", ".join(f"{c.smaller} to {c.larger} {c.relative:+.1%} ({p_of(c)})" for c in contrasts)

    reason = "The loss neither falls nor rises throughout."
    if falls and rises:
        reason += f" It falls: {tell(falls)}. It rises: {tell(rises)}."
        reason += turn_in_words(case) if case.support.form is Form.TURN else ""
    else:
        reason += turn_in_words(case)
    average = f"A single exponent ({estimate(case)}) does not describe this."
    if case.support.form is Form.TURN:
        average = f"Over the whole ladder {estimate(case)}."
    found = turning_rungs(case, falls, rises)
    return Verdict(
        name=VerdictName.NOT_MONOTONE,
        reason=f"{reason} {average}{found.caution}{days_unknown(case)}",
        settle=found.settle,
        options=(found.option,),
    )


def underpowered(case: Case, outliers: Sequence[str]) -> Verdict:
    low, high = case.fit.alpha_ci
    interest = case.alpha_of_interest
    both = low <= -interest and high >= interest
    options = settle_options(
        case.points,
        case.fit,
        case.noise,
        alpha_of_interest=interest,
        cost=case.cost,
        varying=case.support.sizes is not None,
    )
    return Verdict(
        name=VerdictName.UNDERPOWERED,
        reason=f"Neither a law{' of size and data' if case.support.together else ''} nor its absence is shown: "
        f"{estimate(case)} contains 0 and "
        f"reaches {'beyond' if both else 'past one end of'} ±{interest:g}. With {replicates(case)} "
        f"({degrees_in_words(case.fit.dof)}) {power_in_words(case)}"
        f"{days_unknown(case)}",
        settle=_look_first(outliers) + in_words(options, interest),
        options=options,
    )


def _look_first(outliers: Sequence[str]) -> str:
    if not outliers:
        return ""
    belong = "does not belong" if len(outliers) == 1 else "do not belong"
    return (
        f"First look at {' and '.join(outliers)}, which {belong} to the law of the other rungs, so that most of the "
        "noise comes from there: was the search cut short, or a figure copied wrongly? "
    )


def _extend(case: Case) -> str:
    """State what would confirm a sign, and what the form predicts for the next rung."""
    smallest, largest = (point.n_params for point in (case.points[0], case.points[-1]))
    ladder = f"{size_in_words(smallest)} to {size_in_words(largest)}"
    settle = f"The sign holds for {ladder}. "
    beyond = f"A rung above {size_in_words(largest)}"
    if case.support.form is Form.TURN:
        settle = f"The sign is that of {ladder} as a whole, not of every part. "
        settle += "More seeds at the largest rungs would confirm or undo the turn; "
    elif case.support.form is Form.FLOOR and (floor := case.support.floor) is not None:
        to = f" of {floor.E:.4g}" if floor.identified else ""
        settle += f"{beyond} would show whether the floor{to} holds; "
    else:
        settle += f"{beyond} that falls inside the law's prediction{prediction_of_next_rung(case)} would extend it; "
    return settle + power_in_words(case)
