"""The tables that tell about the study as a whole: its days, data, environment and stages across cells. Pure."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import Facts, SupplementedCell, SupplementFacts, TransferFacts
from tsladder.tasks import load as load_task


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
    return table(
        "splits",
        "Windows of each region",
        text=("horizon", "region"),
        numbers=("windows", *load_task(facts.params.target.task).words.positives),
        after=("windows end on",),
        rows=rows,
    )


def environment_table(facts: Facts) -> Table:
    environment = facts.environment
    rows = [("Python", environment.python), *environment.packages.items()]
    return table("environment", "Software", text=("software", "version"), rows=rows)


def fingerprints_table(facts: Facts) -> Table:
    rows = tuple(facts.environment.fingerprints.items())
    return table("fingerprints", "Identities", text=("of", "fingerprint"), rows=rows)


def transfer_table(transfer: TransferFacts) -> Table:
    """One row a rung and pair of horizons."""
    rows = []
    for winner in transfer.winners:
        remark = "the same configuration" if winner.same else winner.reason or ""
        ends = winner.relative_ci
        row = (
            winner.budget,
            words.days(winner.source),
            words.days(winner.horizon),
            words.signed_percent(winner.relative),
            words.MISSING if ends is None else f"{words.signed_percent(ends[0])} to {words.signed_percent(ends[1])}",
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
    """One row a cell of the chosen budgets."""
    return table(
        "supplementary",
        "Trials around the winners",
        text=("cell", "score"),
        numbers=("trials", "winner of the search", "best of these", "standard error of a score"),
        after=("its configuration", "remark"),
        rows=[_supplement_row(cell) for cell in supplement.cells],
    )


def _supplement_row(cell: SupplementedCell) -> tuple[str, ...]:
    # A score is higher the better; as a loss it is read the other way round.
    sign = -1.0 if cell.objective == "val_loss" else 1.0
    scores = [None if value is None else sign * value for value in (cell.winner_score, cell.best_score)]
    return (
        cell.cell,
        cell.objective or words.MISSING,
        words.part_of(cell.trials_done, cell.trials_total),
        *(words.number(value) for value in scores),
        words.number(cell.standard_error),
        ", ".join(f"{name} {words.short(value)}" for name, value in cell.best.items()) or words.MISSING,
        cell.reason or "",
    )
