"""Find the files of a cell that belong to the question: the outputs of its stages, else the live records of the same
question.

There are two ways to find them: `tsladder status` compares every stage with dvc.lock, and the table that is written
while stages run compares the keys in their outputs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.best_params import read_best_params
from tsladder.artifacts.choice import Choice, read_choice
from tsladder.artifacts.coverage import read_coverage
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.plans import EvaluatePlan, SearchPlan, TrainPlan
from tsladder.artifacts.scores import CellScores, read_scores
from tsladder.artifacts.seeds import OUTCOME, SEED_PREFIX, SeedRecord, read_seed, timings_if_there
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.errors import WorkFailed
from tsladder.places import BEST_PARAMS, Places
from tsladder.planning.cell_inputs import CellInputs, cell_inputs
from tsladder.planning.plans import cell_key, retraining_key, scoring_key, train_key
from tsladder.results.cell_files import CellRecords, cell_facts
from tsladder.results.facts import CellFacts
from tsladder.results.file_cache import FileCache
from tsladder.vocabulary import Cell


class Plans(Protocol):
    """Plan files of one cell."""

    @property
    def cell(self) -> Cell: ...
    @property
    def search(self) -> SearchPlan: ...
    @property
    def train(self) -> TrainPlan: ...
    @property
    def evaluate(self) -> EvaluatePlan: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentOutputs:
    """Outputs that belong to the question: those of the inputs, of the search, of the retraining and of the scoring."""

    inputs: bool
    search: bool
    train: bool
    scores: bool


NONE_CURRENT = CurrentOutputs(inputs=False, search=False, train=False, scores=False)


def gather(places: Places, plans: Plans, current: CurrentOutputs, files: FileCache) -> CellRecords:
    """Read the records of the cell. Raises WorkFailed for a damaged file."""
    if not current.inputs:
        return CellRecords()
    cell = plans.cell
    if not current.search:
        live = places.study(cell, cell_key(plans.search, *_inputs(places, plans, files)))
        return CellRecords(
            best=files.read(live / BEST_PARAMS, if_there(read_best_params)),
            trials=files.read(live / TRIALS, read_trials),
        )
    choice = files.read(places.choice(cell), if_there(read_choice))
    return CellRecords(
        choice=choice,
        coverage=files.read(places.coverage(cell), if_there(read_coverage)),
        best=files.read(places.best_params(cell), if_there(read_best_params)),
        trials=files.read(places.hpo(cell) / TRIALS, read_trials),
        seeds=files.read(places.timings(cell), timings_if_there).seeds
        if current.train
        else _live_seeds(places, plans, choice, files),
        scores=_scores(places, cell, files) if current.scores else None,
    )


def facts_of(places: Places, plans: Plans, current: Callable[[], CurrentOutputs], files: FileCache) -> CellFacts:
    """Return the facts on a planned cell; only the reason for a cell whose files cannot be read."""
    try:
        return cell_facts(plans.cell, gather(places, plans, current(), files))
    except (WorkFailed, OSError, KeyError, TypeError, ValueError) as error:
        # Damaged by a loss of power, or written by another version: only the row of this cell says so.
        nothing = cell_facts(plans.cell, CellRecords())
        return dataclasses.replace(nothing, reason=f"its files cannot be read: {error}")


def current_outputs_by_keys(places: Places, plans: Plans, files: FileCache) -> CurrentOutputs:
    """Determine which outputs belong to the question by the keys that they carry. An output without a key,
    from an older version or from a stage that only passed a failure on, belongs where the stage before it
    does and has failed."""
    cell = plans.cell
    if not (places.features_manifest.exists() and places.horizon_splits(cell.horizon).exists()):
        return NONE_CURRENT
    inputs = _inputs(places, plans, files)
    choice = files.read(places.choice(cell), if_there(read_choice))
    stamped = files.read(places.best_params(cell), if_there(read_best_params)) if isinstance(choice, Choice) else choice
    search = stamped is not None and stamped.search_key == cell_key(plans.search, *inputs)
    if not search or not isinstance(choice, Choice):
        return CurrentOutputs(inputs=True, search=search, train=False, scores=False)
    key = retraining_key(plans.train, choice, *inputs)
    train = files.read(places.timings(cell), timings_if_there).key == key
    scores = _scores(places, cell, files)
    if isinstance(scores, Ending) and scores.failed:
        scored = train
    else:
        scored = isinstance(scores, CellScores) and scores.key == scoring_key(plans.evaluate, key)
    return CurrentOutputs(inputs=True, search=True, train=train, scores=train and scored)


def _scores(places: Places, cell: Cell, files: FileCache) -> CellScores | Ending | None:
    return files.read(places.scores_record(cell), if_there(read_scores))


def _live_seeds(
    places: Places, plans: Plans, choice: Choice | Ending | None, files: FileCache
) -> dict[int, SeedRecord]:
    """Return the ended seeds of the retraining that the question asks for."""
    if not isinstance(choice, Choice):
        return {}
    folder = places.training(plans.cell, train_key(plans.train, choice, *_inputs(places, plans, files)))
    paths = {number: folder / f"{SEED_PREFIX}{number}" / OUTCOME for number in range(1, plans.train.seeds + 1)}
    return {number: files.read(path, read_seed) for number, path in paths.items() if path.exists()}


def _inputs(places: Places, plans: Plans, files: FileCache) -> CellInputs:
    return cell_inputs(places, plans.search.question, files.read)
