"""A search killed at random instants: nothing that ended is lost or repeated, and nothing is left running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from tests.cells.kills import kill_at_a_random_instant
from tests.studies import make_study, prepare
from tests.warm_python import stage

from tsladder.artifacts.store import read_lines
from tsladder.places import Places
from tsladder.tracking import MlflowTracker, RunStatus
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
SHORT = 5
"""Its first two instants are drawn from the trials, so that they meet a search of any speed alive."""
PRUNING = {"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.5}


def study_of(folder: Path, trials: int) -> Places:
    places = make_study(folder, search__trials=trials, search__pruning=PRUNING)
    prepare(places)
    return places


def what_was_searched(places: Places) -> list[Any]:
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return [(line["number"], line["draws"], line["params"], line["curve"], line["stop_reason"]) for line in lines]


def live_folder(places: Places) -> Path:
    (folder,) = places.live_records(CELL, "hpo")
    return folder


def check_nothing_is_lost_doubled_or_running(places: Places, undisturbed: Places, trials: int) -> None:
    assert what_was_searched(places) == what_was_searched(undisturbed)
    live = read_lines(live_folder(places) / "trials.jsonl")
    assert sorted(line["number"] for line in live) == list(range(trials))
    runs = MlflowTracker(places.mlruns, "miniature").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]
    logged = sorted(run.name for run in runs if run.status is RunStatus.FINISHED and "/trial-" in run.name)
    assert logged == [f"{CELL}/trial-{number:03d}" for number in range(trials)]
    storage = JournalStorage(JournalFileBackend(str(live_folder(places) / "journal.log")))
    (study,) = storage.get_all_studies()
    states = [trial.state for trial in storage.get_all_trials(study._study_id)]
    assert optuna.trial.TrialState.RUNNING not in states
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    assert sum(state in ended for state in states) == trials


def killed_and_finished(
    folder: Path, undisturbed: Places, *, trials: int, kills: int, seed: int, warm: bool = False
) -> int:
    """A study that is killed up to `kills` times and then left to finish; how often it was killed."""
    places = study_of(folder, trials)
    survived: list[dict[str, Any]] = []
    done = 0
    while done < kills:
        killed = kill_at_a_random_instant(
            places, "hpo", "--cell", str(CELL), trials=trials, seed=seed + done, warm=warm
        )
        found = [line for path in places.studies.glob(f"{CELL}-*/trials.jsonl") for line in read_lines(path)]
        assert found[: len(survived)] == survived, "a trial that had ended was lost"
        survived = found
        if not killed:
            break
        done += 1
    stage(places, "hpo", "--cell", str(CELL))
    check_nothing_is_lost_doubled_or_running(places, undisturbed, trials)
    return done


@pytest.mark.slow
def test_a_search_killed_a_few_times_searches_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    undisturbed = study_of(tmp_path / "undisturbed", 8)
    stage(undisturbed, "hpo", "--cell", str(CELL))
    assert killed_and_finished(tmp_path / "killed", undisturbed, trials=8, kills=4, seed=SHORT) >= 2


@pytest.mark.slow
def test_thirty_trials_killed_at_thirty_random_instants(tmp_path: Path) -> None:
    undisturbed = study_of(tmp_path / "undisturbed", 30)
    stage(undisturbed, "hpo", "--cell", str(CELL))
    kills, round_ = 0, 0
    while kills < 30:
        round_ += 1
        folder = tmp_path / f"killed-{round_}"
        kills += killed_and_finished(folder, undisturbed, trials=30, kills=30 - kills, seed=100 * round_, warm=True)
