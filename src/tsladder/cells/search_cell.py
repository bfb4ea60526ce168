"""Search one cell: its space, its schedule and the files that it leaves behind."""

from __future__ import annotations

from tsladder.cells.run_search import Search, run_search
from tsladder.cells.search_outputs import write_failure, write_heat_stop, write_search
from tsladder.cells.work import CellWork
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
        found = run_search(search, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))
        if isinstance(found, str):
            write_failure(work, found)
        elif found.heat_stop is not None:
            write_heat_stop(work, space, schedule, found, found.heat_stop)
        else:
            write_search(work, space, schedule, found)
