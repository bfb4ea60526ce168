"""Write the outputs of a finished search under artifacts/hpo/<cell>/."""

from __future__ import annotations

import dataclasses
from collections import Counter

from tsladder.artifacts.best_params import write_best_params
from tsladder.artifacts.choice import Choice, write_choice
from tsladder.artifacts.coverage import write_coverage
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.trials import TRIALS, write_trials
from tsladder.cells.best_params import best_params
from tsladder.cells.run_search import SearchResult
from tsladder.cells.start_lines import describe_adoption
from tsladder.cells.trial_files import write_trial_files
from tsladder.cells.trial_runner import HeatStop
from tsladder.cells.work import CellWork
from tsladder.execution.job_loop import heat_reason
from tsladder.panel.dataset import PanelDataset
from tsladder.planning.grid import is_within
from tsladder.planning.recipe import Settings
from tsladder.search.coverage import coverage
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.vocabulary import CellStatus, StopReason


def write_failure(work: CellWork, reason: str) -> None:
    """Write the cell as failed: it is dropped from the law with this reason, and nothing else stops."""
    failed = Ending.of(work.cell, CellStatus.FAILED, reason, search_key=work.search_key)
    write_choice(work.places.choice(work.cell), failed)


def write_heat_stop(
    work: CellWork, space: SearchSpace, schedule: Schedule, found: SearchResult, stop: HeatStop
) -> None:
    """Write the cell as stopped for heat: it is dropped from the law until the next run resumes it; its trials are
    copied.

    The cause is in choice.json as `stop_reason` too, where the next run looks for it.
    """
    folder, records = work.places.hpo(work.cell), found.records
    attempts = [*records, *stop.attempts]
    write_trials(folder / TRIALS, attempts)
    counts = Counter(str(record.outcome.stop_reason) for record in records)
    # Recorded even if no attempt was running, since the search still stopped for heat.
    counts[StopReason.THERMAL] = len(stop.attempts)
    covered = coverage(space, schedule, records, None, _adoption_note(found))
    covered = dataclasses.replace(covered, stop_reasons=dict(sorted(counts.items())))
    write_coverage(work.places.coverage(work.cell), covered)
    done = f"{len(records)} of {schedule.trials_total} trials"
    reason = heat_reason(stop.reading, done)
    failed = Ending.of(work.cell, CellStatus.FAILED, reason, stop_reason=StopReason.THERMAL, search_key=work.search_key)
    write_choice(work.places.choice(work.cell), failed)


def write_search(work: CellWork, space: SearchSpace, schedule: Schedule, found: SearchResult) -> None:
    """Copy the trials, and write the winner or the reason why there is none."""
    folder, records = work.places.hpo(work.cell), found.records
    write_trials(folder / TRIALS, records)
    if isinstance(work.dataset, PanelDataset):
        write_trial_files(work, work.search_key, folder, records)
    covered = coverage(space, schedule, records, found.finished, _adoption_note(found))
    write_coverage(work.places.coverage(work.cell), covered)
    winner = winner_of(work, space, schedule, found)
    if winner is None:
        counts = Counter(str(record.outcome.stop_reason) for record in records)
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        write_failure(work, f"none of {len(records)} trials ended with a {schedule.objective.name} ({listed})")
        return
    write_choice(work.places.choice(work.cell), winner)
    leader = best_params(work, work.search_key, schedule.objective, records)
    write_best_params(work.places.best_params(work.cell), leader)


def winner_of(work: CellWork, space: SearchSpace, schedule: Schedule, found: SearchResult) -> Choice | None:
    """Return the winner of a finished search; None where no trial has a score."""
    best = schedule.objective.best(found.records)
    if best is None:
        return None
    spec = work.spec(dict(best.params))
    return Choice(
        cell=str(work.cell),
        budget=work.cell.budget,
        horizon=work.cell.horizon,
        architecture=spec.architecture(),
        settings=Settings.from_record(dict(best.params)).to_record(),
        n_params=spec.n_params,
        n_params_blocks=spec.n_params_blocks,
        n_params_body=spec.n_params_body,
        off_budget=not is_within(spec, space.grid.n_budget),
    )


def _adoption_note(found: SearchResult) -> str | None:
    return None if found.adopted is None else describe_adoption(found.adopted)
