"""A store that was renamed, copied or mounted elsewhere: its files are found where it is now."""

import shutil
import sqlite3

import pandas as pd
import pytest

from tsladder.artifacts.record import json_of
from tsladder.law.curve.power_law import fit_power
from tsladder.tracking import TRACKING_URI, Drainer, MlflowTracker, RunRecord, RunTags, store_uri
from tsladder.tracking.database import update_paths

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)
POWER = fit_power([1e4, 1e5, 1e6], [0.3, 0.3, 0.3])
LAW = {
    "metric": "log_loss",
    "region": "test",
    "horizons": {
        "1": {
            "verdict": "flat",
            "points": [{"n_params": 10**power, "loss": 0.3, "dropped": None} for power in (4, 5, 6)],
            "fits": {"power": json_of(POWER)},
        },
    },
}


def log_one(store, note, said=None):
    tracker = MlflowTracker(store, "study", drainer=Drainer(store, say=(said if said is not None else []).append))
    tracker.log_run(RunRecord(name=note.stem, tags=TAGS, artifacts={note: "notes"}))
    (run_id,) = [run.run_id for run in tracker.runs() if run.name == note.stem]
    return run_id


@pytest.fixture
def made(made_tables, tmp_path):
    """A store with a run and a registered law in a folder `a`, and the file that the run has."""
    store = tmp_path / "a" / "mlruns"
    store.mkdir(parents=True)
    shutil.copy(made_tables, store / "mlflow.db")
    note = tmp_path / "first.txt"
    note.write_text("first")
    log_one(store, note)
    tracker = MlflowTracker(store, "study")
    tracker.register_law(LAW, [note], TAGS)
    tracker.settle()
    return store


def files(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def paths_of(store):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=store_uri(store))
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    return [run.info.artifact_uri for run in runs], client


@pytest.mark.parametrize("name", ["b", "b with spaces & %41 ä # ?"])
def test_a_study_that_was_renamed_continues_and_its_old_files_are_found(made, tmp_path, name):
    made.parent.rename(tmp_path / name)
    store = tmp_path / name / "mlruns"
    second = tmp_path / "second.txt"
    second.write_text("second")
    said = []
    new = log_one(store, second, said)
    assert (store / "artifacts" / new / "artifacts" / "notes" / "second.txt").read_text() == "second"
    assert not made.parent.exists()
    (line,) = said
    assert str(made) in line
    assert str(store) in line
    uris, client = paths_of(store)
    assert len(uris) == 3
    assert {uri.startswith(f"{store.as_uri()}/artifacts/") for uri in uris} == {True}
    for run in client.search_runs([client.get_experiment_by_name("study").experiment_id]):
        assert client.list_artifacts(run.info.run_id)


def test_the_registered_law_of_a_moved_study_still_forecasts(made, tmp_path, monkeypatch):
    import mlflow

    # MLflow sets it together with the address.
    monkeypatch.setenv(TRACKING_URI, "")

    made.parent.rename(tmp_path / "b")
    store = tmp_path / "b" / "mlruns"
    update_paths(store / "mlflow.db")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(store_uri(store))
    try:
        law = mlflow.pyfunc.load_model("models:/scaling-law/1")
    finally:
        mlflow.set_tracking_uri(before)
    found = law.predict(pd.DataFrame({"n_params": [10_000], "horizon": [1]}))
    assert found["loss"].tolist() == pytest.approx([0.3])


def test_a_copy_writes_nothing_into_the_study_it_was_copied_from(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "copy")
    before = files(made.parent)
    note = tmp_path / "of the copy.txt"
    note.write_text("mine")
    new = log_one(tmp_path / "copy" / "mlruns", note)
    assert files(made.parent) == before
    assert (tmp_path / "copy/mlruns/artifacts" / new / "artifacts/notes/of the copy.txt").exists()
    uris, _ = paths_of(made)
    assert {uri.startswith(made.as_uri()) for uri in uris} == {True}


def test_a_study_that_went_there_and_back_is_as_it_was(made, tmp_path):
    uris, _ = paths_of(made)
    there = tmp_path / "there" / "mlruns"
    shutil.copytree(made, there)
    assert sum(move.paths for move in update_paths(there / "mlflow.db")) > len(uris)
    shutil.rmtree(made.parent)
    there.parent.rename(made.parent)
    update_paths(made / "mlflow.db")
    assert paths_of(made)[0] == uris
    assert update_paths(made / "mlflow.db") == ()


def test_an_experiment_with_a_place_of_its_own_keeps_it(made, tmp_path):
    from mlflow import MlflowClient

    own = [f"{(tmp_path / 'shared').as_uri()}/artifacts", "s3://bucket/artifacts"]
    client = MlflowClient(tracking_uri=store_uri(made))
    numbers = [client.create_experiment(f"mine {n}", artifact_location=place) for n, place in enumerate(own)]
    made.parent.rename(tmp_path / "b")
    store = tmp_path / "b" / "mlruns"
    update_paths(store / "mlflow.db")
    moved = MlflowClient(tracking_uri=store_uri(store))
    assert [moved.get_experiment(number).artifact_location for number in numbers] == own


def test_what_is_not_moved_is_not_written(made):
    with sqlite3.connect(made / "mlflow.db") as reader:
        before = reader.execute("PRAGMA data_version").fetchone()
        assert update_paths(made / "mlflow.db") == ()
        assert reader.execute("PRAGMA data_version").fetchone() == before
