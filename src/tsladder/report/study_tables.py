"""The tables that tell about the study as a whole: its law, days, data and environment. Pure."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.facts import Facts
from tsladder.report.tables import Column, Table

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
                words.count(None if law.reference_n is None else round(law.reference_n)),
                words.number(law.loss_at_reference),
                words.interval(law.loss_at_reference_ci),
                _signed(law.worst_left_out),
                _signed(law.extrapolation_error),
            )
        )
    columns = (Column("horizon"), Column("verdict"), *(Column(title, numeric=True) for title in numbers))
    return Table(columns, tuple(rows))


def _signed(error: float | None) -> str:
    return words.MISSING if error is None else f"{100.0 * error:+.1f} %"


def splits_table(facts: Facts) -> Table:
    rows = []
    for split in facts.splits:
        for region, days in split.regions.items():
            span = words.MISSING
            if days.first_day is not None and days.last_day is not None:
                span = f"{days.first_day} to {days.last_day}"
            row = (
                words.days(split.horizon),
                region,
                words.count(days.windows),
                words.count(days.positives),
                words.percent(days.base_rate),
                span,
            )
            rows.append(row)
    numbers = (Column(title, numeric=True) for title in ("windows", "positives", "base rate"))
    return Table((Column("horizon"), Column("region"), *numbers, Column("windows end on")), tuple(rows))


def environment_table(facts: Facts) -> Table:
    environment = facts.environment
    rows = [("Python", environment.python), *environment.packages.items()]
    return Table((Column("software"), Column("version")), tuple(rows))


def fingerprints_table(facts: Facts) -> Table:
    rows = tuple(facts.environment.fingerprints.items())
    return Table((Column("of"), Column("fingerprint")), rows)
