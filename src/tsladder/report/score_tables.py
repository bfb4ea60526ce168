"""The tables of what each cell scored on the test region: intervals, skill, decisions, calibration. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import CellFacts, Facts
from tsladder.report.score_facts import Estimate, RegionFacts

METRICS = (
    ("log_loss", "log loss", 4),
    ("brier", "Brier", 4),
    ("auc", "AUC", 3),
    ("average_precision", "average precision", 3),
    ("ece", "ECE", 3),
)
"""Metric, title, decimals."""


def scored(facts: Facts) -> Iterator[tuple[CellFacts, RegionFacts]]:
    """Cells with their test scores, horizon by horizon, smallest rung first."""
    for horizon in facts.params.horizons:
        for cell in facts.of_horizon(horizon):
            if cell.test is not None:
                yield cell, cell.test


def intervals_table(facts: Facts) -> Table:
    """Every metric with its interval and the effective number of windows behind it."""
    rows = []
    for cell, test in scored(facts):
        row = [str(cell.cell), words.count(test.windows)]
        for metric, _, digits in METRICS:
            row.append(_with_sample(test.estimate(metric), digits))
        rows.append(row)
    return table(("cell",), ("windows", *(title for _, title, _ in METRICS)), rows)


def _with_sample(estimate: Estimate | None, digits: int) -> str:
    text = words.estimate(estimate, digits)
    if estimate is None or estimate.effective_n is None:
        return text
    return f"{text} [{estimate.effective_n:,.0f}]"


def skill_table(facts: Facts) -> Table:
    """Skill of each cell against each simpler forecast, the names in the order of `words.FORECASTS`."""
    found = {name for _, test in scored(facts) for name in test.skill_against}
    names = words.forecasts_in_order(found)
    rows = [
        [
            str(cell.cell),
            *(words.skill(test.skill_against.get(name)) for name in names),
            ", ".join(words.forecast(name) for name in test.beaten_by) or "none",
        ]
        for cell, test in scored(facts)
        if test.skill_against
    ]
    return table(("cell",), [words.forecast(name) for name in names], rows, after=("beaten by",))


def decisions_table(facts: Facts) -> Table:
    """Yes-or-no forecasts at the threshold chosen on validation."""
    rows = []
    for cell, test in scored(facts):
        if (decision := test.decision) is not None:
            criterion = (decision.criterion or words.MISSING).replace("_", " ")
            shares = (
                decision.accuracy,
                decision.balanced_accuracy,
                decision.precision,
                decision.recall,
                decision.f1,
            )
            figures = [words.number(value, 3) for value in (decision.threshold, *shares)]
            rows.append([str(cell.cell), criterion, *figures, words.percent(test.base_rate)])
    numbers = ("threshold", "accuracy", "balanced accuracy", "precision", "recall", "F1", "base rate")
    return table(("cell", "threshold chosen for"), numbers, rows)


def calibration_table(facts: Facts) -> Table:
    """Expected calibration error, and what one temperature fitted on validation would make of it."""
    rows = []
    for cell, test in scored(facts):
        ece, temperature = test.estimate("ece"), test.temperature
        if ece is None and temperature is None:
            continue
        after = temperature.log_loss if temperature else None
        before = test.mean.log_loss
        change = None if after is None or before is None else after - before
        rows.append(
            [
                str(cell.cell),
                words.estimate(ece, 3),
                words.number(temperature.value if temperature else None, 2),
                words.number(before),
                words.number(after),
                words.signed(change),
                words.number(temperature.ece if temperature else None, 3),
            ]
        )
    numbers = ("ECE", "temperature", "log loss", "log loss with it", "change", "ECE with it")
    return table(("cell",), numbers, rows)
