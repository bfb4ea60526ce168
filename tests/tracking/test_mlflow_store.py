"""What only the real store can get wrong: first use by several processes, files, the registered model."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from scipy import stats
from tests.mlflow_tables import make_tables

from tsladder.artifacts.record import json_of
from tsladder.law.curve.power_law import fit_power
from tsladder.tracking import MlflowStore, MlflowTracker, RunRecord, RunStatus, RunTags, store_uri, ui_command

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="fit", study_key="key-1"
)


@pytest.mark.slow
def test_several_processes_at_first_use_share_one_store(tmp_path):
    store = tmp_path / "mlruns"
    program = textwrap.dedent(
        """
        import sys
        from dataclasses import replace
        from pathlib import Path
        from tsladder.tracking import MlflowStore, MlflowTracker, RunRecord, RunStatus, RunTags
        cell = sys.argv[2]
        tags = RunTags(budget=cell, horizon="1", model="m", tier="a25", task="t", phase="search", study_key="k")
        tracker = MlflowTracker(Path(sys.argv[1]), "shared")
        parent = tracker.cell_run(cell, tags)
        for number in range(5):
            tracker.log_run(RunRecord(name=f"{cell}/{number}", tags=tags, parent_id=parent, metrics={"loss": number}))
        tracker.finish(parent, RunStatus.FINISHED)
        tracker.settle()
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    owners = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(store), cell], env=environment, stderr=subprocess.PIPE, text=True
        )
        for cell in ("12k", "30k", "80k")
    ]
    errors = [owner.communicate()[1] for owner in owners]
    assert [owner.returncode for owner in owners] == [0, 0, 0], errors
    runs = MlflowTracker(store, "shared").runs()
    assert len(runs) == 18
    assert {run.status for run in runs} == {RunStatus.FINISHED}


@pytest.mark.slow
def test_a_process_killed_while_it_makes_the_store_leaves_none_that_is_half_made(tmp_path, monkeypatch):
    make_tables(monkeypatch)
    store = tmp_path / "mlruns"
    program = "import sys; from pathlib import Path; from tsladder.tracking import MlflowTracker\n"
    program += "MlflowTracker(Path(sys.argv[1]), 'study').runs()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    maker = subprocess.Popen([sys.executable, "-c", program, str(store)], env=environment)
    made = store / "mlflow.new" / "mlflow.db"
    while not (made.exists() and made.stat().st_size > 0):
        assert maker.poll() is None
    maker.kill()
    maker.wait()
    assert not (store / "mlflow.db").exists()
    tracker = MlflowTracker(store, "study")
    tracker.log_run(RunRecord(name="a", tags=TAGS))
    assert [run.name for run in tracker.runs()] == ["a"]
    assert not made.exists()


