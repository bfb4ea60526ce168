"""Tables that support the verdicts: fits, functional forms, neighbouring rungs, ways to settle an open
verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tsladder.artifacts.law import HorizonLaw
from tsladder.artifacts.law_fits import PowerLaw, closed
from tsladder.report import law_words, words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import Facts

COUNTS = (("n_params_blocks", "alpha on N blocks"), ("n_params_body", "alpha on N body"))


def law_table(facts: Facts) -> Table:
    """Return one row per horizon that has a verdict, with its exponent."""
    rows = [
        (
            words.days(horizon),
            law.verdict,
            str(law.rungs),
            words.exponent(law.alpha),
            words.exponents(law.alpha_ci),
            law_words.half_width(law.alpha_ci_rungs),
            law_words.half_width(law.alpha_ci_days),
            law_words.detectable(law),
            *(words.exponent(_alpha_of(law.power_by_count.get(name))) for name, _ in COUNTS),
        )
        for horizon, law in horizons_with_law(facts)
    ]
    return table(
        "law",
        "The exponent of each horizon",
        text=("horizon", "verdict"),
        numbers=("rungs", "alpha", "interval", *law_words.PARTS, "detectable from", *(title for _, title in COUNTS)),
        rows=rows,
    )


def fits_table(facts: Facts) -> Table:
    """Return one row per horizon with a power law: how well it describes the rungs, and those it was not fitted to."""
    rows = [
        (
            words.days(horizon),
            words.number(power.r2, 3),
            words.size(power.reference_n),
            words.number(power.loss_at_reference),
            words.interval(closed(power.loss_at_reference_ci)),
            words.signed_percent(max(law.left_out_errors.values(), key=abs, default=None)),
            words.signed_percent(None if law.extrapolation is None else law.extrapolation.error),
        )
        for horizon, law in horizons_with_law(facts)
        if (power := law.fits.power) is not None
    ]
    numbers = (
        "R²",
        "reference N",
        "loss there",
        "its interval, of the rungs",
        "worst error of a rung left out",
        "error of the top rung left out",
    )
    return table("fits", "How well a power law describes the rungs", text=("horizon",), numbers=numbers, rows=rows)


def settle_options_table(facts: Facts) -> Table:
    """Return one row per way to settle an open verdict."""
    rows = [
        (words.days(horizon), law.verdict, way.what, way.words, words.duration(way.estimated_seconds))
        for horizon, law in horizons_with_law(facts)
        for way in law.settle_options
    ]
    return table(
        "settling",
        "Ways to settle an open verdict",
        text=("horizon", "verdict", "more", "how many"),
        numbers=("time on one core",),
        rows=rows,
    )


def _alpha_of(power: PowerLaw | None) -> float | None:
    return None if power is None else power.alpha


def horizons_with_law(facts: Facts) -> Iterator[tuple[int, HorizonLaw]]:
    """Yield horizon and law of every horizon that has one."""
    for horizon in facts.params.horizons:
        if (law := facts.law_of(horizon)) is not None:
            yield horizon, law


def forms_table(facts: Facts) -> Table:
    """Return the AICc of each functional form, one row per horizon on which any form has one."""
    rows = []
    for horizon, law in horizons_with_law(facts):
        choice = law.model_choice
        if any(value is not None for value in choice.aicc.values()):
            figures = [words.number(choice.aicc.get(form), 2) for form in words.FORMS]
            rows.append([words.days(horizon), *figures, words.form(choice.preferred)])
    forms = tuple(words.FORMS.values())
    return table("forms", "AICc of each form", text=("horizon",), numbers=forms, after=("supported",), rows=rows)


def selection_table(facts: Facts) -> Table:
    """Return the exponent by the number of trials that a rung may choose from, one row per horizon for which it is
    known."""
    found = [(horizon, law.selection) for horizon, law in horizons_with_law(facts) if law.selection is not None]
    counts = sorted({k for _, selection in found for k in selection.alphas})
    rows = [
        (
            words.days(horizon),
            *(words.signed(selection.alphas.get(k)) for k in counts),
            words.signed(selection.change),
            words.interval(closed(selection.change_ci)),
            words.chance(selection.p),
        )
        for horizon, selection in found
    ]
    titles = ["mean trial" if k == 1 else f"best of {k}" for k in counts]
    return table(
        "selection",
        "Alpha of the searches' validation losses",
        text=("horizon",),
        numbers=(*titles, "change", "its interval, of the rungs", "p"),
        rows=rows,
    )


def neighbours_table(facts: Facts) -> Table:
    """Return one row per pair of neighbouring rungs, horizon by horizon."""
    return table(
        "neighbours",
        "Each rung against the next",
        text=("horizon", "smaller", "larger"),
        numbers=("difference", "standard error", "relative", "p, corrected"),
        after=("noise counted",),
        rows=[row for horizon, law in horizons_with_law(facts) for row in _neighbour_rows(horizon, law)],
    )


def _neighbour_rows(horizon: int, law: HorizonLaw) -> list[list[str]]:
    return [
        [
            words.days(horizon),
            pair.smaller,
            pair.larger,
            words.signed(pair.difference),
            words.number(pair.se),
            words.signed_percent(pair.relative),
            words.chance(pair.p_holm),
            pair.noise or words.MISSING,
        ]
        for pair in law.neighbours
    ]
