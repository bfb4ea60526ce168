"""Search one cell: its space, its schedule and the files that it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.artifacts.choice import Choice
from tsladder.cells.run_search import Search, SearchResult, search_steps
from tsladder.cells.search_outputs import winner_of, write_failure, write_heat_stop, write_search
from tsladder.cells.work import CellWork
from tsladder.execution.job_source import Steps
from tsladder.locks import exclusive_lock
from tsladder.search.planned import planned_schedule, planned_space, validation_classes
from tsladder.tracking import MlflowTracker, Tracker
from tsladder.vocabulary import Phase


def search_cell(work: CellWork, tracker: Tracker | None = None) -> None:
    """Search `work.cell` and write its outputs under artifacts/hpo/<cell>/.

    A cell that cannot be searched (it does not fit, or no trial ended with a loss) is written as failed. So is a cell
    whose search the machine became too hot for: its trials are kept, and the next start resumes. Raises Interrupted
    when asked to stop, WorkFailed when another process owns the cell.
    """
    found = work.run(found_trials(work, tracker or MlflowTracker(work.places.mlruns, work.params.study.name)))
    result, search = found.result, found.search
    if isinstance(result, str):
        write_failure(work, result)
    elif result.heat_stop is not None:
        write_heat_stop(work, search.space, search.schedule, result, result.heat_stop)
    else:
        write_search(work, search.space, search.schedule, result)


@dataclass(frozen=True, slots=True)
class FoundTrials:
    """Search of a cell with its result, or with the reason why it cannot be searched on this machine."""

    search: Search
    result: SearchResult | str

    @property
    def winner(self) -> Choice | None:
        """Winner of a search that has come to its end; None where there is none."""
        if isinstance(self.result, str) or self.result.heat_stop is not None:
            return None
        return winner_of(self.search.work, self.search.space, self.search.schedule, self.result)


def found_trials(work: CellWork, tracker: Tracker) -> Steps[FoundTrials]:
    """Train the trials of `work.cell` into its live record, which no other process may use meanwhile.

    Nothing is written under artifacts/.
    """
    key = work.search_key
    folder = work.places.study(work.cell, key)
    with exclusive_lock(folder, f"the search of {work.cell}"):
        space = planned_space(work.search_plan, len(work.dataset.train))
        schedule = planned_schedule(work.search_plan, space, validation_classes(work.dataset.folds))
        search = Search(
            work=work,
            phase=Phase.SEARCH,
            key=key,
            folder=folder,
            question=work.search_plan,
            space=space,
            schedule=schedule,
            pruning=work.search_plan.search.pruning,
        )
        return FoundTrials(search, (yield from search_steps(search, tracker)))
