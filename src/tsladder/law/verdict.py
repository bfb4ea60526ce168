"""One verdict for a ladder, with its reason and what would settle it. The first that applies, in this order.

How sure they are. `scales` and `worse_with_size` are each said of 2.5 % of ladders without a law, and `flat` of at
most 2.5 % of those whose exponent is the one of interest: a rung's chosen configuration is a draw of the search's luck,
and so is the scatter that the interval is made from. Which of `flat` and `underpowered` a ladder without a law gets is
mostly luck at three degrees of freedom: `tsladder.law.repetition` says what the same study would find again, and the
reason says where rungs lie closer to their line than their seeds allow. `not_monotone`: see `tsladder.law.neighbours`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tsladder.law.detection import detectable_alpha
from tsladder.law.fit import PowerFit
from tsladder.law.neighbours import Contrast
from tsladder.law.points import RungPoint, in_order, size_in_words
from tsladder.law.settling import Cost, Option, in_words, rung_noise, settle_options

_BEYOND_WORDS = 700.0
"""Log of a change so large that floats end."""


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
    """`reason` says why in numbers; `settle` what would confirm, sharpen or overturn it, and `options` the same as data
    where it is more seeds or rungs."""

    name: VerdictName
    reason: str
    settle: str
    options: tuple[Option, ...] = ()


def judge(
    points: Sequence[RungPoint],
    fit: PowerFit | None,
    *,
    alpha_of_interest: float,
    confidence: float = 0.95,
    contrasts: Sequence[Contrast] = (),
    probes_failed: Sequence[str] = (),
    cost: Cost | None = None,
    turns_at_n: float | None = None,
) -> Verdict:
    """The verdict on rung means and their power fit (`fit_power`; None below three sizes).

    What is not known does not apply: without `has_skill` on every point there is no `no_skill`, without p-values in
    `contrasts` no `not_monotone`. `turns_at_n`: where the rungs follow the over-fitting form, of which no
    verdict knows, so the reason says it. R squared plays no part: the sign, the interval and the power decide.
    """
    verdict = _judge(in_order(points), fit, alpha_of_interest, confidence, contrasts, probes_failed, cost)
    if turns_at_n is None or fit is None:
        return verdict
    at = size_in_words(turns_at_n)
    turn = (
        f"But these rungs follow a curve that falls up to about {at} and rises beyond: no single exponent describes it."
    )
    return dataclasses.replace(verdict, reason=f"{verdict.reason} {turn}")


def _judge(
    points: Sequence[RungPoint],
    fit: PowerFit | None,
    alpha_of_interest: float,
    confidence: float,
    contrasts: Sequence[Contrast],
    probes_failed: Sequence[str],
    cost: Cost | None,
) -> Verdict:
    if probes_failed:
        return Verdict(
            name=VerdictName.INVALID,
            reason=f"A probe for leaks failed ({'; '.join(probes_failed)}): these losses may know the future.",
            settle="Find the leak that the probe points to and run the study again; no figure of this one counts.",
        )
    if fit is None:
        return _too_few(points)
    if all(point.has_skill is False for point in points):
        return _no_skill(points, fit, confidence)
    low, high = fit.alpha_ci
    if low > 0.0 or high < 0.0:
        return _signed(points, fit)
    if -alpha_of_interest < low and high < alpha_of_interest:
        return _flat(points, fit, alpha_of_interest)
    falls = [c for c in contrasts if _significant(c, confidence) and c.difference < 0.0]
    rises = [c for c in contrasts if _significant(c, confidence) and c.difference > 0.0]
    if falls and rises:
        return _not_monotone(points, fit, falls, rises, cost)
    return _underpowered(points, fit, alpha_of_interest, cost)


def _significant(contrast: Contrast, confidence: float) -> bool:
    return contrast.p_holm is not None and contrast.p_holm < 1.0 - confidence


def _too_few(points: Sequence[RungPoint]) -> Verdict:
    sizes = len({point.n_params for point in points})
    missing = max(1, 3 - sizes)
    has = {0: "No rung has", 1: "Only one size has", 2: "Only two sizes have"}.get(sizes)
    told = f"{has} a loss" if has else f"The {sizes} sizes are one within rounding"
    return Verdict(
        name=VerdictName.TOO_FEW_RUNGS,
        reason=f"{told}. A line through fewer than three has no error to judge it by, so no exponent is given.",
        settle=f"At least {missing} more rung{'s' if missing > 1 else ''}; four or five, spread over two orders of "
        "magnitude or more, give the verdict some power.",
        options=(
            Option(what="rungs", seeds=None, rungs=None, words=f"at least {missing} more rung{'s'[: missing - 1]}"),
        ),
    )


def _no_skill(points: Sequence[RungPoint], fit: PowerFit, confidence: float) -> Verdict:
    best = min(points, key=lambda point: point.loss)
    against = [loss for loss in (best.base_rate_loss, best.own_rate_loss) if loss is not None]
    constant = f" against {min(against):.4f} for the best constant" if against else ""
    return Verdict(
        name=VerdictName.NO_SKILL,
        reason=f"None of the {len(points)} rungs beats a constant forecast with {confidence:.0%} confidence; the "
        f"lowest loss is {best.loss:.4f} ({best.cell}){constant}. {_estimate(fit)} describes models that show nothing "
        "learned.",
        settle="Not larger models: first a rung that beats the constant, from other features, another target or more "
        "days. More test days would tell a small skill from none.",
    )


def _signed(points: Sequence[RungPoint], fit: PowerFit) -> Verdict:
    tenfold = math.expm1(min(-fit.alpha * math.log(10.0), _BEYOND_WORDS))
    smallest, largest = size_in_words(points[0].n_params), size_in_words(points[-1].n_params)
    settle = f"The sign holds for {smallest} to {largest}. A rung above {largest} that falls inside the law's "
    settle += "prediction would extend it; " + _power_words(points, fit)
    caution = _lucky_fit(points, fit, fit.alpha)
    if fit.alpha > 0.0:
        reason = f"The loss falls as models grow: {_estimate(fit)}, wholly above 0, on {fit.n_rungs} rungs. "
        reason += f"A model ten times larger has a loss {-tenfold:.1%} lower.{caution}"
        return Verdict(name=VerdictName.SCALES, reason=reason, settle=settle)
    reason = f"The loss rises as models grow: {_estimate(fit)}, wholly below 0, on {fit.n_rungs} rungs. "
    reason += f"A model ten times larger has a loss {tenfold:.1%} higher.{caution}"
    settle += " To learn why: more training data or stronger regularisation on the largest rungs."
    return Verdict(name=VerdictName.WORSE_WITH_SIZE, reason=reason, settle=settle)


def _flat(points: Sequence[RungPoint], fit: PowerFit, alpha_of_interest: float) -> Verdict:
    return Verdict(
        name=VerdictName.FLAT,
        reason=f"Size makes no difference worth having: {_estimate(fit)} lies inside ±{alpha_of_interest:g}. "
        f"A model ten times larger changes the loss by less than {10.0**alpha_of_interest - 1.0:.1%}."
        + _lucky_fit(points, fit, alpha_of_interest),
        settle=f"Settled for exponents of {alpha_of_interest:g} and more. To find a smaller one, "
        f"lower law.alpha_of_interest and add rungs or seeds; {_power_words(points, fit)}",
    )


def _not_monotone(
    points: Sequence[RungPoint],
    fit: PowerFit,
    falls: Sequence[Contrast],
    rises: Sequence[Contrast],
    cost: Cost | None,
) -> Verdict:
    def tell(contrasts: Sequence[Contrast]) -> str:
        return ", ".join(f"{c.smaller} to {c.larger} {c.relative:+.1%} (p = {c.p_holm:.2g})" for c in contrasts)

    days_only = any(c.noise == "days" for c in (*falls, *rises))
    caution = " With one seed a rung this holds for these trained models, not yet for their sizes." if days_only else ""
    turning = sorted({c.larger for c in (*falls, *rises)} & {c.smaller for c in (*falls, *rises)})
    rungs = f" ({', '.join(turning)})" if turning else ""
    turned = [point for point in points if point.cell in turning] or list(points)
    now = max(1, max(len(point.seeds) for point in turned))
    option = Option(
        what="seeds",
        seeds=2 * now,
        rungs=None,
        words=f"{2 * now} seeds on the rungs where the curve turns{rungs}",
        estimated_seconds=None if cost is None else cost.more_seeds([point.n_params for point in turned], now),
    )
    return Verdict(
        name=VerdictName.NOT_MONOTONE,
        reason=f"The loss neither falls nor rises throughout. It falls: {tell(falls)}. It rises: {tell(rises)}. "
        f"A single exponent ({_estimate(fit)}) does not describe this.{caution}",
        settle=f"Search and retrain the rungs where the curve turns{rungs} with more trials and seeds: if the turn "
        "stays, it is the models' own and no power law holds here.",
        options=(option,),
    )


def _underpowered(points: Sequence[RungPoint], fit: PowerFit, alpha_of_interest: float, cost: Cost | None) -> Verdict:
    low, high = fit.alpha_ci
    both = low <= -alpha_of_interest and high >= alpha_of_interest
    options = settle_options(points, fit, alpha_of_interest=alpha_of_interest, cost=cost)
    return Verdict(
        name=VerdictName.UNDERPOWERED,
        reason=f"Neither a law nor its absence is shown: {_estimate(fit)} contains 0 and reaches "
        f"{'beyond' if both else 'past one end of'} ±{alpha_of_interest:g}. With {fit.n_rungs} rungs ({fit.dof} "
        f"degree{'s' if fit.dof > 1 else ''} of freedom) {_power_words(points, fit)}",
        settle=in_words(options, alpha_of_interest),
        options=options,
    )


def _estimate(fit: PowerFit) -> str:
    low, high = fit.alpha_ci
    return f"alpha = {fit.alpha:.4f} ({fit.confidence:.0%} interval {low:.4f} to {high:.4f})"


def _lucky_fit(points: Sequence[RungPoint], fit: PowerFit, claimed: float) -> str:
    """A warning where the rungs lie closer to their line than their own noise allows them to lie but by luck, and the
    exponent that is claimed, or excluded, is below what this ladder can show."""
    noise = rung_noise(points, fit)
    if noise is None or noise <= fit.residual_sd:
        return ""
    least = detectable_alpha(fit, noise)
    if least <= abs(claimed):
        return ""
    return (
        f" Read it with care: the seeds of a rung differ by more ({noise:.1%} of the loss) than the rungs differ from "
        f"the line ({fit.residual_sd:.1%}), so the interval is narrower than this ladder can promise, and an exponent "
        f"below {least:.4f} is found or excluded here by luck rather than by design. More seeds a rung would confirm "
        "or undo it."
    )


def _power_words(points: Sequence[RungPoint], fit: PowerFit) -> str:
    least = detectable_alpha(fit, rung_noise(points, fit) or 0.0)
    return f"this ladder finds an exponent of {least:.4f} or more in four studies out of five."
