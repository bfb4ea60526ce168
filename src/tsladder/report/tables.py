"""The tables of a report: facts -> rows of text. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import CellFacts, CellState, Facts
from tsladder.report.score_facts import Metrics, RegionFacts
from tsladder.vocabulary import Region

APART = 0.20
"""Two horizons' settings differ when the larger exceeds the smaller by more than this share."""

SETTINGS = ("learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs", "batch_size")


def cells_table(facts: Facts) -> Table:
    """One row a planned cell."""
    return table(
        ("cell",),
        ("N", "N blocks", "of budget", "val loss", "test loss", "base-rate loss", "own-rate loss", "skill", "AUC"),
        [_cell_row(cell) for cell in facts.planned],
        after=("architecture", "beaten by", "remarks"),
    )


def _cell_row(cell: CellFacts) -> list[str]:
    winner, test = cell.winner, cell.test
    return [
        str(cell.cell),
        words.count(winner.n_params if winner else None),
        words.count(winner.n_params_blocks if winner else None),
        words.percent(cell.utilisation, 0),
        words.number(cell.search.best_val_loss),
        words.with_error(test.mean.log_loss, test.log_loss_se) if test else words.MISSING,
        words.number(test.base_rate_loss if test else None),
        words.number(test.own_rate_loss if test else None),
        words.percent(test.skill if test else None),
        words.number(test.mean.auc if test else None, 3),
        words.architecture(winner.architecture) if winner else words.MISSING,
        _beaten_by(test),
        _remarks(cell),
    ]


def _beaten_by(test: RegionFacts | None) -> str:
    if test is None:
        return words.MISSING
    return ", ".join(words.forecast(name) for name in test.beaten_by) or "none"


def _remarks(cell: CellFacts) -> str:
    remarks = [] if cell.state is CellState.SCORED else [str(cell.state)]
    if cell.test is not None and cell.test.constant_predictor:
        remarks.append("constant predictor")
    if cell.winner is not None and cell.winner.off_budget:
        remarks.append("off budget")
    return ", ".join(remarks)


def baselines_table(facts: Facts, region: Region = Region.TEST) -> Table:
    """Per horizon: the forecasts that need no transformer, then the span of the transformers on the same windows."""
    rows: list[list[str]] = []
    for horizon in facts.params.horizons:
        scored = [cell.regions[region] for cell in facts.of_horizon(horizon) if region in cell.regions]
        if not scored:
            continue
        first = scored[0].baselines
        rows += [
            [words.days(horizon), words.forecast(name), *_metric_words(first[name])]
            for name in words.forecasts_in_order(first)
        ]
        models = [cell.mean for cell in scored]
        name = f"transformers, {len(models)} rung{'' if len(models) == 1 else 's'}"
        rows.append([words.days(horizon), name, *_spans(models)])
    return table(("horizon", "forecast"), ("log loss", "Brier", "AUC", "average precision", "ECE"), rows)


def _metric_words(m: Metrics) -> list[str]:
    return [
        words.number(m.log_loss),
        words.number(m.brier),
        words.number(m.auc, 3),
        words.number(m.average_precision, 3),
        words.number(m.ece, 3),
    ]


def _spans(models: Sequence[Metrics]) -> list[str]:
    spans = []
    for name, digits in (("log_loss", 4), ("brier", 4), ("auc", 3), ("average_precision", 3), ("ece", 3)):
        values = [value for value in (getattr(m, name) for m in models) if value is not None]
        spans.append(words.interval((min(values), max(values)) if values else None, digits))
    return spans


def architectures_table(facts: Facts) -> Table:
    """One row a rung, one column a horizon; a ratio of layers to width tells depth against width."""
    rows = []
    for budget, of_horizon in _winners_by_rung(facts).items():
        row = [budget]
        for horizon in facts.params.horizons:
            cell = of_horizon.get(horizon)
            row.append(_shape(cell.winner.architecture) if cell and cell.winner else words.MISSING)
        rows.append(row)
    return table(("rung", *(words.days(h) for h in facts.params.horizons)), (), rows)


def _shape(sizes: Mapping[str, int]) -> str:
    text = words.architecture(sizes)
    if "n_layers" in sizes and "d_model" in sizes:
        text += f" (layers / width {words.short(sizes['n_layers'] / sizes['d_model'])})"
    return text


def settings_table(facts: Facts) -> Table:
    """Per rung and setting: each horizon's winner, and the pairs of horizons that lie more than 20 % apart."""
    horizons = facts.params.horizons
    rows = []
    for budget, of_horizon in _winners_by_rung(facts).items():
        for setting in SETTINGS:
            values = {h: value for h in horizons if (value := _setting(of_horizon.get(h), setting)) is not None}
            if values:
                apart = [f"h{a} and h{b}" for a, b in pairs_apart(values)]
                verdict = words.MISSING if len(values) < 2 else ", ".join(apart) or "none"
                rows.append([budget, setting, *(words.short(values.get(h)) for h in horizons), verdict])
    return table(("rung", "setting"), [f"h{h}" for h in horizons], rows, after=("more than 20 % apart",))


def _setting(cell: CellFacts | None, name: str) -> float | None:
    if cell is None or cell.winner is None:
        return None
    return cell.winner.settings.get(name, cell.search.hyperparameters.get(name))


def pairs_apart(values: Mapping[int, float]) -> tuple[tuple[int, int], ...]:
    """Pairs of keys whose larger value exceeds the smaller one by more than 20 % of it."""
    pairs = itertools.combinations(sorted(values), 2)
    return tuple((a, b) for a, b in pairs if _apart(values[a], values[b]))


def _apart(a: float, b: float) -> bool:
    low, high = sorted((a, b))
    # A hair of room, so that 0.36 against 0.3 is exactly 20 % and not more.
    return high - low > APART * low + 1e-9 * high


def _winners_by_rung(facts: Facts) -> dict[str, dict[int, CellFacts]]:
    found: dict[str, dict[int, CellFacts]] = {}
    for cell in facts.planned:
        if cell.winner is not None:
            found.setdefault(cell.cell.budget, {})[cell.cell.horizon] = cell
    return found


def coverage_table(facts: Facts) -> Table:
    """How much of each cell's grid its search saw, how its trials and the retraining ended, and what it took."""
    rows = []
    for cell in facts.planned:
        search, again = cell.search, cell.retraining
        row = [
            str(cell.cell),
            words.part_of(search.trials_done, search.trials_total),
            words.part_of(search.members_seen, search.grid_size),
            words.part_of(search.shapes_seen, search.shapes),
            words.number(search.spread),
            words.duration(search.seconds),
            words.duration(again.seconds),
            words.number(_highest(search.peak_memory_gib, again.peak_memory_gib), 2),
            search.origin or words.MISSING,
            ", ".join(search.forced) or "none",
            words.tally(search.stop_reasons),
            words.tally(again.stop_reasons),
            words.listed(search.notes),
        ]
        rows.append(row)
    numbers = ("trials", "grid members seen", "shapes seen", "best - worst", "search", "retraining", "peak GiB")
    return table(("cell",), numbers, rows, after=("winner", "forced", "trials ended by", "seeds ended by", "notes"))


def _highest(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def left_out_table(facts: Facts) -> Table:
    """Cells without a point in the law and why; the unplanned cells of a rung share a row."""
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
    return table(("cells", "state", "reason"), (), rows)
