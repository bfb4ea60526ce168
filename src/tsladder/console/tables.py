"""Plain text tables of the dry run and the status. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.console.plan import StudyForecast
from tsladder.console.status import StudyState

MISSING = "-"


def forecast_lines(forecast: StudyForecast) -> list[str]:
    """One line a cell; a cell above the top rung says so."""
    heads = ("cell", "fits", "grid", "shapes", "trials", "seeds", "workers", "batch plan", "peak GiB", "step", "epoch")
    rows: list[tuple[str, ...]] = [(*heads, "expected", "at most")]
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
                str(cell.trials),
                str(cell.seeds),
                f"{cell.workers} x {cell.threads} threads",
                plan,
                _number(cell.predicted_memory_gib, 2),
                _duration(cell.predicted_step_seconds),
                _duration(cell.predicted_epoch_seconds),
                _duration(cell.predicted_seconds),
                _duration(cell.predicted_seconds_at_most),
            )
        )
    return [*aligned(rows), *_total(forecast)]


def _total(forecast: StudyForecast) -> list[str]:
    """The time of all planned cells; of none when a planned one's is not known, with the reason."""
    planned = [cell for cell in forecast.cells.values() if cell.planned and cell.fits]
    known = [cell.predicted_seconds for cell in planned if cell.predicted_seconds is not None]
    if len(known) == len(planned):
        return [f"expected in all, if everything were to be built: {_duration(sum(known))}"]
    return ["times are known once the bars are there (`dvc pull data.dvc`) and, on a GPU, after plan --calibrate"]


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
    """One line a cell."""
    rows = [("cell", "state", "trials", "best val", "test", "skill", "spent", "to go")]
    for name, cell in state.cells.items():
        rows.append(
            (
                name,
                cell.state.replace("_", " "),
                f"{cell.trials_done}/{cell.trials_total}" if cell.trials_total else "",
                _number(cell.best_val_loss, 4),
                _number(cell.test_loss, 4),
                _number(cell.skill, 3),
                _duration(cell.seconds_spent),
                _duration(cell.seconds_to_go),
            )
        )
    return aligned(rows)


def _number(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return MISSING
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
