"""Which files of a cell belong to the question: the outputs of its stages, else the live records of the same question.

Two that ask know it in two ways: the status compares every stage with dvc.lock, and the table that is written while
stages run compares the keys that their outputs carry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tsladder.artifacts.seeds import OUTCOME, SEED_PREFIX, SeedRecord, read_seed
from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.errors import WorkFailed
from tsladder.places import Places
from tsladder.planning.plans import Plan, cell_key, retraining_key, scoring_key, train_key
from tsladder.results.cell_files import CellRecords, cell_facts
from tsladder.results.facts import CellFacts
from tsladder.results.stored import Record, read_if_there, timings_if_there
from tsladder.results.unchanged import Unchanged
from tsladder.vocabulary import Cell, CellStatus


class Plans(Protocol):
    """The plan files of one cell."""

    @property
    def cell(self) -> Cell: ...
    @property
    def search(self) -> Plan: ...
    @property
    def train(self) -> Plan: ...
    @property
    def evaluate(self) -> Plan: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """Which outputs belong to the question: those of the inputs, of the search, of the retraining, of the scoring."""

    inputs: bool
    search: bool
    train: bool
    scores: bool


NONE_BELONGS = Belonging(inputs=False, search=False, train=False, scores=False)


def gather(places: Places, plans: Plans, belonging: Belonging, files: Unchanged) -> CellRecords:
    """What there is of the cell. Raises WorkFailed for a damaged file."""
    if not belonging.inputs:
        return CellRecords()
    cell = plans.cell
    if not belonging.search:
        live = places.study(cell, cell_key(plans.search, *_inputs(places, cell, files)))
        return CellRecords(
            best=files.read(live / "best_params.json", read_if_there),
            trials=files.read(live / TRIALS, read_trials),
        )
    choice = files.read(places.choice(cell), read_if_there)
    return CellRecords(
        choice=choice,
        coverage=files.read(places.hpo(cell) / "coverage.json", read_if_there),
        best=files.read(places.hpo(cell) / "best_params.json", read_if_there),
        trials=files.read(places.hpo(cell) / TRIALS, read_trials),
        seeds=files.read(places.timings(cell), timings_if_there).seeds
        if belonging.train
        else _live_seeds(places, plans, choice, files),
        scores=_scores(places, cell, files) if belonging.scores else {},
    )


def facts_of(places: Places, plans: Plans, belonging: Callable[[], Belonging], files: Unchanged) -> CellFacts:
    """What is known of a planned cell; of one whose files cannot be read only the reason."""
    try:
        return cell_facts(plans.cell, gather(places, plans, belonging(), files))
    except (WorkFailed, OSError, KeyError, TypeError, ValueError) as error:
        # Torn by a loss of power, or written by another version: its stage says so, and no other cell is hidden.
        nothing = cell_facts(plans.cell, CellRecords())
        return dataclasses.replace(nothing, reason=f"its files cannot be read: {error}")


def belonging_by_keys(places: Places, plans: Plans, files: Unchanged) -> Belonging:
    """As the keys say that outputs carry; one without a key, of an older version or of a stage that only handed a
    failure on, belongs where the stage before it does and has failed."""
    cell = plans.cell
    manifest = files.read(places.features / "manifest.json", read_if_there)
    if "fingerprint" not in manifest or not places.horizon_splits(cell.horizon).exists():
        return NONE_BELONGS
    inputs = _inputs(places, cell, files)
    choice = files.read(places.choice(cell), read_if_there)
    found = choice.get("status") == CellStatus.DONE
    stamped = files.read(places.hpo(cell) / "best_params.json", read_if_there) if found else choice
    search = stamped.get("search_key") == cell_key(plans.search, *inputs)
    if not search or not found:
        return Belonging(inputs=True, search=search, train=False, scores=False)
    key = retraining_key(plans.train, choice, *inputs)
    train = files.read(places.timings(cell), timings_if_there).key == key
    scores = _scores(places, cell, files)
    if scores.get("status") == CellStatus.FAILED:
        scored = train
    else:
        scored = scores.get("key") == scoring_key(plans.evaluate, key)
    return Belonging(inputs=True, search=True, train=train, scores=train and scored)


def _scores(places: Places, cell: Cell, files: Unchanged) -> Record:
    return files.read(places.scores(cell) / "scores.json", read_if_there)


def _live_seeds(places: Places, plans: Plans, choice: Record, files: Unchanged) -> dict[int, SeedRecord]:
    """Of the retraining that the question asks for, the seeds that have ended."""
    if choice.get("status") != CellStatus.DONE:
        return {}
    folder = places.training(plans.cell, train_key(plans.train, choice, *_inputs(places, plans.cell, files)))
    paths = {number: folder / f"{SEED_PREFIX}{number}" / OUTCOME for number in range(1, plans.train["seeds"] + 1)}
    return {number: files.read(path, read_seed) for number, path in paths.items() if path.exists()}


def _inputs(places: Places, cell: Cell, files: Unchanged) -> tuple[str, Mapping[str, Any]]:
    """The values of the features and of the splits."""
    fingerprint = str(files.json(places.features / "manifest.json")["fingerprint"])
    return fingerprint, files.json(places.horizon_splits(cell.horizon))
