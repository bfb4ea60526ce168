"""Plain text tables of the dry run and the status. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.console.plan import CellForecast, StudyForecast
from tsladder.console.status import CellState, StudyState
from tsladder.law.wording import exponent_in_words
from tsladder.planning.machine import memory_words
from tsladder.search.objective import VAL_AUC

MISSING = "-"
NO_FORECAST = "no forecast"
PARTS = ("of the rungs", "of the days")
"""What makes the interval of alpha: other searches and seeds, and other test days."""


def forecast_lines(forecast: StudyForecast) -> list[str]:
    """One line a cell; a cell above the top rung says so."""
    heads = ("cell", "fits", "grid", "shapes", "trials", "seeds", "workers", "batch plan", "peak GiB", "step", "epoch")
    rows: list[tuple[str, ...]] = [(*heads, "expected", "at most")]
    unknown = NO_FORECAST if forecast.machine.rates is None else MISSING
    for name, cell in forecast.cells.items():
        if not cell.planned:
            rows.append((name, "not planned", *[""] * (len(rows[0]) - 2)))
            continue
        plan = MISSING
        if cell.micro_batch is not None:
            plan = f"{cell.micro_batch} x {cell.accumulation_steps}"
            plan += " checkpointed" if cell.activation_checkpointing else ""
        rows.append(
            (
                name,
                "yes" if cell.fits else "NO",
                str(cell.grid_size),
                str(cell.shapes),
                _trials(cell),
                str(cell.seeds),
                f"{cell.workers} x {cell.threads} threads",
                plan,
                _number(cell.predicted_memory_gib, 2),
                duration(cell.predicted_step_seconds, unknown),
                duration(cell.predicted_epoch_seconds, unknown),
                duration(cell.predicted_seconds, unknown),
                duration(cell.predicted_seconds_at_most, unknown),
            )
        )
    memory = memory_words(forecast.machine)
    return [*aligned(rows), *([] if memory is None else [f"memory: {memory}"]), *_total(forecast)]


def _trials(cell: CellForecast) -> str:
    """How many, and how many of them are trained already by other searches."""
    if not cell.trials_taken_over:
        return str(cell.trials)
    least = "" if cell.trials_taken_over_exact else "at least "
    return f"{cell.trials}, {least}{cell.trials_taken_over} taken over"


def _total(forecast: StudyForecast) -> list[str]:
    """The time of all planned cells; of none when a planned one's is not known, with the reason."""
    planned = [cell for cell in forecast.cells.values() if cell.planned and cell.fits]
    known = [cell.predicted_seconds for cell in planned if cell.predicted_seconds is not None]
    if len(known) == len(planned):
        return [f"expected in all, if everything were to be built: {duration(sum(known))}"]
    if forecast.machine.rates is None:
        device = forecast.machine.device
        return [f"{NO_FORECAST} of time: the speed of this {device} is not known; measure it with plan --calibrate"]
    return ["times are known once the bars are there (`dvc pull data.dvc`)"]


def forced_lines(forecast: StudyForecast) -> list[str]:
    """One line a configuration that the strategy forces, rung by rung."""
    rows = [("cells", "forced", "d_model", "n_layers", "n_heads", "d_ff", "parameters", "settings")]
    by_rung: dict[str, list[str]] = {}
    for name in forecast.cells:
        by_rung.setdefault(name.rpartition("-")[0], []).append(name)
    for names in by_rung.values():
        for item in forecast.cells[names[0]].forced:
            size = f"{item['n_params']:,}" + (" off budget" if item["off_budget"] else "")
            settings = ", ".join(f"{name} {value:g}" for name, value in item["settings"].items()) or "drawn"
            sizes = (str(item[name]) for name in ("d_model", "n_layers", "n_heads", "d_ff"))
            rows.append((", ".join(names), item["what"], *sizes, size, settings))
    return aligned(rows)


def status_lines(state: StudyState) -> list[str]:
    """The matrix of budgets and horizons, a line for each planned cell, what is to be said of some, the verdicts and
    the times."""
    planned = {name: cell for name, cell in state.cells.items() if cell.state != "not_planned"}
    by_auc = any(cell.objective == VAL_AUC for cell in planned.values())
    best = ("best AUC", "its val") if by_auc else ("best val",)
    rows: list[tuple[str, ...]] = [("cell", "state", "trials", "seeds", *best, "test", "skill", "spent", "to go")]
    for name, cell in planned.items():
        rows.append(
            (
                name,
                cell.state,
                f"{cell.trials_done}/{cell.trials_total}",
                f"{cell.seeds_done}/{cell.seeds_total}",
                *([_number(cell.best_val_auc, 4)] if by_auc else []),
                _number(cell.best_val_loss, 4),
                _number(cell.test_loss, 4),
                _number(cell.skill, 3),
                duration(cell.seconds_spent),
                span(cell.seconds_to_go, cell.seconds_to_go_low, cell.seconds_to_go_high),
            )
        )
    said = [f"{name}: {words}" for name, cell in planned.items() for words in _said(cell)]
    return [
        *_matrix(state),
        "",
        *aligned(rows),
        *(["", *said] if said else []),
        "",
        *_verdicts(state),
        "",
        *_times(state),
    ]


