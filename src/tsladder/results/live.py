"""Live table mlruns/experiment_results.csv: the report's table while its cells are built, current after every trial and
seed.

It is built from files alone and replaced as a whole, so that any number of processes may write it. It is for the user:
nothing is read back from it, and a failure to write it never stops the work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tsladder.artifacts.plans import EvaluatePlan, SearchPlan, TrainPlan, plan_if_there
from tsladder.artifacts.store import write_text
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.plans import CellPlans, PlanFiles, study_key
from tsladder.results.file_cache import FileCache
from tsladder.results.gathering import current_outputs_by_keys, facts_of
from tsladder.results.table import to_csv
from tsladder.vocabulary import Cell

Say = Callable[[str], None]


def table_of_files(places: Places, params: AnyParams, files: FileCache) -> str:
    """Return the table of the plan files on disk. A cell whose files cannot be read has the reason in its row."""
    planned = [one for cell in params.cells if (one := _plans(places, cell, files)).planned]
    key = study_key({str(one.cell): one.search for one in planned}) if planned else None
    facts = [facts_of(places, one, partial(current_outputs_by_keys, places, one, files), files) for one in planned]
    return to_csv(params, key, facts)


class LiveResults:
    """Writer of the live table in one process; files that have not changed are not read again."""

    def __init__(self, places: Places, params: AnyParams, say: Say) -> None:
        self._places = places
        self._params = params
        self._say = say
        self._files = FileCache()
        self._reported = False

    def update(self, before: Callable[[], None] | None = None) -> None:
        """Call `before`, which writes the files of the cell at work, then write the table. A disk error is reported
        once and otherwise ignored."""
        try:
            if before is not None:
                before()
            text = table_of_files(self._places, self._params, self._files)
            write_text(self._places.live_results, text, durable=False)
        except OSError as error:
            if not self._reported:
                self._reported = True
                self._say(
                    f"the results so far cannot be shown in {self._places.live_results} ({error.strerror or error}): "
                    "work continues, and the report will have them"
                )


def _plans(places: Places, cell: Cell, files: FileCache) -> CellPlans:
    """Return the three plan files of a cell as they are on disk; a missing one stands for a cell that is
    not planned."""
    search = files.read(places.search_plan(cell), _search)
    train = files.read(places.train_plan(cell), _train)
    evaluate = files.read(places.evaluate_plan(cell), _evaluate)
    if not (isinstance(search, SearchPlan) and isinstance(train, TrainPlan) and isinstance(evaluate, EvaluatePlan)):
        return CellPlans(cell=cell, files=None)
    return CellPlans(cell=cell, files=PlanFiles(search=search, train=train, evaluate=evaluate))


_search = partial(plan_if_there, SearchPlan)
_train = partial(plan_if_there, TrainPlan)
_evaluate = partial(plan_if_there, EvaluatePlan)
