"""A trial that another search has trained is not trained again, and nothing else comes of it than if it were."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.execution.instant import InstantCrews, Killed
from tests.studies import make_study, params_of, prepare, search_here, start_stage, verb
from tests.warm_python import stage

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.cells.supplementary import search_supplementary
from tsladder.cells.work import open_cell
from tsladder.locks import exclusive_lock
from tsladder.places import Places
from tsladder.planning.cells import plan_cells
from tsladder.planning.plans import train_key
from tsladder.search.takeover import fetch_checkpoint
from tsladder.search.takeover_forecast import TakeoverForecast
from tsladder.status.taken_over import count_taken_over
from tsladder.tracking import MemoryTracker, MlflowTracker, RunRecord, RunStatus
from tsladder.training.checkpoint_plan import CHECKPOINTS
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
PRUNING = {"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.5}
STOP = {"min_trials": 8, "top": 3, "spread": 0.02}
LEAVES = {"search__presets__quick__space__epochs": {"choices": [6]}}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Features and splits of a study, which no test here changes."""
    places = make_study(tmp_path_factory.mktemp("template"), **LEAVES)
    prepare(places)
    return places


@pytest.fixture
def study(template: Places, tmp_path: Path) -> Callable[..., Places]:
    """A study in a folder of its own, or the same one asked something else."""

    def ask(name: str = "study", **leaves: Any) -> Places:
        places = make_study(tmp_path / name, **(LEAVES | leaves))
        shutil.copytree(template.artifacts, places.artifacts, dirs_exist_ok=True)
        verb("plan")(places, params_of(places))
        return places

    return ask


def searched(places: Places) -> list[dict[str, Any]]:
    """Trials without what is of the clock or says where they come from."""
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    clocks = ("seconds", "train_seconds", "started_ms", "ended_at", "taken_from")
    return [{name: value for name, value in line.items() if name not in clocks} for line in lines]


def forecast_of(places: Places) -> TakeoverForecast:
    """What `plan` says of the cell before it is searched."""
    plans = next(plans for plans in plan_cells(params_of(places)) if plans.cell == CELL)
    return count_taken_over(places, plans, lag=2)


def results(places: Places) -> tuple[Any, ...]:
    """All that a search leaves for those after it."""
    return searched(places), read_json(places.choice(CELL))


@pytest.mark.parametrize(
    ("first", "then", "trained"),
    [
        ({"trials": 8}, {"trials": 3}, 0),
        ({"trials": 11}, {"trials": 11, "pruning": PRUNING}, None),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ({"trials": 11, "pruning": PRUNING}, {"trials": 11}, None),
                ({"trials": 8}, {"trials": 12}, 4),
                ({"trials": 20}, {"trials": 50}, 30),
                ({"trials": 8}, {"trials": 6}, 0),
                ({"trials": 3}, {"trials": 8}, 5),
                ({"trials": 11}, {"trials": 11, "stop": STOP}, 0),
                ({"trials": 14, "stop": STOP}, {"trials": 14}, None),
                ({"trials": 20, "pruning": PRUNING}, {"trials": 26, "pruning": PRUNING}, 6),
                ({"trials": 12, "pruning": PRUNING}, {"trials": 12, "pruning": PRUNING | {"min_steps": 8}}, None),
                ({"trials": 12, "pruning": PRUNING}, {"trials": 12, "pruning": PRUNING | {"reach": 0.2}}, None),
            )
        ),
    ],
)
def test_a_search_that_takes_over_is_the_one_that_trains_all(
    study: Callable[..., Places], first: Any, then: Any, trained: int | None
) -> None:
    """Whatever the order in which workers end; `trained`: of the second search, None where rules differ."""
    before, after = ({f"search__{name}": value for name, value in search.items()} for search in (first, then))
    crew = InstantCrews()
    undisturbed = study("undisturbed", **after)
    search_here(undisturbed, CELL, crews=crew)
    search_here(study(**before), CELL, crews=crew)
    crew = InstantCrews(seed=1)
    places = study(**after)
    told = forecast_of(places)
    search_here(places, CELL, crews=crew)
    assert results(places) == results(undisturbed)
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert sorted(crew.trained) == sorted(line["number"] for line in lines if line["taken_from"] is None)
    taken = len(lines) - len(crew.trained)
    assert told.trials == taken if told.exact else 6 <= told.trials <= taken
    assert told.exact or "pruning" in {*first, *then}
    assert forecast_of(places).trials == 0
    assert len(crew.trained) < len(lines) if trained is None else len(crew.trained) == trained


