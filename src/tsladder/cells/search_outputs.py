"""What a finished search leaves under artifacts/hpo/<cell>/.

`choice.json` is what the next stages read: architecture and settings, nothing else, so that the same winner
found again leaves them fresh. The other files are for people and for the report.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tsladder.artifacts.store import write_json
from tsladder.artifacts.trials import TRIALS, write_trials
from tsladder.cells.best_params import write_best_params
from tsladder.cells.run_search import Searched
from tsladder.cells.start_lines import adoption_words
from tsladder.cells.trial_runner import HeatStop
from tsladder.cells.work import CellWork
from tsladder.execution.job_loop import heat_reason
from tsladder.planning.grid import is_within
from tsladder.planning.recipe import Settings
from tsladder.search.coverage import coverage
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.vocabulary import CellStatus, StopReason


def write_failure(work: CellWork, reason: str) -> None:
    """The cell is dropped from the law with this reason; nothing else stops."""
    failed = {**_head(work), "status": CellStatus.FAILED, "reason": reason, "search_key": work.search_key}
    write_json(work.places.choice(work.cell), failed)


def write_heat_stop(work: CellWork, space: SearchSpace, schedule: Schedule, found: Searched, stop: HeatStop) -> None:
    """The cell is dropped from the law until the next run goes on with it; its trials so far are copied.

    The reason stands in choice.json as `stop_reason` too, where the next run looks for it.
    """
    folder, records = work.places.hpo(work.cell), found.records
    attempts = [*records, *stop.attempts]
    write_trials(folder / TRIALS, attempts)
    counts = Counter(str(record.outcome.stop_reason) for record in records)
    # Also where no attempt was running when it stopped: none was, and the stop is still one for heat.
    counts[StopReason.THERMAL] = len(stop.attempts)
    covered = coverage(space, schedule, records, None, _adopted(found)) | {"stop_reasons": dict(sorted(counts.items()))}
    write_json(folder / "coverage.json", covered)
    done = f"{len(records)} of {schedule.trials_total} trials"
    reason = heat_reason(stop.reading, done)
    failed = {**_head(work), "status": CellStatus.FAILED, "reason": reason, "stop_reason": StopReason.THERMAL}
    write_json(work.places.choice(work.cell), failed | {"search_key": work.search_key})


def write_choice(work: CellWork, space: SearchSpace, schedule: Schedule, found: Searched) -> None:
    """Copy the trials, and write the winner or the reason why there is none."""
    folder, records = work.places.hpo(work.cell), found.records
    write_trials(folder / TRIALS, records)
    write_json(folder / "coverage.json", coverage(space, schedule, records, found.finished, _adopted(found)))
    winner = schedule.objective.best(records)
    if winner is None:
        counts = Counter(str(record.outcome.stop_reason) for record in records)
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        write_failure(work, f"none of {len(records)} trials ended with a {schedule.objective.name} ({listed})")
        return
    spec = work.spec(dict(winner.params))
    settings = Settings.from_record(dict(winner.params))
    write_json(
        work.places.choice(work.cell),
        {
            **_head(work),
            "status": CellStatus.DONE,
            "architecture": spec.architecture(),
            "settings": settings.to_record(),
            "n_params": spec.n_params,
            "n_params_blocks": spec.n_params_blocks,
            "n_params_body": spec.n_params_body,
            "off_budget": not is_within(spec, space.grid.n_budget),
        },
    )
    write_best_params(folder, work, work.search_key, schedule.objective, records)


def _adopted(found: Searched) -> str | None:
    return None if found.adopted is None else adoption_words(found.adopted)


def _head(work: CellWork) -> dict[str, Any]:
    return {"cell": str(work.cell), "budget": work.cell.budget, "horizon": work.cell.horizon}
