"""What every tracker promises, run against MLflow and against its in-memory twin."""

import dataclasses
import json
import math

import pytest

from tsladder.law.evidence import detection
from tsladder.tracking import Drainer, MemoryTracker, MlflowTracker, RunRecord, RunStatus, RunTags, size_metrics
from tsladder.tracking.runs import FEW_DOF, law_summary

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)
OTHER_STUDY = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-2"
)
LAW = {
    "metric": "log_loss",
    "region": "test",
    "horizons": {
        "1": {
            "verdict": "underpowered",
            "points": [{"n_params": 10**power, "loss": 0.3, "dropped": None} for power in (4, 5, 6)],
            "fits": {
                "power": {
                    "C": 0.4,
                    "alpha": 0.02,
                    "alpha_ci": [-0.01, 0.05],
                    "alpha_ci_rungs": [-0.004, 0.044],
                    "alpha_ci_days": [0.002, 0.038],
                    "r2": 0.6,
                    "dof": 3.0,
                }
            },
            "model_choice": {"preferred": "not identifiable"},
            "minimum_detectable_alpha": 0.03,
            "minimum_detectable_alpha_range": [0.02, 0.06],
        },
        "3": {"verdict": "too_few_rungs", "points": [], "fits": {"power": None}, "minimum_detectable_alpha": None},
    },
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    return tmp_path_factory.mktemp("a store with spaces")


@pytest.fixture(params=["mlflow", "memory", pytest.param("server", marks=pytest.mark.slow)])
def tracker(request, stores, tmp_path):
    if request.param == "memory":
        return MemoryTracker()
    experiment = request.node.name.replace("[", "-").rstrip("]")
    if request.param == "mlflow":
        return MlflowTracker(stores, experiment)
    address = request.getfixturevalue("shared_server").address
    return MlflowTracker(tmp_path, experiment, drainer=Drainer(tmp_path, address))


def trial(parent_id, number=0, **changes):
    return RunRecord(**{"name": f"2M-h1/trial-{number:03}", "tags": TAGS, "parent_id": parent_id, **changes})


def places_of_artifacts(tracker, run_id):
    """Names of the files and folders at the top of a run's artifacts."""
    if isinstance(tracker, MemoryTracker):
        return {name.split("/")[0] for name in tracker.artifacts[run_id]}
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=tracker._drainer.address.uri)
    return {found.path for found in client.list_artifacts(run_id)}


def by_name(tracker):
    return {run.name: run for run in tracker.runs()}


def test_a_cell_run_is_found_again_within_its_study(tracker):
    first = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(trial(first))
    assert tracker.cell_run("2M-h1", TAGS) == first


def test_another_study_key_or_cell_gets_another_run(tracker):
    runs = {tracker.cell_run("2M-h1", TAGS), tracker.cell_run("2M-h1", OTHER_STUDY), tracker.cell_run("2M-h3", TAGS)}
    assert len(runs) == 3


def test_a_cell_run_carries_every_tag_and_is_running(tracker):
    tracker.cell_run("2M-h1", TAGS)
    (run,) = tracker.runs()
    assert (run.name, run.parent_id, run.status) == ("2M-h1", None, RunStatus.RUNNING)
    assert run.tags == TAGS.as_dict() | {"kind": "cell"}
    assert set(run.tags) == {"budget", "horizon", "model", "tier", "task", "phase", "study_key", "kind"}


def test_a_trial_is_logged_whole_below_its_cell(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(
        trial(
            cell,
            7,
            params={"d_model": 64, "precision": "fp32", "activation_checkpointing": False, "learning_rate": 1e-4},
            metrics={"best_val_loss": 0.31, "seconds": 12},
            curves={"val_loss": [(2, 0.31), (1, 0.4)], "train_loss": []},
            extra_tags={"stop_reason": "early_stopping"},
            start_ms=1_000,
            end_ms=13_000,
        )
    )
    (run,) = tracker.runs(cell)
    assert (run.name, run.status) == ("2M-h1/trial-007", RunStatus.FINISHED)
    assert run.parent_id == by_name(tracker)["2M-h1"].run_id
    assert run.params == {
        "d_model": "64",
        "precision": "fp32",
        "activation_checkpointing": "False",
        "learning_rate": "0.0001",
    }
    assert run.metrics == {"best_val_loss": 0.31, "best_val_loss_h1": 0.31, "seconds": 12.0, "val_loss": 0.31}
    assert run.tags == {**TAGS.as_dict(), "kind": "trial", "stop_reason": "early_stopping"}


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED])
def test_a_run_ends_in_the_status_it_was_given(tracker, status):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(trial(cell, status=status))
    tracker.finish(cell, status)
    assert {run.status for run in tracker.runs()} == {status}


