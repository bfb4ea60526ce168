"""Tables of a study of several symbols: the windows of each symbol, and the scores of each cell on it. Pure."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import SeriesFacts
from tsladder.tasks import load as load_task


def in_order(facts: SeriesFacts, names: set[str]) -> list[str]:
    """Return the study's own symbol first, then the others in the order of params.yaml."""
    return [name for name in facts.params.data.markets if name in names]


def windows_table(facts: SeriesFacts) -> Table:
    """Return one row per horizon and symbol; no row for a study of one symbol."""
    rows = []
    for split in facts.splits:
        for name in in_order(facts, set(split.symbols)):
            regions = split.symbols[name]
            counts = [words.count(days.windows) for days in regions.values()]
            rates = [words.percent(days.base_rate) for days in regions.values()]
            rows.append([words.days(split.horizon), name, *counts, *rates])
    regions_in_order = list(next((own for split in facts.splits for own in split.symbols.values()), {}))
    numbers = [*(f"{name} windows" for name in regions_in_order), *(f"{name} base rate" for name in regions_in_order)]
    return table("symbol-windows", "Windows of each symbol", text=("horizon", "symbol"), numbers=numbers, rows=rows)


def scores_table(facts: SeriesFacts) -> Table:
    """Return one row per scored cell and symbol; no row for a study of one symbol."""
    ranking = load_task(facts.params.target.task).words.ranking
    rows = []
    for cell in facts.planned:
        for name in in_order(facts, set(cell.symbols)):
            test = cell.symbols[name]
            if test is None:
                rows.append([str(cell.cell), name, *[words.MISSING] * 6])
                continue
            rows.append(
                [
                    str(cell.cell),
                    name,
                    words.count(test.windows),
                    words.percent(test.base_rate),
                    words.number(test.loss),
                    words.number(getattr(test, ranking.name, None), ranking.digits),
                    words.percent(test.skill),
                    words.estimate(None, test.advantage),
                ]
            )
    return table(
        "symbols",
        "Every cell on the test days of each symbol",
        text=("cell", "symbol"),
        numbers=("windows", "base rate", "test loss", ranking.title, "skill", "advantage"),
        rows=rows,
    )
