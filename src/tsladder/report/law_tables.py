"""The tables that support the verdicts: fits, forms, neighbours, what would settle them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tsladder.report import law_words, words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import Facts
from tsladder.report.law_facts import LawFacts

COUNTS = (("n_params_blocks", "alpha on N blocks"), ("n_params_body", "alpha on N body"))


def law_table(facts: Facts) -> Table:
    """One row a horizon that has a verdict: its exponent."""
    rows = [
        (
            words.days(law.horizon),
            law.verdict,
            str(law.rungs),
            words.exponent(law.alpha),
            words.exponents(law.alpha_ci),
            law_words.reach(law.alpha_ci_rungs),
            law_words.reach(law.alpha_ci_days),
            law_words.detectable(law),
            *(words.exponent(law.alpha_by_count.get(name)) for name, _ in COUNTS),
        )
        for law in judged(facts)
    ]
    return table(
        "law",
        "The exponent of each horizon",
        text=("horizon", "verdict"),
        numbers=("rungs", "alpha", "interval", *law_words.PARTS, "detectable from", *(title for _, title in COUNTS)),
        rows=rows,
    )


def fits_table(facts: Facts) -> Table:
    """One row a horizon with a power law: how well it describes the rungs, and those it was not fitted to."""
    rows = [
        (
            words.days(law.horizon),
            words.number(law.r2, 3),
            words.size(law.reference_n),
            words.number(law.loss_at_reference),
            words.interval(law.loss_at_reference_ci),
            words.signed_percent(law.worst_left_out),
            words.signed_percent(law.extrapolation_error),
        )
        for law in judged(facts)
        if law.alpha is not None
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


def settling_table(facts: Facts) -> Table:
    """One row a way to settle an open verdict."""
    rows = [
        (words.days(law.horizon), law.verdict, way.what, way.words, words.duration(way.seconds))
        for law in judged(facts)
        for way in law.ways_to_settle
    ]
    return table(
        "settling",
        "Ways to settle an open verdict",
        text=("horizon", "verdict", "more", "how many"),
        numbers=("time on one core",),
        rows=rows,
    )


def judged(facts: Facts) -> Iterator[LawFacts]:
    for horizon in facts.params.horizons:
        if (law := facts.law_of(horizon)) is not None:
            yield law


def forms_table(facts: Facts) -> Table:
    """AICc of each form, one row a horizon on which any form has one."""
    rows = []
    for law in judged(facts):
        choice = law.model_choice
        if choice is not None and any(value is not None for value in choice.aicc.values()):
            figures = [words.number(choice.aicc.get(form), 2) for form in words.FORMS]
            rows.append([words.days(law.horizon), *figures, words.form(choice.preferred)])
    forms = tuple(words.FORMS.values())
    return table("forms", "AICc of each form", text=("horizon",), numbers=forms, after=("supported",), rows=rows)


def selection_table(facts: Facts) -> Table:
    """The exponent by how many trials a rung may choose from, one row a horizon whose trials tell it."""
    found = [(law, law.selection) for law in judged(facts) if law.selection is not None]
    counts = sorted({k for _, selection in found for k in selection.alphas})
    rows = [
        (
            words.days(law.horizon),
            *(words.signed(selection.alphas.get(k)) for k in counts),
            words.signed(selection.change),
            words.interval(selection.change_ci),
            words.chance(selection.p),
        )
        for law, selection in found
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
    """Every pair of neighbouring rungs, horizon by horizon."""
    return table(
        "neighbours",
        "Each rung against the next",
        text=("horizon", "smaller", "larger"),
        numbers=("difference", "standard error", "relative", "p, corrected"),
        after=("noise counted",),
        rows=[row for law in judged(facts) for row in _neighbour_rows(law)],
    )


def _neighbour_rows(law: LawFacts) -> list[list[str]]:
    return [
        [
            words.days(law.horizon),
            pair.smaller,
            pair.larger,
            words.signed(pair.difference),
            words.number(pair.se),
            words.signed_percent(pair.relative),
            words.chance(pair.p),
            pair.noise or words.MISSING,
        ]
        for pair in law.neighbours
    ]
