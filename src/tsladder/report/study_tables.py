"""Tables on the study as a whole: its days, data, environment and the stages that span several cells. Pure."""

from __future__ import annotations

from tsladder.artifacts.ending import Ending
from tsladder.artifacts.supplementary import SupplementSummary
from tsladder.artifacts.transfer import Transfer
from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import SeriesFacts, SupplementFacts
from tsladder.tasks import load as load_task
from tsladder.vocabulary import Cell


def splits_table(facts: SeriesFacts) -> Table:
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
    return table(
        "splits",
        "Windows of each region",
        text=("horizon", "region"),
        numbers=("windows", *load_task(facts.params.target.task).words.positives),
        after=("windows end on",),
        rows=rows,
    )


def transfer_table(transfer: Transfer) -> Table:
    """Return one row per rung and pair of horizons."""
    rows = []
    for winner in transfer.regrets:
        remark = "the same configuration" if winner.same else winner.reason or ""
        low, high = winner.low, winner.high
        row = (
            winner.budget,
            words.days(winner.source),
            words.days(winner.horizon),
            words.signed_percent(winner.relative),
            words.MISSING
            if low is None or high is None
            else f"{words.signed_percent(low)} to {words.signed_percent(high)}",
            words.chance(winner.p_above),
            remark,
        )
        rows.append(row)
    return table(
        "transfer",
        "Each winner on the other horizons of its rung",
        text=("rung", "winner of", "trained and scored on"),
        numbers=("regret", "interval", "p, corrected"),
        after=("remark",),
        rows=rows,
    )


def supplement_table(supplement: SupplementFacts) -> Table:
    """Return one row per cell of the chosen budgets."""
    return table(
        "supplementary",
        "Trials around the winners",
        text=("cell", "score"),
        numbers=("trials", "winner of the search", "best of these", "standard error of a score"),
        after=("its configuration", "remark"),
        rows=[_supplement_row(cell, found) for cell, found in supplement.cells.items()],
    )


def _supplement_row(cell: Cell, found: SupplementSummary | Ending | None) -> tuple[str, ...]:
    if not isinstance(found, SupplementSummary):
        reason = "" if found is None else found.reason or ""
        return (str(cell), *[words.MISSING] * 6, reason)
    # A score is higher the better; as a loss it is read the other way round.
    sign = -1.0 if found.objective == "val_loss" else 1.0
    winner, best = found.winner_score, found.best_score
    return (
        str(cell),
        found.objective,
        words.part_of(found.trials_done, found.trials_total),
        words.MISSING if isinstance(winner, str) else words.number(sign * winner),
        words.number(None if best is None else sign * best),
        words.number(found.standard_error),
        ", ".join(f"{name} {words.short(value)}" for name, value in (found.best or {}).items()) or words.MISSING,
        "",
    )