def test_a_failed_ending_is_tried_again_and_an_unreadable_line_is_no_trial(study: Callable[..., Places]) -> None:
    crew = InstantCrews(failing=frozenset({1}))
    places = study(search__trials=6)
    search_here(places, CELL, crews=crew)
    (folder,) = places.live_records(CELL, "hpo")
    lines = (folder / "trials.jsonl").read_text().splitlines()
    spoilt = [line[:-9] if json.loads(line)["number"] == 3 else line for line in lines]
    (folder / "trials.jsonl").write_text("\n".join(spoilt) + "\n{torn")
    crew = InstantCrews()
    search_here(study(search__trials=7), CELL, crews=crew)
    assert sorted(crew.trained) == [1, 3, 6]
    assert (folder / "trials.jsonl").read_text().endswith("{torn")


def test_another_seed_or_recipe_or_task_trains_all_again(study: Callable[..., Places]) -> None:
    crew = InstantCrews()
    search_here(study(search__trials=6), CELL, crews=crew)
    for leaf, value in (("study__seed", 7), ("training__schedule", "constant"), ("target__task", "threshold_2pct")):
        crew = InstantCrews()
        search_here(study(search__trials=6, **{leaf: value}), CELL, crews=crew)
        assert sorted(crew.trained) == list(range(6)), leaf


def test_a_study_copied_to_another_machine_takes_its_trials_along(study: Callable[..., Places]) -> None:
    crew = InstantCrews()
    here = study("here", search__trials=8)
    search_here(here, CELL, crews=crew)
    there = study("there", search__trials=9)
    shutil.copytree(here.studies, there.studies)
    crew = InstantCrews()
    search_here(there, CELL, crews=crew)
    assert crew.trained == [8]


def test_a_trial_taken_over_is_a_run_of_its_search_that_says_so_and_is_logged_once(
    study: Callable[..., Places],
) -> None:
    crew = InstantCrews()
    search_here(study(search__trials=6), CELL, crews=crew)
    (folder,) = study(search__trials=6).live_records(CELL, "hpo")
    places, tracker = study(search__trials=7), MemoryTracker()
    for _ in range(2):
        search_here(places, CELL, tracker, crews=crew)
    trials = {run.name: run for run in tracker.runs() if run.parent_id is not None}
    assert sorted(trials) == [f"{CELL}/trial-{number:03d}" for number in range(7)]
    assert sum(run.parent_id is not None for run in tracker.runs()) == 7
    assert {run.status for run in trials.values()} <= {RunStatus.FINISHED, RunStatus.FAILED}
    said = [trials[f"{CELL}/trial-{number:03d}"].tags.get("taken_from") for number in range(7)]
    assert said == [*(f"trial {number + 1} of {folder.name}" for number in range(6)), None]
    assert read_json(places.hpo(CELL) / "coverage.json")["trials_taken_over"] == 6


class DyingTracker(MemoryTracker):
    """Its process dies with the second run of a trial that it writes, which it leaves open."""

    def log_run(self, record: RunRecord) -> str:
        if self.written:
            super().log_run(dataclasses.replace(record, status=RunStatus.RUNNING))
            raise Killed
        self.written = True
        return super().log_run(record)

    written = False


