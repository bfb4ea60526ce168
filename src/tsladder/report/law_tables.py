"""The tables that support the verdicts: fits, forms, neighbours. Pure."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Column, Table, table
from tsladder.report.facts import Facts
from tsladder.report.law_facts import LawFacts

COUNTS = (("n_params_blocks", "alpha on N blocks"), ("n_params_body", "alpha on N body"))


def law_table(facts: Facts) -> Table:
    """One row a horizon that has a verdict."""
    numbers = (
        "rungs",
        "alpha",
        "interval",
        "detectable from",
        *(title for _, title in COUNTS),
        "R²",
        "reference N",
        "loss there",
        "its interval",
        "worst error of a rung left out",
        "error of the top rung left out",
    )
    rows = []
    for horizon in facts.params.horizons:
        law = facts.law_of(horizon)
        if law is None:
            continue
        rows.append(
            (
                words.days(horizon),
                law.verdict,
                str(law.rungs),
                words.number(law.alpha),
                words.interval(law.alpha_ci),
                words.number(law.minimum_detectable_alpha),
                *(words.number(law.alpha_by_count.get(name)) for name, _ in COUNTS),
                words.number(law.r2, 3),
                words.size(law.reference_n),
                words.number(law.loss_at_reference),
                words.interval(law.loss_at_reference_ci),
                words.signed_percent(law.worst_left_out),
                words.signed_percent(law.extrapolation_error),
            )
        )
    columns = (Column("horizon"), Column("verdict"), *(Column(title, numeric=True) for title in numbers))
    return Table(columns, tuple(rows))


def forms_table(facts: Facts) -> Table:
    """AICc of each form, one row a horizon on which any form has one."""
    rows = []
    for horizon in facts.params.horizons:
        law = facts.law_of(horizon)
        choice = law.model_choice if law is not None else None
        if choice is not None and any(value is not None for value in choice.aicc.values()):
            figures = [words.number(choice.aicc.get(form), 2) for form in words.FORMS]
            rows.append([words.days(horizon), *figures, words.form(choice.preferred)])
    return table(("horizon",), tuple(words.FORMS.values()), rows, after=("preferred",))


def neighbours_table(facts: Facts) -> Table:
    """Every pair of neighbouring rungs, horizon by horizon."""
    rows = []
    for horizon in facts.params.horizons:
        law = facts.law_of(horizon)
        rows += _neighbour_rows(law) if law is not None else []
    numbers = ("difference", "standard error", "relative", "p, corrected")
    return table(("horizon", "smaller", "larger"), numbers, rows, after=("noise counted",))


def _neighbour_rows(law: LawFacts) -> list[list[str]]:
    return [
        [
            words.days(law.horizon),
            pair.smaller,
            pair.larger,
            words.signed(pair.difference),
            words.number(pair.se),
            words.signed_percent(pair.relative),
            words.short(pair.p),
            pair.noise or words.MISSING,
        ]
        for pair in law.neighbours
    ]
