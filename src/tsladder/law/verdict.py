"""The verdict on a ladder, with its reason and what would settle it: the first one that applies, in this order.

Every statement follows from the form that the points support (`tsladder.law.curve.forms`): the verdict, its reason, the
effect of a model ten times larger, and what would settle it.

Error rates. `scales` and `worse_with_size` are each given to 2.5 % of ladders without a law, and `flat` to at most that
share of ladders whose exponent is the one of interest: a rung's chosen configuration is a draw of the search's luck,
and so is the scatter that the interval is made from. Which of `flat` and `underpowered` a ladder without a law gets is
mostly luck at three degrees of freedom: `tsladder.law.evidence.repetition` says what the same study would find again,
and the reason says where rungs lie closer to their line than their seeds allow. `not_monotone`: see
`tsladder.law.evidence.neighbours`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tsladder.artifacts.law_evidence import NeighbourContrast, SettleOption
from tsladder.artifacts.law_fits import FloorLaw, PowerLaw
from tsladder.law.curve.floor import loss_above_floor
from tsladder.law.curve.forms import Form, Support
from tsladder.law.curve.overfit import steepest_side
from tsladder.law.curve.power_law import interval_at
from tsladder.law.evidence.detection import FEW_DOF, Precision, detectable_alpha, detectable_range
from tsladder.law.evidence.neighbours import is_significant
from tsladder.law.next_runs import Cost, in_words, settle_options
from tsladder.law.points import RungPoint, in_order, size_in_words
from tsladder.law.surface.additive_surface import SurfaceFit
from tsladder.law.surface.tenfold import Tenfold
from tsladder.law.wording import (
    counted,
    degrees_in_words,
    exponent_in_words,
    interval_in_words,
    p_in_words,
    share_in_words,
)

_BEYOND_WORDS = 700.0
"""Log of the largest change that a float can hold."""

_LARGEST_TOLD = 1e3
"""Largest ratio of a prediction to the greatest measured loss at which the prediction is given."""


class VerdictName(StrEnum):
    INVALID = "invalid"
    TOO_FEW_RUNGS = "too_few_rungs"
    NO_SKILL = "no_skill"
    SCALES = "scales"
    WORSE_WITH_SIZE = "worse_with_size"
    FLAT = "flat"
    NOT_MONOTONE = "not_monotone"
    UNDERPOWERED = "underpowered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A verdict. `reason` explains it in numbers; `settle` says what would confirm, sharpen or overturn it, and
    `options` holds the same as data where it is more seeds, rungs or days."""

    name: VerdictName
    reason: str
    settle: str
    options: tuple[SettleOption, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """The input of a verdict. `points` in order of size; `fit`: the power law of `support`."""

    points: Sequence[RungPoint]
    support: Support
    fit: PowerLaw
    alpha_of_interest: float
    confidence: float
    interest_option: str
    cost: Cost | None

    @property
    def noise(self) -> float:
        return self.support.noise_of(self.points) or 0.0


def judge(
    points: Sequence[RungPoint],
    support: Support,
    *,
    alpha_of_interest: float,
    confidence: float = 0.95,
    contrasts: Sequence[NeighbourContrast] = (),
    probes_failed: Sequence[str] = (),
    cost: Cost | None = None,
    interest_option: str = "law.alpha_of_interest",
    outliers: Sequence[str] = (),
) -> Verdict:
    """Return the verdict on rung means and the form that they support.

    Verdicts that need unknown figures do not apply: without `has_skill` on every point there is no `no_skill`, without
    p-values in `contrasts` no `not_monotone`. `interest_option`: the setting that holds the exponent of interest.
    `outliers`: rungs that depart from the law of the others. R squared plays no part: the sign, the interval and the
    power decide.
    """
    if probes_failed:
        return Verdict(
            name=VerdictName.INVALID,
            reason=f"A probe for leaks failed ({'; '.join(probes_failed)}): these losses may know the future.",
            settle="Find the leak that the probe points to and run the study again; no figure of this one counts.",
        )
    if support.power is None:
        return _no_exponent(support)
    case = Case(
        points=in_order(points),
        support=support,
        fit=support.power,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        interest_option=interest_option,
        cost=cost,
    )
    if all(point.has_skill is False for point in case.points):
        return _no_skill(case)
    low, high = support.power.alpha_ci
    if low > 0.0 or support.form is Form.FLOOR:
        return _scales(case)
    if high < 0.0:
        return _worse(case)
    if -alpha_of_interest < low and high < alpha_of_interest and _steepest_side(case) < alpha_of_interest:
        return _flat(case)
    falls = [c for c in contrasts if is_significant(c, confidence) and c.difference < 0.0]
    rises = [c for c in contrasts if is_significant(c, confidence) and c.difference > 0.0]
    if support.form is Form.TURN or (falls and rises):
        return _not_monotone(case, falls, rises)
    return _underpowered(case, outliers)


def _steepest_side(case: Case) -> float:
    """Return the steeper side of a curve that is shown to turn, else 0: a fall and a rise that cancel are no flat
    ladder."""
    if case.support.form is not Form.TURN or case.support.overfit is None:
        return 0.0
    return steepest_side(case.support.overfit, case.points[0].n_params, case.points[-1].n_params)


def _no_exponent(support: Support) -> Verdict:
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


def _no_skill(case: Case) -> Verdict:
    best = min(case.points, key=lambda point: point.loss)
    against = [loss for loss in (best.base_rate_loss, best.own_rate_loss) if loss is not None]
    constant = f" against {min(against):.4f} for the best constant" if against else ""
    return Verdict(
        name=VerdictName.NO_SKILL,
        reason=f"None of the {len(case.points)} rungs beats a constant forecast with {case.confidence:.0%} confidence; "
        f"the lowest loss is {best.loss:.4f} ({best.cell}){constant}. {_estimate(case)} describes models that show "
        "nothing learned.",
        settle="Not larger models: first a rung that beats the constant, from other features, another target or more "
        "days. More test days would tell a small skill from none.",
    )


def _scales(case: Case) -> Verdict:
    fit, support = case.fit, case.support
    if support.form is Form.FLOOR and support.floor is not None:
        reason = _towards_a_floor(case, support.floor)
    elif support.form is Form.TURN:
        reason = f"Over the whole ladder the loss falls: {_estimate(case)}, wholly above 0, on {_replicates(case)}."
        reason += _turn(case)
    else:
        reason = f"The loss falls as models grow{support.together}: {_estimate(case)}, wholly above 0, on "
        reason += f"{_replicates(case)}. {_tenfold(case)}"
        reason += _negligible(case) + _lucky_fit(case, fit.alpha)
    return Verdict(name=VerdictName.SCALES, reason=reason + _days_unknown(case), settle=_extend(case))


def _worse(case: Case) -> Verdict:
    fit, support = case.fit, case.support
    reason = f"The loss rises as models grow{support.together}: {_estimate(case)}, wholly below 0, on "
    reason += f"{_replicates(case)}."
    if support.form is Form.TURN:
        reason = f"Over the whole ladder the loss rises: {_estimate(case)}, wholly below 0, on {_replicates(case)}."
        reason += _turn(case)
    else:
        reason += f" {_tenfold(case)}" + _negligible(case) + _lucky_fit(case, fit.alpha)
    settle = _extend(case) + " To learn why: more training data or stronger regularisation on the largest rungs."
    return Verdict(name=VerdictName.WORSE_WITH_SIZE, reason=reason + _days_unknown(case), settle=settle)


def _flat(case: Case) -> Verdict:
    interest = case.alpha_of_interest
    subject = case.support.subject
    reason = f"{subject.capitalize()} makes no difference worth having: {_estimate(case)} lies inside ±{interest:g}. "
    reason += f"A model ten times larger{case.support.on_data} changes the loss by less than "
    reason += f"{100.0 * math.expm1(interest * math.log(10.0)):.2g}%."
    if case.support.form is Form.TURN:
        reason = f"Over the whole ladder {subject} makes no difference worth having: {_estimate(case)} lies inside "
        reason += f"±{interest:g}.{_turn(case)}"
    return Verdict(
        name=VerdictName.FLAT,
        reason=reason + _lucky_fit(case, interest) + _days_unknown(case),
        settle=f"Settled for exponents of {interest:g} and more. To find a smaller one, set a smaller "
        f"{case.interest_option} and add rungs or seeds; {_power_words(case)}",
    )


def _not_monotone(case: Case, falls: Sequence[NeighbourContrast], rises: Sequence[NeighbourContrast]) -> Verdict:
    def tell(contrasts: Sequence[NeighbourContrast]) -> str:
        return ", ".join(f"{c.smaller} to {c.larger} {c.relative:+.1%} ({_p(c)})" for c in contrasts)

    turning = sorted({c.larger for c in (*falls, *rises)} & {c.smaller for c in (*falls, *rises)})
    if falls and rises:
        reason = f"The loss neither falls nor rises throughout. It falls: {tell(falls)}. It rises: {tell(rises)}."
        if case.support.form is Form.TURN:
            reason += _turn(case)
    else:
        reason = f"The loss neither falls nor rises throughout.{_turn(case)}"
        at = case.support.overfit.turns_at_n if case.support.overfit is not None else None
        if at is not None:
            nearest = min(case.points, key=lambda point: abs(math.log(point.n_params / at)))
            turning = [nearest.cell]
    caution = ""
    if any(c.noise == "days" for c in (*falls, *rises)):
        caution = " With one seed a rung this holds for these trained models, not yet for their sizes."
    rungs = f" ({', '.join(turning)})" if turning else ""
    turned = [point for point in case.points if point.cell in turning] or list(case.points)
    now = max(1, max(len(point.seeds) for point in turned))
    option = SettleOption(
        what="seeds",
        seeds=2 * now,
        rungs=None,
        words=f"{2 * now} seeds on the rungs where the curve turns{rungs}",
        estimated_seconds=None if case.cost is None else case.cost.more_seeds([p.n_params for p in turned], now),
    )
    average = f"A single exponent ({_estimate(case)}) does not describe this."
    if case.support.form is Form.TURN:
        average = f"Over the whole ladder {_estimate(case)}."
    return Verdict(
        name=VerdictName.NOT_MONOTONE,
        reason=f"{reason} {average}{caution}{_days_unknown(case)}",
        settle=f"Search and retrain the rungs where the curve turns{rungs} with more trials and seeds: if the turn "
        "stays, it is the models' own and no power law holds here.",
        options=(option,),
    )


def _p(contrast: NeighbourContrast) -> str:
    return "p unknown" if contrast.p_holm is None else p_in_words(contrast.p_holm)


def _underpowered(case: Case, outliers: Sequence[str]) -> Verdict:
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
        f"{_estimate(case)} contains 0 and "
        f"reaches {'beyond' if both else 'past one end of'} ±{interest:g}. With {_replicates(case)} "
        f"({degrees_in_words(case.fit.dof)}) {_power_words(case)}"
        f"{_days_unknown(case)}",
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


def _estimate(case: Case) -> str:
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


def _replicates(case: Case) -> str:
    return counted(case.fit.n_rungs, "rung" if case.support.sizes is None else "size")


def _days_unknown(case: Case) -> str:
    if case.fit.alpha_ci_days is not None:
        return ""
    return (
        " This is a law of the test data at hand: their daily losses are not known, so what other test days would do "
        "to alpha is not in its interval."
    )


def _tenfold(case: Case) -> str:
    """State the effect of a model ten times larger, where one exponent describes the rungs."""
    sizes = case.support.sizes
    if sizes is not None and sizes.tenfold_at_same_data is not None:
        told = _tenfold_of_sizes(sizes.tenfold_at_same_data, sizes.tenfold_along_optimum)
        return (
            _surface_words(sizes.surface) + told
            if case.support.form is Form.SURFACE and sizes.surface.identified
            else told
        )
    change = math.expm1(min(-case.fit.alpha * math.log(10.0), _BEYOND_WORDS))
    more = "higher" if change > 0.0 else "lower"
    return f"A model ten times larger{case.support.on_data} has a loss {share_in_words(abs(change))} {more}."


def _tenfold_of_sizes(same_data: Tenfold, optimum: Tenfold | None) -> str:
    def change(tenfold: Tenfold) -> str:
        low, high = sorted((abs(tenfold.change_ci[0]), abs(tenfold.change_ci[1])))
        ends = f" ({low:.1%} to {high:.1%})" if tenfold.change_ci[0] * tenfold.change_ci[1] > 0.0 else ""
        return f"{share_in_words(abs(tenfold.change))}{ends} {'lower' if tenfold.change < 0.0 else 'higher'}"

    told = f"A model ten times larger on the same data (from {size_in_words(same_data.from_n)} to "
    told += (
        f"{size_in_words(same_data.to_n)} parameters at n_data = {size_in_words(same_data.n_data or 0.0)}) has a loss "
    )
    told += f"{change(same_data)}."
    if optimum is not None:
        told += f" With {optimum.data_growth:.3g} times the data, as the least loss for its compute asks, it is "
        told += f"{change(optimum)}."
    return told


def _surface_words(surface: SurfaceFit) -> str:
    """State the surface over which the exponent at equal data is an average."""
    figures = [("E", surface.E), ("alpha", surface.alpha), ("beta", surface.beta)]
    told = ", ".join(f"{name} = {value:.4g}" for name, value in figures if value is not None)
    return f"That is its average over these sizes on the surface E + A N^-alpha + B D^-beta with {told}. "


def _towards_a_floor(case: Case, floor: FloorLaw) -> str:
    largest, support = case.points[-1].n_params, case.support
    low, high = floor.E_ci or (0.0, math.inf)
    ends = f"{case.fit.confidence:.0%} interval {low:.4g} to {high:.4g}"
    falls = f"The loss falls as models grow{support.together}"
    average = f"On average over these rungs {_estimate(case)}."
    if not floor.identified or floor.alpha is None:
        return (
            f"{falls}, and ever less: a law without a floor fits significantly worse. The floor itself is not known "
            f"well ({ends}), so no exponent above it is given. {average} Beyond the largest rung the loss falls by "
            "less."
        )
    change = 1.0 - float(loss_above_floor(floor, 10.0 * largest) / loss_above_floor(floor, largest))
    exponent = f"alpha {floor.alpha:.4f}"
    if floor.alpha_ci is not None:
        exponent += f" ({interval_in_words(floor.alpha_ci)})"
    return (
        f"{falls}, towards a floor of {floor.E:.4g} ({ends}): what lies above the floor falls as a power of size, "
        f"{exponent}. {average} A model ten times larger than the largest rung{support.on_data} has a loss "
        f"{share_in_words(change)} lower."
    )


def _turn(case: Case) -> str:
    overfit = case.support.overfit
    if overfit is None or overfit.turns_at_n is None:
        return ""
    return (
        f" Within it these rungs follow a curve that falls up to about {size_in_words(overfit.turns_at_n)} and rises "
        "beyond: no single exponent describes it."
    )


def _negligible(case: Case) -> str:
    low, high = case.fit.alpha_ci
    if not -case.alpha_of_interest < low <= high < case.alpha_of_interest:
        return ""
    return (
        f" It is negligible all the same: the whole interval lies inside ±{case.alpha_of_interest:g}, the exponent of "
        "interest."
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
        settle += f"{beyond} that falls inside the law's prediction{_prediction(case)} would extend it; "
    return settle + _power_words(case)


def _prediction(case: Case) -> str:
    """State the prediction for one rung ten times the largest, on the same days; empty where data vary, since size
    alone then predicts nothing."""
    if case.support.sizes is not None or case.support.together:
        return ""
    size = 10.0 * case.points[-1].n_params
    (low,), (high,) = (ends.reshape(1).tolist() for ends in interval_at(case.fit, size, new_rung=True))
    if not (math.isfinite(high) and high < _LARGEST_TOLD * max(point.loss for point in case.points)):
        return ""
    return f" ({low:.4g} to {high:.4g} at {size_in_words(size)})"


def _lucky_fit(case: Case, claimed: float) -> str:
    """Warn where the rungs lie closer to their line than their own noise allows other than by luck, and the exponent
    that is claimed, or excluded, is below what this ladder can show."""
    fit, noise = case.fit, case.noise
    if noise <= fit.residual_sd:
        return ""
    least = detectable_alpha(Precision.of(fit, noise))
    if least <= abs(claimed):
        return ""
    more = "More seeds a rung" if any(point.replicated for point in case.points) else "Smaller standard errors"
    return (
        f" Read it with care: the standard errors of the rungs ({_percent(noise)} of the loss) exceed the rungs' "
        f"distances from the line ({_percent(fit.residual_sd)}), so the interval is narrower than this ladder can "
        f"promise, and an exponent below {exponent_in_words(least)} is found or excluded here by luck rather than by "
        f"design. {more} would confirm or undo it."
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g}%"


def _power_words(case: Case) -> str:
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
