"""The search as a process: what it leaves, and what a kill, a stop and a second start do to it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests import mlflow_tables, warm_python
from tests.studies import make_study, params_of, prepare, search_here, stage, start_stage

from tsladder.artifacts.plans import SearchPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.cells.search_cell import search_cell
from tsladder.cells.work import open_cell
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, MlflowTracker, RunRecord, RunStatus
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 7


def live_trials(places: Places) -> list[dict[str, Any]]:
    (path,) = places.studies.glob(f"{CELL}-*/trials.jsonl")
    return read_lines(path)


def what_was_searched(places: Places) -> list[Any]:
    """Trials without what depends on the clock or the process."""
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return [(line["number"], line["draws"], line["params"], line["best_val_loss"], line["val_auc"]) for line in lines]


def wait_for_lines(places: Places, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        paths = list(places.studies.glob(f"{CELL}-*/trials.jsonl"))
        if paths and len(read_lines(paths[0])) >= count:
            return
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)
    raise AssertionError(f"no {count} trials within 90 s")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryTracker]:
    """A cell searched in this process, logged to the in-memory twin."""
    places = make_study(tmp_path_factory.mktemp("finished"))
    prepare(places)
    tracker = MemoryTracker()
    search_cell(open_cell(places, params_of(places), CELL, read_plan(SearchPlan, places.search_plan(CELL))), tracker)
    return places, tracker


def test_every_trial_is_on_disk_with_what_the_contract_names(finished: tuple[Places, MemoryTracker]) -> None:
    places, _ = finished
    lines = live_trials(places)
    assert sorted(line["number"] for line in lines) == list(range(TRIALS))
    for line in lines:
        assert {"number", "attempt", "state", "stop_reason", "params", "n_params", "best_val_loss", "seconds"} <= set(
            line
        )
        assert line["state"] == "complete"
        assert line["peak_memory_gib"] > 0


def test_the_choice_is_the_best_trial_and_holds_no_clock(finished: tuple[Places, MemoryTracker]) -> None:
    places, _ = finished
    winner = min(live_trials(places), key=lambda line: (line["best_val_loss"], line["number"]))
    choice = read_json(places.choice(CELL))
    assert choice["architecture"]["d_model"] == winner["params"]["d_model"]
    assert choice["settings"]["learning_rate"] == winner["params"]["learning_rate"]
    assert choice["n_params"] == winner["n_params"]
    assert set(choice) == {
        *("cell", "budget", "horizon", "status", "architecture", "settings"),
        *("n_params", "n_params_blocks", "n_params_body", "off_budget"),
    }
    best = read_json(places.hpo(CELL) / "best_params.json")
    assert best["best_val_loss"] == winner["best_val_loss"]
    assert best["timestamp"] == winner["ended_at"]
    assert best["n_trials"] == TRIALS
    assert set(best["architecture"]) == {"d_model", "n_layers", "n_heads", "d_ff", "patch_len", "stride"}
    assert set(best["training"]) == {
        *("learning_rate", "epochs", "batch_size", "weight_decay", "warmup_steps", "dropout"),
    }


def test_every_trial_is_a_nested_run_with_the_contract_of_names(finished: tuple[Places, MemoryTracker]) -> None:
    _, tracker = finished
    (parent,) = [run for run in tracker.runs() if run.name == str(CELL)]
    trials = tracker.runs(parent.run_id)
    assert sorted(run.name for run in trials) == [f"12k-h1/trial-{number:03d}" for number in range(TRIALS)]
    for run in trials:
        assert {"budget", "horizon", "model", "tier", "task", "phase", "study_key", "stop_reason"} <= set(run.tags)
        assert run.tags["phase"] == "search"
        assert {
            *("d_model", "n_layers", "n_heads", "d_ff", "n_params", "learning_rate", "weight_decay", "warmup_steps"),
            *("dropout", "epochs", "micro_batch", "accumulation_steps", "effective_batch", "precision", "optimizer"),
            *("activation_checkpointing", "seed"),
        } <= set(run.params)
        assert {
            *("val_loss", "train_loss", "best_val_loss", "val_auc", "base_rate_loss", "peak_memory_gib"),
            *("predicted_memory_gib", "seconds", "epochs_run"),
        } <= set(run.metrics)
        assert run.status is RunStatus.FINISHED


def test_a_second_start_of_a_finished_cell_trains_nothing(finished: tuple[Places, MemoryTracker]) -> None:
    places, tracker = finished
    before, runs = live_trials(places), len(tracker.runs())
    search_cell(open_cell(places, params_of(places), CELL, read_plan(SearchPlan, places.search_plan(CELL))), tracker)
    assert live_trials(places) == before
    assert len(tracker.runs()) == runs


def test_what_a_kill_kept_from_mlflow_is_copied_at_the_next_start_however_often_that_is_killed(
    finished: tuple[Places, MemoryTracker],
) -> None:
    places, _ = finished

    class Killed(Exception):
        pass

    class KilledAtLogging(MemoryTracker):
        """Dies while it writes its third trial: that run is left RUNNING."""

        def log_run(self, record: RunRecord) -> str:
            if len(self.runs()) >= 3:
                super().log_run(dataclasses.replace(record, status=RunStatus.RUNNING))
                raise Killed
            return super().log_run(record)

    tracker = KilledAtLogging()
    for _ in range(2):
        with pytest.raises(Killed):
            search_here(places, CELL, tracker)
    survivor = MemoryTracker(stored=tracker.stored)
    search_here(places, CELL, survivor)
    done = sorted(run.name for run in survivor.runs() if run.status is RunStatus.FINISHED and run.parent_id is not None)
    assert done == [f"12k-h1/trial-{number:03d}" for number in range(TRIALS)]
    assert not [run.name for run in survivor.runs() if run.status is RunStatus.RUNNING]


@pytest.mark.slow
def test_the_same_study_searched_again_repeats_every_trial(
    finished: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    again = make_study(tmp_path)
    prepare(again)
    warm_python.stage(again, "hpo", "--cell", str(CELL))
    assert what_was_searched(again) == what_was_searched(finished[0])


@pytest.mark.slow
def test_one_worker_and_two_search_the_same_forced_configurations_and_the_same_number_of_trials(
    finished: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    two, _ = finished
    one = make_study(tmp_path, hardware__workers=1)
    prepare(one)
    search_cell(open_cell(one, params_of(one), CELL, read_plan(SearchPlan, one.search_plan(CELL))), MemoryTracker())
    lines = {workers: read_lines(places.hpo(CELL) / "trials.jsonl") for workers, places in ((1, one), (2, two))}
    assert {line["workers"] for line in lines[1]} == {1}
    assert {line["workers"] for line in lines[2]} == {2}
    forced = {w: [(t["number"], t["forced"], t["draws"]) for t in found if t["forced"]] for w, found in lines.items()}
    assert forced[1] == forced[2]
    assert [line["number"] for line in lines[1]] == [line["number"] for line in lines[2]] == list(range(TRIALS))


@pytest.mark.slow
def test_a_stop_request_ends_in_order_and_the_next_start_finishes(
    finished: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    places = make_study(tmp_path, search__presets__quick__space__epochs={"choices": [60]}, training__patience=None)
    prepare(places)
    process = start_stage(places, "hpo", "--cell", str(CELL))
    wait_for_lines(places, 1, process)
    # As a terminal does: to the whole group, a worker that is just being forked included.
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    ended = [line for line in live_trials(places) if line["state"] == "complete"]
    interrupted = {line["number"]: line for line in live_trials(places) if line["state"] == "interrupted"}
    assert len(ended) < TRIALS
    assert {line["state"] for line in live_trials(places)} <= {"complete", "interrupted"}
    assert not places.choice(CELL).exists()
    warm_python.stage(places, "hpo", "--cell", str(CELL))
    final = {line["number"]: line for line in live_trials(places)}
    assert sorted(final) == list(range(TRIALS))
    for number, line in interrupted.items():
        assert final[number]["attempt"] == line["attempt"] + 1
        assert final[number]["draws"] == line["draws"]


@pytest.mark.slow
def test_trials_that_keep_checkpoints_stop_within_seconds_and_continue_from_there(tmp_path: Path) -> None:
    leaves: dict[str, Any] = {
        "search__presets__quick__space__epochs": {"choices": [120]},
        "training__patience": None,
        "training__checkpoint_minutes": 0.01,
    }
    undisturbed = make_study(tmp_path / "undisturbed", **leaves)
    prepare(undisturbed)
    warm_python.stage(undisturbed, "hpo", "--cell", str(CELL))
    places = make_study(tmp_path / "stopped", **leaves)
    prepare(places)
    process = start_stage(places, "hpo", "--cell", str(CELL))
    wait_for_lines(places, 1, process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    interrupted = [line for line in live_trials(places) if line["state"] == "interrupted"]
    assert interrupted
    warm_python.stage(places, "hpo", "--cell", str(CELL))
    again = {line["number"]: line for line in live_trials(places)}
    assert all(again[line["number"]]["resumed_at"] > 0 for line in interrupted if line["curve"])
    assert what_was_searched(places) == what_was_searched(undisturbed)
    assert places.choice(CELL).read_bytes() == undisturbed.choice(CELL).read_bytes()
    assert not list(places.studies.glob("*/checkpoints"))


@pytest.mark.slow
def test_a_second_stop_request_stops_at_once_and_loses_no_ended_trial(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Epochs of many optimizer steps, so that finishing one would take long.
    places = make_study(
        tmp_path,
        search__presets__quick__space__epochs={"choices": [4000]},
        training__patience=None,
        training__effective_batch=1,
        training__checkpoint_minutes=None,
        ladder=["12k", "750k"],
        budget="750k",
    )
    prepare(places)
    places.mlruns.mkdir(exist_ok=True)
    shutil.copy(mlflow_tables.made_once(mlflow_tables.shared_folder(tmp_path_factory)), places.mlruns / "mlflow.db")
    process = start_stage(places, "hpo", "--cell", "750k-h1")
    deadline = time.monotonic() + 60
    while not list(places.studies.glob("750k-h1-*/progress.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.7)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130, error
    assert "stopped at once" in error
    assert "Traceback" not in error
    runs = MlflowTracker(places.mlruns, "miniature").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]


@pytest.mark.slow
def test_a_second_process_on_the_same_cell_says_who_holds_it(tmp_path: Path) -> None:
    places = make_study(tmp_path, search__presets__quick__space__epochs={"choices": [15]}, training__patience=None)
    prepare(places)
    first = start_stage(places, "hpo", "--cell", str(CELL))
    try:
        wait_for_lines(places, 1, first)
        second = warm_python.stage(places, "hpo", "--cell", str(CELL), check=False)
        assert second.returncode == 1
        assert f"process {first.pid}" in second.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()


def test_an_unplanned_cell_writes_one_line(finished: tuple[Places, MemoryTracker]) -> None:
    places, _ = finished
    for name in ("hpo", "train", "evaluate"):
        stage(places, name, "--cell", "30k-h1")
    assert read_json(places.choice(Cell("30k", 1)))["status"] == "not_planned"
    assert read_json(places.scores(Cell("30k", 1)) / "scores.json")["status"] == "not_planned"


@pytest.mark.slow
def test_a_cell_that_does_not_fit_is_failed_and_hands_the_reason_on(tmp_path: Path) -> None:
    """Room for the smallest model of the ladder, so that the study can begin, and none for one of 2M."""
    cell = Cell("2M", 1)
    places = make_study(tmp_path, budget="2M", ladder=["12k", "2M"], hardware__memory_gib=0.6)
    prepare(places)
    for name in ("hpo", "train", "evaluate"):
        warm_python.stage(places, name, "--cell", str(cell))
    reason = read_json(places.choice(cell))["reason"]
    assert "GiB" in reason
    assert "hardware.workers=1" in reason
    scores = read_json(places.scores(cell) / "scores.json")
    assert (scores["status"], scores["reason"]) == ("failed", reason)
    assert json.loads((places.models(cell) / "status.json").read_text())["reason"] == reason
