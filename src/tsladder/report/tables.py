"""Tables of what the searches chose and what they cost: facts -> rows of text. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import CellFacts, CellState, Facts
from tsladder.report.law_tables import count_titles
from tsladder.search.objective import VAL_AUC

APART = 0.20
"""Relative threshold: settings of two horizons differ when the larger exceeds the smaller by more than this share."""

SETTINGS = ("learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs", "batch_size")


def architectures_table(facts: Facts) -> Table:
    """Return one row per cell with a winner; layers over width shows depth against width."""
    rows = []
    graph = any(cell.winner.architecture.get("n_graph") for cell in facts.planned if cell.winner is not None)
    names = ("d_model", "n_layers", "n_heads", "d_ff", *(("n_graph",) if graph else ()))
    for budget, of_horizon in _winners_by_rung(facts).items():
        for horizon, cell in of_horizon.items():
            winner = cell.winner
            sizes = winner.architecture if winner else {}
            width, depth = sizes.get("d_model"), sizes.get("n_layers")
            rows.append(
                [
                    budget,
                    facts.horizon(horizon),
                    *(words.count(sizes.get(name)) for name in names),
                    words.short(depth / width if depth is not None and width else None),
                    words.count(winner.n_params if winner else None),
                    words.count(winner.n_params_blocks if winner else None),
                    words.count(winner.n_params_body if winner else None),
                ]
            )
    titles = ("d_model", "layers", "heads", "d_ff", *(("graph layers",) if graph else ()))
    numbers = (*titles, "layers / width", "N", *count_titles(facts).values())
    caption = "The configuration that each search chose"
    return table("architectures", caption, text=("rung", "horizon"), numbers=numbers, rows=rows)


def settings_table(facts: Facts) -> Table:
    """Return, per rung and setting, each horizon's winner, and the pairs of horizons that lie more than 20 % apart."""
    horizons = facts.params.horizons
    rows = []
    for budget, of_horizon in _winners_by_rung(facts).items():
        for setting in SETTINGS:
            values = {h: value for h in horizons if (value := _setting(of_horizon.get(h), setting)) is not None}
            if values:
                apart = [f"h{a} and h{b}" for a, b in pairs_apart(values)]
                verdict = words.MISSING if len(values) < 2 else ", ".join(apart) or "none"
                rows.append([budget, setting, *(words.short(values.get(h)) for h in horizons), verdict])
    return table(
        "settings",
        "Training settings of the winners",
        text=("rung", "setting"),
        numbers=[f"h{h}" for h in horizons],
        after=("more than 20 % apart",),
        rows=rows,
    )


def _setting(cell: CellFacts | None, name: str) -> float | None:
    if cell is None or cell.winner is None:
        return None
    return cell.winner.settings.get(name, cell.search.hyperparameters.get(name))


def pairs_apart(values: Mapping[int, float]) -> tuple[tuple[int, int], ...]:
    """Return the pairs of keys whose larger value exceeds the smaller one by more than 20 % of it."""
    pairs = itertools.combinations(sorted(values), 2)
    return tuple((a, b) for a, b in pairs if _apart(values[a], values[b]))


def _apart(a: float, b: float) -> bool:
    low, high = sorted((a, b))
    # A tolerance for rounding, so that 0.36 against 0.3 counts as exactly 20 %.
    return high - low > APART * low + 1e-9 * high


def _winners_by_rung(facts: Facts) -> dict[str, dict[int, CellFacts]]:
    found: dict[str, dict[int, CellFacts]] = {}
    for cell in facts.planned:
        if cell.winner is not None:
            found.setdefault(cell.cell.budget, {})[cell.cell.horizon] = cell
    return found


def coverage_table(facts: Facts) -> Table:
    """Return how much of each cell's grid its search covered, and where its winner came from."""
    by_auc = facts.params.search.objective == VAL_AUC
    best = ("best val AUC", "its val loss") if by_auc else ("best val loss",)
    rows = []
    for cell in facts.planned:
        search = cell.search
        row = [
            str(cell.cell),
            words.part_of(search.trials_done, search.trials_total),
            words.part_of(search.members_seen, search.grid_size),
            words.part_of(search.shapes_seen, search.shapes),
            *([words.number(search.best_val_auc)] if by_auc else []),
            words.number(search.best_val_loss),
            words.number(search.spread),
            search.origin or words.MISSING,
        ]
        rows.append(row)
    return table(
        "coverage",
        "How much of its grid each search saw",
        text=("cell",),
        numbers=("trials", "grid members seen", "shapes seen", *best, "best - worst"),
        after=("winner",),
        rows=rows,
    )


def effort_table(facts: Facts) -> Table:
    """Return the cost of each cell, and how its trials and the retraining ended."""
    rows = []
    for cell in facts.planned:
        search, again = cell.search, cell.retraining
        row = [
            str(cell.cell),
            words.count(search.trials_done),
            words.duration(search.seconds),
            words.duration(again.seconds),
            words.duration(total(search.seconds, again.seconds)),
            words.number(_highest(search.peak_memory_gib, again.peak_memory_gib), 2),
            words.tally(search.stop_reasons),
            words.tally(again.stop_reasons),
        ]
        rows.append(row)
    return table(
        "effort",
        "What each cell took",
        text=("cell",),
        numbers=("trials", "search", "retraining", "together", "peak GiB"),
        after=("trials ended by", "seeds ended by"),
        rows=rows,
    )


def search_notes_table(facts: Facts) -> Table:
    """Return the extremes that each search was forced to try first, and the search's notes."""
    rows = [
        [str(cell.cell), ", ".join(cell.search.forced) or "none", words.listed(cell.search.notes)]
        for cell in facts.planned
        if cell.search.forced or cell.search.notes
    ]
    return table("search-notes", "Forced trials and remarks", text=("cell", "forced", "notes"), rows=rows)


def total(*values: float | None) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def left_out_table(facts: Facts) -> Table:
    """Return the cells without a point in the law and the reasons; the unplanned cells of a rung share a row."""
    rows = []
    for cell in facts.cells:
        if cell.state is CellState.FAILED:
            what = "failed, stopped by heat" if cell.stopped_by_heat else "failed"
            rows.append([str(cell.cell), f"{what} in the {cell.failed_stage}", cell.reason or words.MISSING])
        elif cell.state is CellState.OPEN:
            rows.append([str(cell.cell), "open", "its stages have not finished"])
    for budget in facts.params.ladder:
        unplanned = [str(c.cell) for c in facts.cells if c.cell.budget == budget and not c.planned]
        if unplanned:
            rows.append([", ".join(unplanned), "not planned", f"above the top rung, budget {facts.params.budget}"])
    return table("left-out", "Cells that give the law no point", text=("cells", "state", "reason"), rows=rows)


def seconds_of(cells: Iterable[CellFacts]) -> tuple[float | None, float | None]:
    """Return the seconds of all searches and of all retrainings."""
    found = tuple(cells)
    return total(*(cell.search.seconds for cell in found)), total(*(cell.retraining.seconds for cell in found))
