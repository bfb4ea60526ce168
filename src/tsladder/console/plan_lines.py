"""Format the output of `tsladder plan` as plain text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.formatting import MISSING, aligned, duration, number
from tsladder.planning.machine import describe_memory
from tsladder.status.dry_run import ARCHITECTURE, CellForecast, StudyForecast

if TYPE_CHECKING:
    from tsladder.cells.simulated_pool import PoolFigures

NO_FORECAST = "no forecast"


def forecast_lines(forecast: StudyForecast) -> list[str]:
    """Return one line per cell; the line of a cell above the top rung says so."""
    heads = ("cell", "fits", "grid", "shapes", "trials", "seeds", "workers", "batch plan", "peak GiB", "step", "epoch")
    rows: list[tuple[str, ...]] = [(*heads, "expected", "at most")]
    unknown = NO_FORECAST if forecast.machine.rates is None else MISSING
    for name, cell in forecast.cells.items():
        if not cell.planned:
            rows.append((name, "not planned", *[""] * (len(rows[0]) - 2)))
            continue
        plan = MISSING
        if cell.micro_batch is not None:
            of_days = " days" if forecast.samples == "days" else ""
            plan = f"{cell.micro_batch}{of_days} x {cell.accumulation_steps}"
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
                number(cell.predicted_memory_gib, 2),
                duration(cell.predicted_step_seconds, unknown),
                duration(cell.predicted_epoch_seconds, unknown),
                duration(cell.predicted_seconds, unknown),
                duration(cell.predicted_seconds_at_most, unknown),
            )
        )
    memory = describe_memory(forecast.machine)
    return [*aligned(rows), *([] if memory is None else [f"memory: {memory}"]), *_total(forecast)]


def _trials(cell: CellForecast) -> str:
    """Return the number of trials, and how many of them other searches have trained."""
    if not cell.trials_taken_over:
        return str(cell.trials)
    least = "" if cell.trials_taken_over_exact else "at least "
    return f"{cell.trials}, {least}{cell.trials_taken_over} taken over"


def _total(forecast: StudyForecast) -> list[str]:
    """Return the time of all planned cells; where that of a planned cell is not known, the reason instead."""
    planned = [cell for cell in forecast.cells.values() if cell.planned and cell.fits]
    known = [cell.predicted_seconds for cell in planned if cell.predicted_seconds is not None]
    if len(known) == len(planned):
        return [f"expected in total, if every cell is built from the beginning: {duration(sum(known))}"]
    return _missing(forecast)


def _missing(forecast: StudyForecast) -> list[str]:
    """Return what a forecast of time lacks, and what to run."""
    if forecast.machine.rates is None:
        device = forecast.machine.device
        return [
            f"{NO_FORECAST} of time: the speed of this {device} is not known; `tsladder plan --calibrate` measures it"
        ]
    return ["times cannot be forecast without the bars: `dvc pull data.dvc` fetches them"]


def slot_lines(forecast: StudyForecast) -> list[str]:
    """Return what all cells take in one pool of slots, and how many slots are worth renting; where that is not known,
    nothing, as the lines of the forecast say what is missing."""
    pool = forecast.slots
    if pool is None:
        return []
    most, spread = pool.worth_renting, pool.spread
    worth = "not found: a study of this size takes too long to simulate for several numbers of slots"
    if most is not None:
        rule = f"the largest number that is busy at least {pool.least_busy_share:.0%} of the time"
        worth = f"at most {_slots(most)}: {rule}; with more, over a fifth of what is paid for idles"
    source = f"of {spread.trials} trials of this study" if spread.trials else "as measured"
    here = "1 slot" if pool.slots_of_a_machine == 1 else f"{pool.slots_of_a_machine} slots"
    times = "once" if pool.simulations == 1 else f"{pool.simulations} times"
    simulated = f"{pool.trainings} trainings from nothing, {times}, at search lag {pool.lag}"
    spread_words = f"spread of the log of a trial's seconds {spread.value:.2f} ({source})"
    return [
        f"in one pool: {_slots(pool.asked)}",
        f"worth renting: {worth}",
        f"simulated: {simulated}, {spread_words}; a machine like this one has {here}",
    ]


def _slots(figures: PoolFigures) -> str:
    """Describe a number of slots with its hours and its busy share."""
    slots = "1 slot" if figures.slots == 1 else f"{figures.slots} slots"
    return f"{slots}, {figures.seconds / 3600.0:.3g} hours, busy {figures.busy_share:.0%} of the time"


def forced_lines(forecast: StudyForecast) -> list[str]:
    """Return one line per configuration that the strategy forces, rung by rung; cells of a rung that have the same ones
    share their lines."""
    sized = [
        name for name in ARCHITECTURE if any(name in item for cell in forecast.cells.values() for item in cell.forced)
    ]
    rows: list[tuple[str, ...]] = [("cells", "forced", *(sized or ARCHITECTURE[:4]), "parameters", "settings")]
    alike: dict[tuple[str, str], list[str]] = {}
    for name, cell in forecast.cells.items():
        alike.setdefault((name.rpartition("-")[0], repr(cell.forced)), []).append(name)
    for names in alike.values():
        for item in forecast.cells[names[0]].forced:
            size = f"{item['n_params']:,}" + (" off budget" if item["off_budget"] else "")
            settings = ", ".join(f"{name} {value:g}" for name, value in item["settings"].items()) or "drawn"
            sizes = (str(item.get(name, "")) for name in sized)
            rows.append((", ".join(names), item["what"], *sizes, size, settings))
    return aligned(rows)