def test_what_is_missing_is_not_logged_and_infinity_becomes_nan(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(
        trial(
            cell,
            params={"warmup_steps": None},
            metrics={"val_auc": None, "best_val_loss": math.inf, "lowest": -math.inf},
            curves={"val_loss": [(1, 0.5), (2, math.inf)]},
        )
    )
    (run,) = tracker.runs(cell)
    assert run.params == {}
    assert set(run.metrics) == {"best_val_loss", "best_val_loss_h1", "lowest", "val_loss"}
    assert all(math.isnan(value) for value in run.metrics.values())


def test_a_long_curve_is_logged_to_its_end(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(trial(cell, curves={"val_loss": [(step, step / 10) for step in range(2_500)]}))
    (run,) = tracker.runs(cell)
    assert run.metrics == {"val_loss": 249.9}


def test_a_finished_cell_is_opened_again_and_keeps_its_metrics(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.finish(cell, RunStatus.FINISHED, {"best_val_loss": 0.3, "test_loss": None})
    assert by_name(tracker)["2M-h1"].metrics == {"best_val_loss": 0.3}
    assert tracker.cell_run("2M-h1", TAGS) == cell
    assert by_name(tracker)["2M-h1"].status is RunStatus.RUNNING
    tracker.finish(cell, RunStatus.FINISHED, {"test_loss": 0.4})
    assert by_name(tracker)["2M-h1"].metrics == {"best_val_loss": 0.3, "test_loss": 0.4}


def test_a_cell_run_ends_with_the_tags_that_were_found_meanwhile(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.finish(cell, RunStatus.FINISHED, {"test_loss": 0.4}, {"windows": "0123456789ab"})
    (run,) = tracker.runs()
    assert run.tags == TAGS.as_dict() | {"kind": "cell", "windows": "0123456789ab"}
    tracker.finish(cell, RunStatus.FINISHED)
    assert by_name(tracker)["2M-h1"].tags["windows"] == "0123456789ab"


def test_what_a_dead_owner_left_running_is_killed_and_nothing_else(tracker):
    old_study = tracker.cell_run("2M-h1", OTHER_STUDY)
    cell = tracker.cell_run("2M-h1", TAGS)
    neighbour = tracker.cell_run("20M-h1", TAGS)
    tracker.log_run(trial(cell, 0))
    tracker.log_run(trial(cell, 1, status=RunStatus.RUNNING))
    tracker.log_run(trial(old_study, 2, status=RunStatus.RUNNING))
    tracker.log_run(trial(neighbour, 3, status=RunStatus.RUNNING))
    tracker.repair(cell, [])
    states = {(run.name, run.tags["study_key"]): run.status for run in tracker.runs() if run.parent_id is None}
    assert states == {
        ("2M-h1", "key-1"): RunStatus.RUNNING,
        ("2M-h1", "key-2"): RunStatus.KILLED,
        ("20M-h1", "key-1"): RunStatus.RUNNING,
    }
    trials = {run.name: run.status for run in tracker.runs() if run.parent_id}
    assert trials == {
        "2M-h1/trial-000": RunStatus.FINISHED,
        "2M-h1/trial-001": RunStatus.KILLED,
        "2M-h1/trial-002": RunStatus.KILLED,
        "2M-h1/trial-003": RunStatus.RUNNING,
    }


def test_what_is_on_disk_and_not_logged_is_logged_once_however_often_that_is_asked_for(tracker):
    cell, neighbour = tracker.cell_run("2M-h1", TAGS), tracker.cell_run("20M-h1", TAGS)
    records = [trial(cell, number, extra_tags={"attempt": "0"}) for number in range(3)]
    again = trial(cell, 1, extra_tags={"attempt": "1"})
    tracker.log_run(records[0])
    tracker.log_run(dataclasses.replace(records[1], status=RunStatus.RUNNING))
    tracker.log_run(dataclasses.replace(records[2], parent_id=neighbour))
    for _ in range(2):
        tracker.repair(cell, [*records, again])
        found = sorted((run.name[-3:], run.tags["attempt"], run.status) for run in tracker.runs(cell))
        assert found == [
            ("000", "0", RunStatus.FINISHED),
            ("001", "0", RunStatus.FINISHED),
            ("001", "0", RunStatus.KILLED),
            ("001", "1", RunStatus.FINISHED),
            ("002", "0", RunStatus.FINISHED),
        ]


def test_a_run_may_stand_below_another_that_is_no_cell(tracker):
    baselines = tracker.log_run(RunRecord(name="baselines-h1", tags=TAGS))
    tracker.log_run(RunRecord(name="baselines-h1/ridge", tags=TAGS, parent_id=baselines))
    runs = by_name(tracker)
    assert runs["baselines-h1/ridge"].parent_id == runs["baselines-h1"].run_id
    assert runs["baselines-h1"].parent_id is None


def test_artifacts_may_be_files_and_folders(tracker, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "loss.txt").write_text("falls")
    (tmp_path / "notes.md").write_text("none")
    cell = tracker.cell_run("2M-h1", TAGS)
    artifacts = {tmp_path / "plots": "plots", tmp_path / "notes.md": ""}
    tracker.log_run(trial(cell, artifacts=artifacts))
    (run,) = tracker.runs(cell)
    assert places_of_artifacts(tracker, run.run_id) == {"plots", "notes.md"}


def test_the_law_is_a_run_with_its_verdicts_and_exponents(tracker, tmp_path):
    picture = tmp_path / "scaling.json"
    picture.write_text(json.dumps(LAW))
    tracker.register_law(LAW, [picture], TAGS)
    law = by_name(tracker)["scaling-law"]
    assert law.status is RunStatus.FINISHED
    assert law.params == {
        "metric": "log_loss",
        "region": "test",
        "form_h1": "not identifiable",
        "verdict_h1": "underpowered",
        "verdict_h3": "too_few_rungs",
    }
    assert law.metrics == {
        "alpha_h1": 0.02,
        "alpha_low_h1": -0.01,
        "alpha_high_h1": 0.05,
        "alpha_low_rungs_h1": -0.004,
        "alpha_high_rungs_h1": 0.044,
        "alpha_low_days_h1": 0.002,
        "alpha_high_days_h1": 0.038,
        "r2_h1": 0.6,
        "minimum_detectable_alpha_h1": 0.03,
        "minimum_detectable_alpha_low_h1": 0.02,
        "minimum_detectable_alpha_high_h1": 0.06,
    }
    assert law.tags == TAGS.as_dict() | {"kind": "law"}


def test_with_few_degrees_of_freedom_the_detectable_exponent_is_logged_as_a_range_alone():
    assert FEW_DOF == detection.FEW_DOF
    power = {"alpha": 0.02, "alpha_ci": [-0.2, 0.24], "r2": 0.6, "dof": 2.0}
    law = {
        "verdict": "flat",
        "fits": {"power": power},
        "minimum_detectable_alpha": 0.3,
        "minimum_detectable_alpha_range": [0.1, 0.9],
    }
    _, metrics = law_summary({"horizons": {"1": law}})
    assert "minimum_detectable_alpha_h1" not in metrics
    ends = (metrics["minimum_detectable_alpha_low_h1"], metrics["minimum_detectable_alpha_high_h1"])
    assert ends == (0.1, 0.9)


@pytest.mark.parametrize(
    ("phase", "kind"),
    [("search", "trial"), ("supplementary", "trial"), ("train", "seed"), ("evaluate", "evaluation")],
)
def test_a_run_below_a_cell_says_of_which_kind_it_is(tracker, phase, kind):
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(trial(cell, tags=dataclasses.replace(TAGS, phase=phase)))
    assert {run.tags["kind"] for run in tracker.runs(cell)} == {kind}


def test_a_study_has_one_comparison_and_the_newest_files_are_in_it(tracker, tmp_path):
    table = tmp_path / "trials.csv"
    for text in ("old", "new"):
        table.write_text(text)
        tracker.log_comparison([table], TAGS, f"the {text} one")
        tracker.runs()
    tracker.log_comparison([table], OTHER_STUDY, "of another study")
    runs = {run.tags["study_key"]: run for run in tracker.runs()}
    assert len(tracker.runs()) == 2
    assert {(run.name, run.status) for run in runs.values()} == {("comparison", RunStatus.FINISHED)}
    assert runs["key-1"].tags == TAGS.as_dict() | {"kind": "comparison"}


def test_the_size_of_a_model_is_logged_for_linear_axes():
    assert size_metrics(1_000) == {"n_params": 1_000.0, "log10_n_params": pytest.approx(3.0)}
    assert set(size_metrics(None).values()) == {None}


def test_a_run_of_one_entry_is_logged_once_however_often_it_is_asked_for(tracker):
    cell = tracker.cell_run("2M-h1", TAGS)
    # Others of the same name are other runs.
    entries = ["a" * 32, "b" * 32, "a" * 32, None, "b" * 32, "a" * 32]
    for entry in entries:
        tracker.log_run(trial(cell, metrics={"seconds": 1.0}), entry=entry)
    assert len(tracker.runs(cell)) == 3
    tracker.log_run(trial(cell), entry="a" * 32)
    assert len(tracker.runs(cell)) == 3
