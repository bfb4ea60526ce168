"""Runs of seeds in MLflow where a process is killed beside them: none is missing, and none is there twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.execution.instant import InstantCrews, Killed
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import TrainPlan, read_plan
from tsladder.artifacts.seeds import SeedRecord, write_seed
from tsladder.cells import retrain
from tsladder.cells.retrain import train_winner
from tsladder.cells.work import open_cell
from tsladder.places import Places
from tsladder.tracking import LoggedRun, MemoryTracker, MlflowTracker, RunRecord, RunStatus, Tracker
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
SEEDS = 3
INSTANTS = ("before the outcome", "before the spool", "after the spool")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(tmp_path_factory.mktemp("searched"), search__trials=2, train__seeds=SEEDS)
    prepare(places)
    search_here(places, CELL, crews=InstantCrews())
    return places


@pytest.fixture
def study(searched: Places, tmp_path: Path) -> Places:
    shutil.copytree(searched.root, tmp_path / "study")
    return Places(tmp_path / "study", tmp_path / "study")


def train(places: Places, tracker: Tracker) -> None:
    plan = read_plan(TrainPlan, places.train_plan(CELL))
    work = open_cell(places, params_of(places), CELL, plan, crews=InstantCrews())
    train_winner(work, read_winner(places.choice(CELL)), tracker)


def kill_at(instant: str, of_seed: int, tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the process killed at an instant of the end of the `of_seed`th seed."""
    ended = 0
    log_run = tracker.log_run

    def at(here: str) -> None:
        if here == instant and ended == of_seed:
            raise Killed

    def write(path: Path, record: SeedRecord) -> None:
        nonlocal ended
        ended += 1
        at("before the outcome")
        write_seed(path, record)

    def log(record: RunRecord, *, entry: str | None = None) -> str:
        at("before the spool")
        name = log_run(record, entry=entry)
        at("after the spool")
        return name

    monkeypatch.setattr(retrain, "write_seed", write)
    monkeypatch.setattr(tracker, "log_run", log)


def of_seeds(tracker: MemoryTracker | MlflowTracker) -> list[LoggedRun]:
    return sorted((run for run in tracker.runs() if run.tags["kind"] == "seed"), key=lambda run: run.name)


class OpenTracker(MemoryTracker):
    """Tracker whose methods can be replaced."""


@pytest.mark.parametrize("instant", INSTANTS)
@pytest.mark.parametrize("of_seed", range(1, SEEDS + 1))
def test_a_kill_beside_the_run_of_a_seed_loses_no_run_and_doubles_none(
    instant: str, of_seed: int, study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = OpenTracker()
    with monkeypatch.context() as patched:
        kill_at(instant, of_seed, tracker, patched)
        with pytest.raises(Killed):
            train(study, tracker)
    train(study, tracker)
    check(study, tracker)
    before = tracker.runs()
    train(study, tracker)
    assert tracker.runs() == before  # a further start finds nothing to log


def test_a_kill_on_either_side_of_the_spool_leaves_one_run_of_each_seed_in_mlflow(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    for instant, of_seed in (("before the spool", 1), ("after the spool", 1)):
        tracker = MlflowTracker(study.mlruns, "miniature")
        with monkeypatch.context() as patched:
            kill_at(instant, of_seed, tracker, patched)
            with pytest.raises(Killed):
                train(study, tracker)
    tracker = MlflowTracker(study.mlruns, "miniature")
    train(study, tracker)
    check(study, tracker)


def check(study: Places, tracker: MemoryTracker | MlflowTracker) -> None:
    runs = of_seeds(tracker)
    assert [run.name for run in runs] == [f"{CELL}/seed-{number}" for number in range(1, SEEDS + 1)]
    assert not [run.name for run in tracker.runs() if run.status is RunStatus.RUNNING]
    undisturbed = MemoryTracker()
    for folder in study.live_records(CELL, "train"):
        shutil.rmtree(folder)
    train(study, undisturbed)
    for one, other in zip(runs, of_seeds(undisturbed), strict=True):
        assert (one.name, one.status, one.params, one.metrics) == (
            other.name,
            other.status,
            other.params,
            other.metrics,
        )