@pytest.mark.slow
def test_files_lie_in_the_stores_own_folder_and_nowhere_else(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    note = tmp_path / "note.txt"
    note.write_text("kept")
    tracker = MlflowTracker(tmp_path / "mlruns", "study")
    tracker.log_run(RunRecord(name="a", tags=TAGS, artifacts={note: "notes"}))
    tracker.register_law(law_record(np.array([1e4, 1e5, 1e6]), np.array([0.5, 0.4, 0.3])), [note], TAGS)
    (run_id,) = [run.run_id for run in tracker.runs() if run.name == "a"]
    assert (tmp_path / "mlruns/artifacts" / run_id / "artifacts/notes/note.txt").read_text() == "kept"
    assert list(elsewhere.iterdir()) == []


def test_a_failed_registration_leaves_a_failed_run(tmp_path):
    tracker = MlflowStore(tmp_path, "study", print)
    with pytest.raises(FileNotFoundError):
        tracker.register_law({"horizons": {}}, [tmp_path / "missing.png"], TAGS)
    assert [run.status for run in tracker.runs()] == [RunStatus.FAILED]


def ordinary_least_squares(log_n, log_loss, confidence=0.95):
    """Slope, intercept and a prediction interval, written from the textbook formulas."""
    fit = stats.linregress(log_n, log_loss)
    freedom = len(log_n) - 2
    t = stats.t.ppf((1 + confidence) / 2, freedom)
    residuals = log_loss - fit.intercept - fit.slope * log_n
    s = np.sqrt(residuals @ residuals / freedom)
    spread = np.sum((log_n - log_n.mean()) ** 2)

    def interval(x):
        half = t * s * np.sqrt(1 + 1 / len(log_n) + (x - log_n.mean()) ** 2 / spread)
        return np.exp(fit.intercept + fit.slope * x + np.array([-half, half]))

    return fit.slope, fit.intercept, interval


def law_record(n_params, loss):
    """The days' part of alpha is of other days: a new rung on the scored ones does not see it."""
    power = json_of(fit_power(n_params, loss, days=(0.01**2, 30.0)))
    points = [{"n_params": int(n), "loss": value, "dropped": None} for n, value in zip(n_params, loss, strict=True)]
    lost = {"cell": "2B-h1", "n_params": None, "loss": None, "dropped": "does not fit"}
    nothing = {"verdict": "too_few_rungs", "points": points[:2], "fits": {"power": None}}
    return {
        "metric": "log_loss",
        "region": "test",
        "horizons": {"1": {"verdict": "flat", "points": [*points, lost], "fits": {"power": power}}, "3": nothing},
    }


@pytest.fixture(scope="module")
def law():
    rng = np.random.default_rng(0)
    n_params = np.array([12_345, 51_234, 201_111, 755_555, 2_012_345], dtype=float)
    return n_params, 0.9 * n_params**-0.05 * np.exp(rng.normal(0, 0.02, 5))


@pytest.fixture(scope="module")
def registered(tmp_path_factory, law):
    """The model as a person loads it: by its registered name, in a process that knows MLflow and pandas only."""
    store = tmp_path_factory.mktemp("registry")
    tracker = MlflowTracker(store, "study")
    record = law_record(*law)
    tracker.register_law(record, [], TAGS)
    tracker.register_law(record, [], TAGS)
    tracker.settle()

    def predict(rows):
        program = textwrap.dedent(
            """
            import json, sys
            import mlflow, pandas as pd
            mlflow.set_tracking_uri(sys.argv[1])
            model = mlflow.pyfunc.load_model("models:/scaling-law/2")
            answers = []
            for rows in json.loads(sys.argv[2]):
                try:
                    answers.append(model.predict(pd.DataFrame(rows)).to_dict("list"))
                except Exception as error:
                    answers.append(str(error))
            assert not any(name.startswith("tsladder") for name in sys.modules)
            print(json.dumps(answers))
            """
        )
        done = subprocess.run(
            [sys.executable, "-c", program, store_uri(store), json.dumps(rows)],
            capture_output=True,
            text=True,
            check=True,
            cwd=store,
        )
        return json.loads(done.stdout.splitlines()[-1])

    return predict


@pytest.mark.slow
def test_the_registered_law_predicts_the_line_and_its_prediction_interval(registered, law):
    n_params, loss = law
    slope, intercept, interval = ordinary_least_squares(np.log(n_params), np.log(loss))
    integers, floats, unfitted, unknown, negative, missing = registered(
        [
            {"n_params": [50_000, 2_000_000_000], "horizon": [1, 1]},
            {"n_params": [5e4, 2e9], "horizon": ["1", "1"]},
            {"n_params": [50_000, 60_000], "horizon": [1, 3]},
            {"n_params": [50_000], "horizon": [7]},
            {"n_params": [-1], "horizon": [1]},
            {"n_params": [50_000]},
        ]
    )
    for row, n in enumerate([5e4, 2e9]):
        low, high = interval(np.log(n))
        assert integers["loss"][row] == pytest.approx(np.exp(intercept + slope * np.log(n)), rel=1e-9)
        assert (integers["lower"][row], integers["upper"][row]) == pytest.approx((low, high), rel=1e-9)
    assert floats == integers
    assert unfitted["loss"][0] == integers["loss"][0]
    assert np.isnan(unfitted["loss"][1])
    assert "horizon 7 was not studied; known: 1, 3" in unknown
    assert "positive" in negative
    assert "horizon" in missing


def test_the_pages_command_names_the_store_and_stays_on_this_machine(tmp_path):
    command = ui_command(tmp_path, port=5077)
    assert command[:2] == ["mlflow", "ui"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options["--backend-store-uri"] == store_uri(tmp_path)
    assert (options["--host"], options["--port"], options["--workers"]) == ("127.0.0.1", "5077", "1")
