"""Evidence for each verdict: the fit, its rivals, the influential rungs and those that cannot be told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tsladder.artifacts.law import HorizonLaw
from tsladder.artifacts.law_evidence import InfluentialRung
from tsladder.artifacts.law_fits import ExcessLaw, closed
from tsladder.law.curve.forms import AICC_RUNGS, Form
from tsladder.law.evidence.detection import FEW_DOF, POWER
from tsladder.law.evidence.notes import CARRIES
from tsladder.report import law_tables, law_words, words
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, Table, or_sentence
from tsladder.report.facts import Facts

RESIDUALS = "residuals.png"


_COLUMNS = (
    "Alpha is that of the power law over the whole ladder, whatever form the rungs support. Interval: with both of its "
    "parts; beside it the half-width that each part would leave alone, a dash "
    f"where it is not known. Detectable from: the exponent that such a study finds in {100.0 * POWER:g} % of "
    f"repetitions, a range where the rungs leave fewer than {FEW_DOF} degrees of freedom."
)


_SLOPE = (
    "RankIC per tenfold: what a model of ten times the parameters gains, with its interval, at the ladder's reference "
    "size; it is alpha times 2.303 times the loss there, which is 1 - RankIC, so that both intervals lie on the same "
    "side of 0."
)


def law(facts: Facts) -> list[Block]:
    if facts.law is None:
        return []
    fits = law_tables.fits_table(facts)
    return [
        Heading(2, "The law"),
        *or_sentence(law_tables.law_table(facts), "No horizon has a verdict."),
        *(
            [Paragraph(f"{_SLOPE} {_COLUMNS}" if law_words.is_of_rankings(facts.law) else _COLUMNS)]
            if fits.rows
            else []
        ),
        *([fits] if fits.rows else []),
    ]


def support(facts: Facts, pictures: Collection[str]) -> list[Block]:
    """Return the evidence for each verdict; empty before a law has been fitted."""
    blocks: list[Block] = []
    for horizon, found in law_tables.horizons_with_law(facts):
        points = _points(facts, found)
        if points:
            blocks += [Heading(3, f"{facts.horizon(horizon)}: what supports the verdict"), Points(tuple(points))]
    blocks += [*_neighbours(facts), *_forms(facts), *_selection(facts), *_residuals(facts, pictures)]
    return [Heading(2, "What supports the verdicts"), *blocks] if blocks else []


def settle_options(facts: Facts) -> list[Block]:
    """Return what would settle each open verdict, and what that would cost."""
    points = [
        (facts.horizon(horizon), law.settle) for horizon, law in law_tables.horizons_with_law(facts) if law.settle
    ]
    if not points:
        return []
    ways = law_tables.settle_options_table(facts)
    return [Heading(2, "What would settle it"), Points(tuple(points)), *([ways] if ways.rows else [])]


def _points(facts: Facts, law: HorizonLaw) -> list[tuple[str, str]]:
    points = [
        ("Rungs that cannot be told from the best", _confidence_set(facts, law)),
        ("Neighbours that differ", _differing(facts, law)),
        ("Form that the rungs support", _choice(law)),
        ("With a floor, loss = E + A·N^-alpha", _floor(law)),
        ("Does the loss turn upwards", _overfit(law)),
        ("C and alpha of the power law together", _joint(law)),
        ("Rungs that do not belong to the power law of the others", _outliers(facts, law)),
        ("Rungs that carry the fit of the power law", _influential(law)),
        _distance(facts, law),
    ]
    return [(label, text) for label, text in points if text]


def _confidence_set(facts: Facts, law: HorizonLaw) -> str | None:
    found = law.confidence_set
    if found is None:
        return None
    out = [f"{cell} ({words.p_value(p)})" for cell, p in found.p_values.items() if cell not in found.members]
    about = "" if found.about is None else f", {found.about}"
    which = f"{words.listed(found.members)} (model confidence set at {words.level(facts.confidence)}{about})"
    return f"{which}; worse than these: {words.listed(out)}" if out else f"all of them: {which}"


def _differing(facts: Facts, law: HorizonLaw) -> str | None:
    if not law.neighbours:
        return None
    least, ranks = 1.0 - facts.confidence, law_words.is_of_rankings(facts.law)
    # A lower loss of a ranking is a higher RankIC.
    apart = [
        f"{pair.larger} {'below' if (pair.difference < 0.0) != ranks else 'above'} {pair.smaller} by "
        f"{words.number(abs(pair.difference))} ± {words.number(pair.se)} ({words.p_value(pair.p_holm)})"
        for pair in law.neighbours
        if pair.p_holm is not None and pair.p_holm < least and pair.difference is not None
    ]
    return words.listed(apart) if apart else f"none of {words.counted(len(law.neighbours), 'pair')}"


def _choice(law: HorizonLaw) -> str | None:
    choice = law.model_choice
    if choice.preferred == Form.FLOOR:
        # The table row of the floor has the other figures.
        return f"{words.form(choice.preferred)}: a law without a floor fits significantly worse"
    return _with_reason(words.form(choice.preferred), choice.reason)


def _floor(law: HorizonLaw) -> str | None:
    floor = law.fits.power_floor
    if floor is None:
        return None
    if floor.bends and law.form == Form.TURN:
        return "not supported: the curve that turns upwards leaves less of the losses than a law above a floor does"
    of_floor = closed(floor.E_ci)
    ends = "" if of_floor is None else f" (interval {of_floor[0]:.4g} to {of_floor[1]:.4g})"
    if floor.identified:
        alpha = words.exponent(floor.alpha)
        if (of_alpha := closed(floor.alpha_ci)) is not None:
            alpha += f" (interval {words.exponents(of_alpha)}, of the rungs)"
        return f"E = {words.short(floor.E)}{ends}, A = {words.short(floor.A)}, alpha above the floor = {alpha}"
    if floor.bends:
        return (
            f"there is a floor, since a law without one fits significantly worse, but its interval{ends} is too wide "
            "to give it, or an exponent above it, as a figure"
        )
    return floor.reason


def _overfit(law: HorizonLaw) -> str | None:
    overfit = law.fits.overfit
    if overfit is None:
        return None
    statement = "yes" if overfit.turns else "not shown"
    if overfit.turns_at_n is not None:
        statement += f"; the fitted turn lies at {words.size(overfit.turns_at_n)} parameters, interval "
        ends = closed(overfit.turns_at_ci)
        statement += "without two ends" if ends is None else f"{words.size(ends[0])} to {words.size(ends[1])}"
    statement += f" ({overfit.form})"
    return _with_reason(statement, overfit.reason)


def _joint(law: HorizonLaw) -> str | None:
    region, power = law.joint_region, law.fits.power
    if region is None or region.C_ends is None:
        return None
    statement = (
        f"{words.level(region.confidence)} region: alpha {words.exponents(region.alpha_ends)} and C "
        f"{_span_of_C(region.C_ends)}, where a larger alpha goes with a larger C, so neither says much alone"
    )
    if region.loss_ends is not None and power is not None:
        statement += (
            f"; what they agree on is the loss at {words.size(power.reference_n)} parameters, "
            f"{words.number(power.loss_at_reference)}, in the same region {words.interval(region.loss_ends)}"
        )
    return statement


def _span_of_C(ends: tuple[float, float | None]) -> str:
    low, high = ends
    return f"from {words.short(low)} without an end" if high is None else f"{words.short(low)} to {words.short(high)}"


def _outliers(facts: Facts, law: HorizonLaw) -> str | None:
    return _named(
        (rung, f"{words.p_value(rung.p_outlier)}, Bonferroni")
        for rung in law.influential
        if rung.p_outlier is not None and rung.p_outlier < 1.0 - facts.confidence
    )


def _influential(law: HorizonLaw) -> str | None:
    return _named(
        (rung, f"Cook's distance {words.number(rung.cooks_distance, 2)}")
        for rung in law.influential
        if rung.cooks_distance is not None and rung.cooks_distance > CARRIES
    )


def _named(rungs: Iterable[tuple[InfluentialRung, str]]) -> str | None:
    statement = [
        f"{rung.cell} ({why}; without it alpha is {words.exponent(rung.alpha_without)})" for rung, why in rungs
    ]
    return "; ".join(statement) or None


def _distance(facts: Facts, law: HorizonLaw) -> tuple[str, str | None]:
    """Return the distance to the best simple forecast, in loss or RankIC."""
    if law_words.is_of_rankings(facts.law):
        return "Distance to the best baseline", None if law.excess is None else law_words.distance_to_best(law.excess)
    return "Loss above the best simple forecast", None if law.excess is None else _excess(law.excess)


def _excess(excess: ExcessLaw) -> str:
    name = words.forecast(excess.baseline)
    statement = f"against {name} (loss {words.number(excess.baseline_loss)})"
    if excess.slope_per_tenfold is not None:
        statement += (
            f", the excess changes by {words.signed(excess.slope_per_tenfold)} for ten times the parameters, interval "
            f"of the rungs {words.interval(closed(excess.slope_ci))}"
        )
    if excess.power is not None:
        statement += (
            f"; as a power of N the excess has alpha {words.exponent(excess.power.alpha)}, interval of the rungs "
            f"{words.exponents(closed(excess.power.alpha_ci))}"
        )
    return _with_reason(statement, excess.reason)


def _with_reason(statement: str, reason: str) -> str:
    """Join a statement and its reason; a reason that begins with the statement stands alone."""
    if not reason or reason.startswith(statement):
        return reason or statement
    return f"{statement}: {reason}"


def _neighbours(facts: Facts) -> list[Block]:
    pairs = law_tables.neighbours_table(facts)
    if not pairs.rows:
        return []
    difference = "loss of the larger rung less that of the smaller, on the same days; below 0 the larger one is better"
    if law_words.is_of_rankings(facts.law):
        difference = (
            "RankIC of the larger rung less that of the smaller, on the same days; above 0 the larger one is better"
        )
    return [
        Heading(3, "Neighbouring rungs, paired by day"),
        pairs,
        Paragraph(f"Difference: {difference}. The p-value is corrected for the number of pairs of its horizon (Holm)."),
    ]


def _forms(facts: Facts) -> list[Block]:
    forms: Table = law_tables.forms_table(facts)
    if not forms.rows:
        return []
    return [
        Heading(3, "Forms of the law"),
        forms,
        Paragraph(
            f"AICc is given from {AICC_RUNGS} rungs on, where a lower one describes the rungs better for its number of "
            "parameters. It decides nothing: the supported form is the one that the tests of the verdict show at its "
            "confidence, so that form and verdict cannot disagree, and a form with a lower AICc is not shown by that "
            "measure. A dash: the form could not be fitted."
        ),
    ]


def _selection(facts: Facts) -> list[Block]:
    alphas = law_tables.selection_table(facts)
    if not alphas.rows:
        return []
    points = [
        (facts.horizon(horizon), found.selection.words)
        for horizon, found in law_tables.horizons_with_law(facts)
        if found.selection is not None and found.selection.words
    ]
    return [
        Heading(3, "Does alpha hang on the number of trials"),
        alphas,
        Paragraph(
            "A rung enters the law with the best of its trials. Best of k: the expected validation loss of the best "
            "of k of a rung's recorded trials. An alpha that moves with k may move further with more trials. "
            "Change: alpha at the largest k less that at the mean trial, its interval and p over rungs. These are "
            "validation losses of searches, so their level is not that of the law; what counts is whether they move."
        ),
        *([Points(tuple(points))] if points else []),
    ]


def _residuals(facts: Facts, pictures: Collection[str]) -> list[Block]:
    if facts.law is None:
        return []
    blocks: list[Block] = [Heading(3, "Residuals of the power law")]
    if RESIDUALS not in pictures:
        return [*blocks, Paragraph("No horizon has a power law, so there are no residuals to show.")]
    others = [
        f"{facts.horizon(horizon)} ({words.form(found.form)})"
        for horizon, found in law_tables.horizons_with_law(facts)
        if found.alpha is not None and found.form in (Form.FLOOR, Form.TURN)
    ]
    return [
        *blocks,
        Picture(RESIDUALS, "Measured loss against the power law, one panel per horizon"),
        Paragraph(
            "Filled: how far each rung lies from the power law that was fitted to it, with one standard error over "
            "seeds. Hollow: how far it lies from that of the other rungs; at the top rung, what an extrapolation from "
            "the smaller ones would have missed by. Shaded: one sd of the residuals, of a rung of mean weight."
        ),
        *(
            [Paragraph(f"The rungs support another form, so a pattern is to be expected here: {words.listed(others)}.")]
            if others
            else []
        ),
    ]
