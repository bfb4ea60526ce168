"""The search of one cell: what it may draw, in which order, and what it leaves behind."""

from __future__ import annotations

from tsladder.locks import sole_owner
from tsladder.params import PruningParams, StopParams
from tsladder.planning.grid import build_grid
from tsladder.planning.plans import Plan
from tsladder.search.conduct import Search, conduct
from tsladder.search.objective import Objective
from tsladder.search.outputs import write_choice, write_failure, write_heat_stop
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.space import SearchSpace, space_params
from tsladder.search.strategies import load
from tsladder.tracking import MlflowTracker, Tracker
from tsladder.training.cell import CellWork
from tsladder.vocabulary import Phase


def search_cell(work: CellWork, tracker: Tracker | None = None) -> None:
    """Search `work.cell` and write its outputs under artifacts/hpo/<cell>/.

    A cell that cannot be searched (it does not fit, or no trial ended with a loss) is written as failed, and so is one
    that the machine became too hot for: its trials are kept, and the next start goes on.
    Raises Interrupted when asked to stop, WorkFailed when another process owns the cell.
    """
    key = work.search_key
    folder = work.places.study(work.cell, key)
    with sole_owner(folder, f"the search of {work.cell}"):
        space = _search_space(work)
        schedule = _schedule(work, space)
        search = Search(
            work=work,
            phase=Phase.SEARCH,
            key=key,
            folder=folder,
            question=work.plan,
            space=space,
            schedule=schedule,
            pruning=pruning_rule(work.plan),
        )
        found = conduct(search, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))
        if isinstance(found, str):
            write_failure(work, found)
        elif found.heat_stop is not None:
            write_heat_stop(work, space, schedule, found, found.heat_stop)
        else:
            write_choice(work, space, schedule, found)


def _schedule(work: CellWork, space: SearchSpace) -> Schedule:
    search = work.plan["search"]
    return build_schedule(
        load(search["strategy"]),
        space.grid,
        trials_total=search["trials"],
        objective=Objective(search["objective"]),
        stop=None if search["stop"] is None else StopParams(**search["stop"]),
        classes=validation_classes(work),
    )


def validation_classes(work: CellWork) -> tuple[int, int]:
    """Positives and negatives among the validation windows, those of all folds of a walk forward added; of returns,
    those above 0 and the others.

    The standard error of a mean over K equal folds is nearly that of one fold with all their windows: both fall as one
    over the root of their number.
    """
    labels = [fold.validation.y_N for fold in work.dataset.windows.folds]
    positives = sum(int((y_N > 0.0).sum()) for y_N in labels)
    return positives, sum(len(y_N) for y_N in labels) - positives


def pruning_rule(plan: Plan) -> PruningParams | None:
    """The rule of a search plan; None: every trial is trained to its end."""
    record = plan["search"]["pruning"]
    return None if record is None else PruningParams(**record)


def _search_space(work: CellWork) -> SearchSpace:
    return SearchSpace(
        grid=build_grid(work.geometry, work.cell.budget),
        settings=space_params(work.plan["search"]["space"]),
        effective_batches=(work.recipe.effective_batch,),
        n_windows=len(work.dataset.windows.train),
    )
