"""The verdict on a ladder, with its reason and what would settle it: the first one that applies, in this order.

Every statement follows from the form that the points support (`tsladder.law.curve.forms`): the verdict, its reason, the
effect of a model ten times larger, and what would settle it. The sentences are in `verdicts_of_losses` and, for
rankings, whose readers think in RankIC, in `verdicts_of_rankings`.

Error rates. `scales` and `worse_with_size` are each given to 2.5 % of ladders without a law, and `flat` to at most that
share of ladders whose exponent is the one of interest: a rung's chosen configuration is a draw of the search's luck,
and so is the scatter that the interval is made from. Which of `flat` and `underpowered` a ladder without a law gets is
mostly luck at three degrees of freedom: `tsladder.law.evidence.repetition` says what the same study would find again,
and the reason says where rungs lie closer to their line than their seeds allow. `not_monotone`: see
`tsladder.law.evidence.neighbours`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.law_evidence import NeighbourContrast
from tsladder.law import verdicts_of_losses, verdicts_of_rankings
from tsladder.law.curve.forms import Form, Support
from tsladder.law.curve.overfit import steepest_side
from tsladder.law.evidence.neighbours import is_significant
from tsladder.law.next_runs import Cost
from tsladder.law.points import RungPoint, in_order
from tsladder.law.verdict_case import Case, Sentences, Verdict, VerdictName

__all__ = ["Verdict", "VerdictName", "judge"]


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
    ranks: bool = False,
    day_scatter: float = 0.0,
) -> Verdict:
    """Return the verdict on rung means and the form that they support.

    Verdicts that need unknown figures do not apply: without `has_skill` on every point there is no `no_skill`, without
    p-values in `contrasts` no `not_monotone`. `interest_option`: the setting that holds the exponent of interest.
    `outliers`: rungs that depart from the law of the others. `ranks`: the losses are rank errors, and the sentences
    speak of RankIC. `day_scatter`: relative variance of a rung mean by days that move each rung on its own. R squared
    plays no part: the sign, the interval and the power decide.
    """
    of_losses: Sentences = verdicts_of_losses
    words: Sentences = verdicts_of_rankings if ranks else of_losses
    if probes_failed:
        return Verdict(
            name=VerdictName.INVALID,
            reason=f"A probe for leaks failed ({'; '.join(probes_failed)}): these {words.FIGURES} may know the future.",
            settle="Find the leak that the probe points to and run the study again; no figure of this one counts.",
        )
    if support.power is None:
        return words.no_exponent(support)
    case = Case(
        points=in_order(points),
        support=support,
        fit=support.power,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        interest_option=interest_option,
        cost=cost,
        day_scatter=day_scatter,
    )
    if all(point.has_skill is False for point in case.points):
        return words.no_skill(case)
    low, high = support.power.alpha_ci
    if low > 0.0 or support.form is Form.FLOOR:
        return words.scales(case)
    if high < 0.0:
        return words.worse(case)
    if -alpha_of_interest < low and high < alpha_of_interest and _steepest_side(case) < alpha_of_interest:
        return words.flat(case)
    falls = [c for c in contrasts if is_significant(c, confidence) and c.difference < 0.0]
    rises = [c for c in contrasts if is_significant(c, confidence) and c.difference > 0.0]
    if support.form is Form.TURN or (falls and rises):
        return words.not_monotone(case, falls, rises)
    return words.underpowered(case, outliers)


def _steepest_side(case: Case) -> float:
    """Return the steeper side of a curve that is shown to turn, else 0: a fall and a rise that cancel are no flat
    ladder."""
    if case.support.form is not Form.TURN or case.support.overfit is None:
        return 0.0
    return steepest_side(case.support.overfit, case.points[0].n_params, case.points[-1].n_params)