def _matrix(state: StudyState) -> list[str]:
    """Rungs with a planned cell, a column a horizon: the state, and the losses or how far it is."""
    cells: dict[str, dict[str, CellState]] = {}
    for name, cell in state.cells.items():
        budget, _, horizon = name.rpartition("-")
        cells.setdefault(budget, {})[horizon] = cell
    horizons = list(dict.fromkeys(horizon for row in cells.values() for horizon in row))
    unplanned = [budget for budget, row in cells.items() if all(cell.state == "not_planned" for cell in row.values())]
    rows = [("budget", *horizons)]
    rows += [
        (budget, *(_in_matrix(row[horizon]) for horizon in horizons))
        for budget, row in cells.items()
        if budget not in unplanned
    ]
    by_auc = any(cell.objective == VAL_AUC for row in cells.values() for cell in row.values())
    best = "validation loss of the trial with the best AUC" if by_auc else "best validation loss"
    lines = [f"state, and {best} / test loss, or trials done", *aligned(rows)]
    return [*lines, f"not planned: {', '.join(unplanned)}"] if unplanned else lines


def _in_matrix(cell: CellState) -> str:
    if cell.state == "fresh":
        return f"fresh {_number(cell.best_val_loss, 4)} / {_number(cell.test_loss, 4)}"
    if cell.state in ("failed", "not_planned"):
        return cell.state.replace("_", " ")
    if cell.phase is not None and cell.phase != "search":
        return f"{cell.state} {cell.phase}"
    return f"{cell.state} {cell.trials_done}/{cell.trials_total}"


def _said(cell: CellState) -> list[str]:
    """What a line of the table has no room for."""
    words = []
    if cell.phase is not None:
        progress = "" if cell.phase_total is None else f" {cell.phase_done} of {cell.phase_total}"
        running = ", ".join(
            f"{trial.number + 1} in epoch {trial.epoch}/{trial.epochs}"
            + ("" if trial.val_loss is None else f" at {trial.val_loss:.4f}")
            for trial in cell.running
        )
        words.append(f"{cell.phase}{progress}" + (f": {running}" if running else ""))
    if cell.paused is not None:
        words.append(f"paused ({cell.paused})")
    if cell.stalled_seconds is not None:
        words.append(f"STALLED: nothing was heard for {duration(cell.stalled_seconds)}")
    if cell.reason is not None:
        words.append(cell.reason)
    return words


def _verdicts(state: StudyState) -> list[str]:
    rows = [("law", "verdict", "alpha", *PARTS)]
    for horizon, law in state.verdicts.items():
        verdict = MISSING if law.verdict is None else law.verdict
        if law.verdict is not None and not law.current:
            verdict = "stale: `tsladder run` fits it again"
        alpha = with_interval(law.alpha, law.alpha_ci)
        rows.append((f"h{horizon}", verdict, alpha, half_width(law.alpha_ci_rungs), half_width(law.alpha_ci_days)))
    warned: dict[str, list[str]] = {}
    for horizon, law in state.verdicts.items():
        for warning in law.warnings:
            warned.setdefault(warning, []).append(f"h{horizon}")
    return [*aligned(rows), *(f"{', '.join(laws)}: WARNING: {warning}" for warning, laws in warned.items())]


def with_interval(alpha: float | None, interval: tuple[float, float] | None) -> str:
    """0.0100 [0.0050, 0.0150]."""
    if alpha is None:
        return MISSING
    ends = "" if interval is None else f" [{', '.join(map(exponent_in_words, interval))}]"
    return exponent_in_words(alpha) + ends


def half_width(interval: tuple[float, float] | None) -> str:
    """Of a part of an interval: ±0.0040."""
    return MISSING if interval is None else f"±{exponent_in_words((interval[1] - interval[0]) / 2.0)}"


def _times(state: StudyState) -> list[str]:
    to_go = span(state.seconds_to_go, state.seconds_to_go_low, state.seconds_to_go_high)
    lines = [f"spent in training: {duration(state.seconds_spent)}; to go in all: {to_go}"]
    if state.stages_running:
        lines.append(f"DVC runs {', '.join(state.stages_running)}")
    return lines


def span(seconds: float | None, low: float | None, high: float | None) -> str:
    """A time with its interval."""
    if seconds is None or low is None or high is None or (low == seconds == high):
        return duration(seconds)
    return f"{duration(seconds)} ({duration(low)} to {duration(high)})"


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def duration(seconds: float | None, unknown: str = MISSING) -> str:
    """For people: two units at most."""
    if seconds is None:
        return unknown
    if seconds < 10:
        return f"{seconds:.2g}s" if seconds < 1 else f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02d}h"
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as their widest cell, two spaces apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
