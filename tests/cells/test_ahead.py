"""Cells that are trained ahead in one pool, beside the same cells trained by their stages."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.execution.here import HereCrews
from tests.execution.instant import InstantCrews
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import TrainPlan, read_planned
from tsladder.artifacts.store import read_lines
from tsladder.artifacts.trials import TRIALS
from tsladder.cells.ahead import train_ahead
from tsladder.cells.retrain import train_winner
from tsladder.cells.work import open_cell
from tsladder.execution.crew import Crews
from tsladder.locks import exclusive_lock
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, RunStatus
from tsladder.vocabulary import Cell

CELLS = (Cell("12k", 1), Cell("12k", 3))
CLOCKS = ("seconds", "train_seconds", "started_ms", "ended_at", "peak_memory_gib", "paused_seconds")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A study of few trials, which are trained."""
    return made(tmp_path_factory.mktemp("prepared"), trials=2)


@pytest.fixture(scope="module")
def long_search(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A study whose search learns from its trials, which only seem to be trained."""
    return made(tmp_path_factory.mktemp("long"), trials=14)


def made(folder: Path, trials: int) -> Places:
    places = make_study(
        folder, horizons=[1, 3], search__trials=trials, search__presets__quick__space__epochs={"choices": [1]}
    )
    prepare(places)
    return places


def copy_of(prepared: Places, folder: Path) -> Places:
    shutil.copytree(prepared.root, folder)
    return Places(folder, folder)


def train_here(places: Places, cells: Sequence[Cell], crews: Crews) -> None:
    """Search and retrain by the stages' own functions."""
    for cell in cells:
        search_here(places, cell, crews=crews)
        plan = read_planned(TrainPlan, places.train_plan(cell))
        work = open_cell(places, params_of(places), cell, plan, crews=crews)
        train_winner(work, read_winner(places.choice(cell)), MemoryTracker())


def trials(places: Places, cell: Cell) -> list[dict[str, Any]]:
    lines = read_lines(places.hpo(cell) / TRIALS)
    return [{name: value for name, value in line.items() if name not in CLOCKS} for line in lines]


def weights(places: Places, cell: Cell) -> list[bytes]:
    return [path.read_bytes() for path in sorted(places.models(cell).glob("seed-*/model.safetensors"))]


@pytest.mark.slow
def test_stages_after_it_train_nothing_and_write_what_they_would_have_written(prepared: Places, tmp_path: Path) -> None:
    alone, ahead = copy_of(prepared, tmp_path / "alone"), copy_of(prepared, tmp_path / "ahead")
    train_here(alone, CELLS, HereCrews())
    tracker = MemoryTracker()
    assert train_ahead(ahead, params_of(ahead), CELLS, tracker, crews=HereCrews()) == {}
    assert not (ahead.root / "artifacts" / "hpo").exists()
    assert not (ahead.root / "artifacts" / "models").exists()
    after = HereCrews()
    train_here(ahead, CELLS, after)
    assert after.trained == []
    for cell in CELLS:
        assert trials(ahead, cell) == trials(alone, cell)
        assert ahead.choice(cell).read_bytes() == alone.choice(cell).read_bytes()
        assert weights(ahead, cell) == weights(alone, cell) != []
    runs = tracker.runs()
    assert {run.status for run in runs} == {RunStatus.FINISHED}
    assert {run.name for run in runs if run.parent_id is None} == set(map(str, CELLS))


@pytest.fixture(scope="module")
def searched_alone(long_search: Places, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The same study, each of whose cells was searched by itself."""
    alone = copy_of(long_search, tmp_path_factory.mktemp("searched") / "alone")
    for cell in CELLS:
        search_here(alone, cell, crews=InstantCrews())
    return alone


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_searches_side_by_side_are_those_alone_in_whatever_order_trials_end(
    long_search: Places, searched_alone: Places, tmp_path: Path, seed: int
) -> None:
    alone, ahead = searched_alone, copy_of(long_search, tmp_path / "ahead")
    # The instant crew saves no model, so that the retraining ends with an error of its own.
    train_ahead(ahead, params_of(ahead), CELLS, MemoryTracker(), crews=InstantCrews(seed=seed))
    for cell in CELLS:
        crews = InstantCrews()
        search_here(ahead, cell, crews=crews)
        assert crews.trained == []
        assert trials(ahead, cell) == trials(alone, cell)


def test_a_cell_that_another_process_works_on_is_named_and_the_others_are_trained(
    prepared: Places, tmp_path: Path
) -> None:
    places = copy_of(prepared, tmp_path / "study")
    train_ahead(places, params_of(places), CELLS[:1], MemoryTracker(), crews=HereCrews())
    (live,) = places.live_records(CELLS[0], "hpo")
    with exclusive_lock(live, "the search"):
        errors = train_ahead(places, params_of(places), CELLS, MemoryTracker(), crews=HereCrews())
    assert list(errors) == [CELLS[0]]
    (other,) = places.live_records(CELLS[1], "hpo")
    assert len(read_lines(other / TRIALS)) == 2


def test_cells_above_the_top_rung_are_left_out(prepared: Places, tmp_path: Path) -> None:
    places = copy_of(prepared, tmp_path / "study")
    crews = HereCrews()
    assert train_ahead(places, params_of(places), [Cell("30k", 1)], MemoryTracker(), crews=crews) == {}
    assert crews.trained == []
