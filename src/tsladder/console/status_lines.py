"""Format the output of `tsladder status` as plain text. Pure."""

from __future__ import annotations

from tsladder.artifacts.law_fits import RankIcPerTenfold
from tsladder.console.loss_words import LossWords
from tsladder.console.panel_lines import level_lines, panel_lines
from tsladder.formatting import MISSING, aligned, duration, duration_with_interval, number
from tsladder.law.wording import exponent_in_words
from tsladder.ranking.words import gain_with_interval
from tsladder.search.objective import VAL_AUC
from tsladder.status.study_state import CellState, StudyState

PARTS = ("of the rungs", "of the days")
"""Parts of the interval of alpha: from other searches and seeds, and from other test days."""


def status_lines(state: StudyState) -> list[str]:
    """Format the matrix of budgets and horizons, one line per planned cell, further facts of some cells, the verdicts
    and the times; in a panel study also the level to beat, and its stages alone where no model is planned."""
    if state.panel is not None and not state.has_cells:
        return panel_lines(state.panel)
    words = LossWords.of(state)
    planned = {name: cell for name, cell in state.cells.items() if cell.state != "not_planned"}
    by_auc = any(cell.objective == VAL_AUC for cell in planned.values())
    best = ("best AUC", "its val") if by_auc else (words.heading("best val"),)
    rows: list[tuple[str, ...]] = [
        ("cell", "state", "trials", "seeds", *best, words.heading("test"), "skill", "spent", "to go")
    ]
    for name, cell in planned.items():
        rows.append(
            (
                name,
                cell.state,
                f"{cell.trials_done}/{cell.trials_total}",
                f"{cell.seeds_done}/{cell.seeds_total}",
                *([number(cell.best_val_auc, 4)] if by_auc else []),
                words.shown(cell.best_val_loss),
                words.shown(cell.test_loss),
                number(cell.skill, 3),
                duration(cell.seconds_spent),
                duration_with_interval(cell.seconds_to_go, cell.seconds_to_go_low, cell.seconds_to_go_high),
            )
        )
    notes = [f"{name}: {note}" for name, cell in planned.items() for note in _cell_notes(cell, words)]
    return [
        *_matrix(state, words),
        "",
        *aligned(rows),
        *(["", *notes] if notes else []),
        "",
        *_verdicts(state),
        "",
        *_times(state),
        *([] if state.panel is None else ["", *level_lines(state.panel)]),
    ]


def _matrix(state: StudyState, words: LossWords) -> list[str]:
    """Return one row per rung with a planned cell and one column per horizon: the state, and the losses or the
    progress."""
    cells: dict[str, dict[str, CellState]] = {}
    for name, cell in state.cells.items():
        budget, _, horizon = name.rpartition("-")
        cells.setdefault(budget, {})[horizon] = cell
    horizons = list(dict.fromkeys(horizon for row in cells.values() for horizon in row))
    unplanned = [budget for budget, row in cells.items() if all(cell.state == "not_planned" for cell in row.values())]
    rows = [("budget", *horizons)]
    rows += [
        (budget, *(_matrix_entry(row[horizon], words) for horizon in horizons))
        for budget, row in cells.items()
        if budget not in unplanned
    ]
    by_auc = any(cell.objective == VAL_AUC for row in cells.values() for cell in row.values())
    best = "validation loss of the trial with the best AUC" if by_auc else f"best validation {words.name}"
    lines = [f"state, and {best} / test {words.name}, or trials done", *aligned(rows)]
    return [*lines, f"not planned: {', '.join(unplanned)}"] if unplanned else lines


def _matrix_entry(cell: CellState, words: LossWords) -> str:
    if cell.state == "fresh":
        return f"fresh {words.shown(cell.best_val_loss)} / {words.shown(cell.test_loss)}"
    if cell.state in ("failed", "not_planned"):
        return cell.state.replace("_", " ")
    if cell.phase is not None and cell.phase != "search":
        return f"{cell.state} {cell.phase}"
    return f"{cell.state} {cell.trials_done}/{cell.trials_total}"


def _cell_notes(cell: CellState, words: LossWords) -> list[str]:
    """Return further facts about a cell, for lines below the table."""
    notes = []
    if cell.phase is not None:
        progress = "" if cell.phase_total is None else f" {cell.phase_done} of {cell.phase_total}"
        running = ", ".join(
            f"{trial.number + 1} in {trial.place}"
            + ("" if trial.val_loss is None else f" at {words.shown(trial.val_loss)}")
            for trial in cell.running
        )
        notes.append(f"{cell.phase}{progress}" + (f": {running}" if running else ""))
    if cell.paused is not None:
        notes.append(f"paused ({cell.paused})")
    if cell.stalled_seconds is not None:
        notes.append(f"STALLED: no heartbeat for {duration(cell.stalled_seconds)}")
    if cell.reason is not None:
        notes.append(cell.reason)
    return notes


def _verdicts(state: StudyState) -> list[str]:
    ranks = any(law.rank_ic_per_tenfold is not None for law in state.verdicts.values())
    slope = ("RankIC per tenfold",) if ranks else ()
    rows: list[tuple[str, ...]] = [("law", "verdict", *slope, "alpha", *PARTS)]
    for horizon, law in state.verdicts.items():
        verdict = MISSING if law.verdict is None else law.verdict
        if law.verdict is not None and not law.current:
            verdict = "stale: `tsladder run` fits it again"
        alpha = with_interval(law.alpha, law.alpha_ci)
        told = (_slope(law.rank_ic_per_tenfold),) if ranks else ()
        parts = half_width(law.alpha_ci_rungs), half_width(law.alpha_ci_days)
        rows.append((f"h{horizon}", verdict, *told, alpha, *parts))
    warned: dict[str, list[str]] = {}
    for horizon, law in state.verdicts.items():
        for warning in law.warnings:
            warned.setdefault(warning, []).append(f"h{horizon}")
    return [*aligned(rows), *(f"{', '.join(laws)}: WARNING: {warning}" for warning, laws in warned.items())]


def _slope(found: RankIcPerTenfold | None) -> str:
    return MISSING if found is None else gain_with_interval(found.value, found.low, found.high)


def with_interval(alpha: float | None, interval: tuple[float, float] | None) -> str:
    """Format an exponent with its interval: 0.0100 [0.0050, 0.0150]."""
    if alpha is None:
        return MISSING
    ends = "" if interval is None else f" [{', '.join(map(exponent_in_words, interval))}]"
    return exponent_in_words(alpha) + ends


def half_width(interval: tuple[float, float] | None) -> str:
    """Format half the width of an interval: ±0.0040."""
    return MISSING if interval is None else f"±{exponent_in_words((interval[1] - interval[0]) / 2.0)}"


def _times(state: StudyState) -> list[str]:
    to_go = duration_with_interval(state.seconds_to_go, state.seconds_to_go_low, state.seconds_to_go_high)
    lines = [f"spent in training: {duration(state.seconds_spent)}; to go in total: {to_go}"]
    if state.stages_running:
        lines.append(f"DVC runs {', '.join(state.stages_running)}")
    return lines