def test_a_kill_while_trials_are_taken_over_loses_and_doubles_nothing(study: Callable[..., Places]) -> None:
    """Dies with every second trial that it takes over, its line written, before MLflow has it."""
    crew = InstantCrews()
    search_here(study(search__trials=6), CELL, crews=crew)
    undisturbed = study("undisturbed", search__trials=9)
    search_here(undisturbed, CELL, crews=crew)
    places, tracker, crews = study(search__trials=9), DyingTracker(), []
    while len(crews) < 20:
        crews.append(crew := InstantCrews())
        try:
            search_here(places, CELL, tracker, crews=crew)
            break
        except Killed:
            tracker = DyingTracker(stored=tracker.stored, artifacts=tracker.artifacts)
    assert len(crews) > 5
    assert sorted(number for crew in crews for number in crew.trained) == [6, 7, 8]
    # What was training when the process died is a second attempt.
    attempts = [{**line, "attempt": 1} for line in searched(places)]
    assert attempts == searched(undisturbed)
    closed = sorted(run.name for run in tracker.runs() if run.parent_id is not None and run.status.value != "KILLED")
    assert closed == [f"{CELL}/trial-{number:03d}" for number in range(9)]


RATES = {"search__presets__quick__space__learning_rate": {"low": 1.0e-5, "high": 2.0e-3, "log": True}}
ZERO = {"search__presets__quick__space__weight_decay": {"zero_or": {"low": 1.0e-4, "high": 5.0e-3, "log": True}}}


def test_a_wider_space_continues_from_the_trials_of_the_narrower_one_and_says_so(
    study: Callable[..., Places], capsys: pytest.CaptureFixture[str]
) -> None:
    crew = InstantCrews()
    narrow = study(search__trials=8)
    search_here(narrow, CELL, crews=crew)
    known = searched(narrow)
    crew = InstantCrews()
    wide = study(search__trials=11, **RATES)
    assert forecast_of(wide) == TakeoverForecast(8, exact=True)
    search_here(wide, CELL, crews=crew)
    assert sorted(crew.trained) == [8, 9, 10]
    assert [line["identity"] for line in searched(wide)[:8]] == [line["identity"] for line in known]
    notes = read_json(wide.hpo(CELL) / "coverage.json")["notes"]
    assert any("whose search space this one contains" in note for note in notes)
    assert "whose search space this one contains" in capsys.readouterr().err


@pytest.mark.slow
def test_a_longer_search_of_the_wider_space_adopts_what_the_shorter_one_did(study: Callable[..., Places]) -> None:
    crew = InstantCrews()
    search_here(study(search__trials=8), CELL, crews=crew)
    wide = study(search__trials=10, **(RATES | ZERO))
    search_here(wide, CELL, crews=crew)
    shorter = searched(wide)
    # A richer search of the narrower space comes too late for it.
    search_here(study(search__trials=12), CELL, crews=crew)
    crew = InstantCrews()
    longer = study(search__trials=12, **(RATES | ZERO))
    search_here(longer, CELL, crews=crew)
    assert searched(longer)[:10] == shorter
    assert sorted(crew.trained) == [10, 11]


@pytest.mark.slow
def test_a_search_that_adopted_and_was_killed_continues_as_if_it_had_not_been(study: Callable[..., Places]) -> None:
    crew = InstantCrews()
    narrow = study(search__trials=8)
    search_here(narrow, CELL, crews=crew)
    other = study("other", search__trials=11, **RATES)
    shutil.copytree(narrow.studies, other.studies)
    search_here(other, CELL, crews=crew)
    places = study(search__trials=11, **RATES)
    tracker = DyingTracker()
    with pytest.raises(Killed):
        search_here(places, CELL, tracker, crews=crew)
    # What is found meanwhile changes nothing any more.
    search_here(study(search__trials=10), CELL, crews=crew)
    search_here(study(search__trials=11, **RATES), CELL, crews=crew)
    assert searched(places) == searched(other)


def test_a_narrower_space_and_another_strategy_adopt_nothing(study: Callable[..., Places]) -> None:
    crew = InstantCrews()
    search_here(study(search__trials=7, **RATES), CELL, crews=crew)
    crew = InstantCrews()
    narrower = study(search__trials=7)
    assert forecast_of(narrower) == TakeoverForecast(0, exact=True)
    search_here(narrower, CELL, crews=crew)
    other = study(search__trials=7, search__strategy="random_search", **RATES)
    assert forecast_of(other) == TakeoverForecast(0, exact=False)
    search_here(other, CELL, crews=crew)
    assert len(crew.trained) == 14


