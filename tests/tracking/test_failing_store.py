"""MLflow's failures: each is said, none is raised, and nothing that can still be logged is lost."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from tsladder.artifacts.spool import Spool
from tsladder.interruption import Interrupted
from tsladder.tracking import (
    Drainer,
    MlflowStore,
    MlflowTracker,
    RunRecord,
    RunStatus,
    RunTags,
    open_cell_run,
    store_uri,
)

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)


def trial(parent_id, number):
    return RunRecord(
        name=f"2M-h1/trial-{number:03d}", tags=TAGS, parent_id=parent_id, metrics={"best_val_loss": 0.3},
        extra_tags={"attempt": "0"},
    )  # fmt: skip


def work(tracker, trials=2):
    """What a stage does with its tracker."""
    with open_cell_run(tracker, "2M-h1", TAGS) as run:
        tracker.repair(run.run_id, [])
        for number in range(trials):
            tracker.log_run(trial(run.run_id, number))
        run.metrics = {"best_val_loss": 0.3}
    tracker.log_comparison([], TAGS, "all of them")
    tracker.register_law({"horizons": {}}, [], TAGS)


def no_folder(store):
    store.rmdir()
    store.write_text("a file where the folder should be")


def no_database(store):
    (store / "mlflow.db").unlink()
    (store / "mlflow.db").mkdir()


def other_tables(store):
    with sqlite3.connect(store / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'of a later MLflow'")


def missing_table(store):
    with sqlite3.connect(store / "mlflow.db") as database:
        database.execute("DROP TABLE runs")


@pytest.mark.parametrize("fault", [no_folder, no_database, other_tables, missing_table])
def test_a_store_that_cannot_be_used_ends_no_work_and_is_reported_once(fault, store):
    if fault is no_folder:
        (store / "mlflow.db").unlink()
    fault(store)
    said = []
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=said.append))
    work(tracker)
    tracker.settle()
    assert [str(store) in line for line in said if "cannot be written" in line] == [True]
    if fault is not no_folder:
        assert len(Spool(store).waiting().lines) == 7


def test_an_interrupt_is_no_failure_of_mlflow(store):
    no_database(store)
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=[].append))
    with pytest.raises(Interrupted), open_cell_run(tracker, "2M-h1", TAGS):
        raise Interrupted("asked to stop")
    with pytest.raises(KeyboardInterrupt), open_cell_run(tracker, "2M-h1", TAGS):
        raise KeyboardInterrupt


def test_what_ended_while_the_database_was_locked_is_logged_once_when_it_is_free(store, monkeypatch):
    monkeypatch.setattr("tsladder.tracking.database._WAIT_SECONDS", 0.05)
    first = MlflowTracker(store, "study")
    known = first.cell_run("2M-h1", TAGS)
    first.log_run(trial(known, 0))
    assert len(first.runs(known)) == 1
    lock = sqlite3.connect(store / "mlflow.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    said = []
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=said.append))
    parent = tracker.cell_run("2M-h1", TAGS)
    tracker.repair(parent, [trial(parent, number) for number in range(3)])
    tracker.log_run(trial(parent, 3))
    tracker.settle()
    lock.execute("ROLLBACK")
    lock.close()
    tracker.finish(parent, RunStatus.FINISHED, {"best_val_loss": 0.3})
    assert sorted(run.name[-1] for run in tracker.runs(parent)) == ["0", "1", "2", "3"]
    assert {run.status for run in tracker.runs()} == {RunStatus.FINISHED}
    assert len(said) == 2
    assert "locked" in said[0]
    assert "tsladder sync" in said[1]


@pytest.mark.parametrize("damage", [b"no database at all, and longer than the hundred bytes of a header" * 8, None])
def test_a_file_that_is_no_database_is_set_aside_and_a_new_one_begun(damage, tmp_path):
    database = tmp_path / "mlflow.db"
    database.write_bytes(damage or b"SQLite format 3\x00" + bytes(range(256)) * 64)
    before = database.read_bytes()
    said = []
    tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, say=said.append))
    work(tracker)
    tracker.settle()
    assert (tmp_path / "mlflow.db.aside-1").read_bytes() == before
    assert any("mlflow.db.aside-1" in line for line in said)
    assert len(MlflowTracker(tmp_path, "study").runs()) == 5


def test_an_experiment_that_was_deleted_is_restored_with_its_runs_and_that_is_reported(store):
    from mlflow import MlflowClient

    work(MlflowTracker(store, "study"))
    before = len(MlflowTracker(store, "study").runs())
    client = MlflowClient(tracking_uri=store_uri(store))
    client.delete_experiment(client.get_experiment_by_name("study").experiment_id)
    said = []
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=said.append))
    tracker.log_run(trial(tracker.cell_run("2M-h1", TAGS), 7))
    assert len(tracker.runs()) == before + 1
    assert [("deleted" in line, "restored" in line) for line in said] == [(True, True)]


def test_an_experiment_that_is_deleted_while_it_is_in_use_is_restored(store):
    from mlflow import MlflowClient

    said = []
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=said.append))
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.settle()
    client = MlflowClient(tracking_uri=store_uri(store))
    client.delete_experiment(client.get_experiment_by_name("study").experiment_id)
    tracker.log_run(trial(cell, 0))
    tracker.finish(cell, RunStatus.FINISHED)
    assert {run.status for run in tracker.runs()} == {RunStatus.FINISHED}
    assert len(said) == 2, said


def test_an_experiment_that_is_gone_is_replaced_and_that_is_reported(store):
    said = []
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=said.append))
    work(tracker)
    tracker.settle()
    assert "'study'" in said[0]
    assert len(MlflowTracker(store, "study").runs()) == 5


def test_a_run_of_which_half_was_logged_does_not_stand_beside_the_whole_one(store, tmp_path):
    strict = MlflowStore(store, "study", print)
    cell = strict.cell_run("2M-h1", TAGS)
    with pytest.raises(FileNotFoundError):
        strict.log_run(RunRecord(name="a", tags=TAGS, parent_id=cell, artifacts={tmp_path / "missing": ""}))
    assert [run.name for run in strict.runs()] == ["2M-h1"]


PROGRAM = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from tests.tracking.test_failing_store import work
    from tsladder.tracking import MlflowTracker
    tracker = MlflowTracker(Path(sys.argv[1]), "study")
    work(tracker, trials=200)
    tracker.settle()
    """
)


@pytest.mark.slow
def test_a_disk_that_is_full_ends_no_work(store):
    """A limit to the size of files stands for the disk: SQLite is refused in the same place."""
    size = (store / "mlflow.db").stat().st_size

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, size + 50_000))

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-B", "-c", PROGRAM, str(store)]
    done = subprocess.run(
        command,
        env=environment,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("cannot be written") == 1
    assert "tsladder sync" in done.stderr