def test_what_follows_a_search_is_not_repeated_where_only_its_length_and_stop_are_others(
    study: Callable[..., Places],
) -> None:
    """The second phase, and the retraining of the winner, whose identity is a question of the plan and the choice."""
    leaves: dict[str, Any] = {
        "search__strategy": "two_phase",
        "search__supplementary": {"budgets": "auto", "trials": 3},
        "search__trials": 3,
    }
    keys, trained = [], []
    for further in ({}, {"search__trials": 4, "search__stop": {"min_trials": 4, "top": 2, "spread": 1.0}}):
        # The fourth trial shall not win.
        crew = InstantCrews(failing=frozenset({3}))
        places = study(**(leaves | further))
        search_here(places, CELL, crews=crew)
        search_supplementary(places, params_of(places), MemoryTracker(), crews=crew)
        work = open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
        choice, inputs = (
            read_winner(places.choice(CELL)),
            (work.dataset.table.fingerprint(), work.dataset.splits_record),
        )
        keys.append((choice, train_key(work.plan, choice, *inputs)))
        trained.append(len(crew.trained))
    assert keys[0] == keys[1]
    assert trained == [6, 1]


@pytest.mark.slow
def test_real_trainings_are_taken_over_to_the_digit_whenever_the_process_is_killed(tmp_path: Path) -> None:
    """20 kills at instants drawn by a seed, most of them while trials are being taken over."""
    undisturbed = make_study(tmp_path / "undisturbed", search__trials=8)
    prepare(undisturbed)
    stage(undisturbed, "hpo", "--cell", str(CELL))
    places = make_study(tmp_path / "study", search__trials=6)
    prepare(places)
    stage(places, "hpo", "--cell", str(CELL))
    make_study(tmp_path / "study", search__trials=8)
    verb("plan")(places, params_of(places))
    rng = random.Random(1)
    for _ in range(20):
        process = start_stage(places, "hpo", "--cell", str(CELL))
        try:
            process.communicate(timeout=rng.uniform(1.0, 7.0))
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    stage(places, "hpo", "--cell", str(CELL))
    found, expected = (read_lines(p.hpo(CELL) / "trials.jsonl") for p in (places, undisturbed))
    told = ("number", "draws", "params", "curve", "stop_reason", "identity", "best_val_loss", "val_auc")
    assert [[line[name] for name in told] for line in found] == [[line[name] for name in told] for line in expected]
    assert read_json(places.choice(CELL)) == read_json(undisturbed.choice(CELL))
    assert [line["number"] for line in found if line["taken_from"] is None] == [6, 7]
    runs = MlflowTracker(places.mlruns, "miniature").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]
    keys = {run.tags["study_key"] for run in runs}
    logged = sorted((run.tags["study_key"], run.name) for run in runs if run.status is RunStatus.FINISHED)
    assert len(keys) == 2
    assert len([name for _, name in logged if "/trial-" in name]) == 6 + 8
    assert len(set(logged)) == len(logged)


def test_a_checkpoint_of_an_equal_trial_moves_to_the_search_that_continues_with_it(tmp_path: Path) -> None:
    own, other, third = tmp_path / "own", tmp_path / "other", tmp_path / "third"
    for folder in (own, other, third):
        folder.mkdir()
    left = other / CHECKPOINTS / "trial-a"
    left.mkdir(parents=True)
    (left / "state").write_text("left by the other")
    assert fetch_checkpoint([own, third], own, "trial-a") is None
    with exclusive_lock(other, "the other search"):
        assert fetch_checkpoint([own, other], own, "trial-a") is None
    assert fetch_checkpoint([own, other], own, "trial-a") == other
    assert (own / CHECKPOINTS / "trial-a" / "state").read_text() == "left by the other"
    left.mkdir(parents=True)
    assert fetch_checkpoint([own, other], own, "trial-a") is None
