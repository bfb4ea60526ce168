"""The saved views of MLflow's page: what it needs to read them, and that nobody's own is overwritten."""

import contextlib
import dataclasses
import json
import shutil
import sqlite3

import pytest

from tsladder.tracking import MlflowTracker, RunRecord, RunStatus, RunTags, store_uri, view_addresses
from tsladder.tracking.views import SIZE, experiment_tags, views

VIEWS = views({"1": 40, "3": 40})

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)


@pytest.fixture
def client(made_tables, tmp_path):
    from mlflow import MlflowClient

    shutil.copy(made_tables, tmp_path / "mlflow.db")
    tracker = MlflowTracker(tmp_path, "study")
    cell = tracker.cell_run("2M-h1", TAGS)
    for horizon, windows in (("1", "b" * 12), ("3", "a" * 12), ("5", "b" * 12)):
        tags = dataclasses.replace(TAGS, phase="evaluate", horizon=horizon)
        tracker.log_run(RunRecord(name="evaluation", tags=tags, parent_id=cell, extra_tags={"windows": windows}))
    tracker.settle()
    return MlflowClient(tracking_uri=store_uri(tmp_path))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_a_view_is_a_name_two_times_and_a_state_in_json(view):
    name, value = view.tag()
    record = json.loads(value)
    assert name == f"mlflow.sharedViewState.{view.key}"
    assert (record["name"], type(record["createdAt"]), type(record["updatedAt"])) == (view.name, int, int)
    assert json.loads(record["state"])["searchFilter"] == view.filter


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.key)
def test_the_filter_of_a_view_finds_runs_of_its_kind(view, client, tmp_path):
    found = client.search_runs([client.get_experiment_by_name("study").experiment_id], view.filter)
    kinds = {run.data.tags["kind"] for run in found}
    assert kinds == {kind for kind in ("cell", "evaluation") if f"'{kind}'" in view.filter}


def test_the_view_of_families_puts_runs_that_can_be_compared_side_by_side(client):
    (families,) = [view for view in VIEWS if view.key == "families"]
    number = client.get_experiment_by_name("study").experiment_id
    found = client.search_runs([number], families.filter, order_by=[f"{families.order_by} ASC"])
    assert [run.data.tags["windows"][0] for run in found] == ["a", "b", "b"]
    alike = client.search_runs([number], f"tags.windows = '{'b' * 12}'")
    assert {run.data.tags["horizon"] for run in alike} == {"1", "5"}


def test_every_chart_stands_in_a_section_of_its_view():
    for view in VIEWS:
        sections = {section["uuid"] for section in view.state()["compareRunSections"]}
        assert {chart["metricSectionId"] for chart in view.state()["compareRunCharts"]} == sections


def test_an_experiment_gets_its_views_once_and_keeps_what_was_changed(client, tmp_path):
    experiment = client.get_experiment_by_name("study")
    assert experiment_tags({}).items() <= experiment.tags.items()
    client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "mine")
    MlflowTracker(tmp_path, "study").runs()
    assert client.get_experiment_by_name("study").tags["mlflow.note.content"] == "mine"


def test_an_experiment_made_before_there_were_views_gets_them(client, tmp_path):
    client.create_experiment("older")
    MlflowTracker(tmp_path, "older").runs()
    assert experiment_tags({}).items() <= client.get_experiment_by_name("older").tags.items()


def test_the_addresses_name_every_experiment_that_has_the_views(client, tmp_path):
    number = client.get_experiment_by_name("study").experiment_id
    client.create_experiment("of another program")
    addresses = view_addresses(tmp_path, port=5001)
    assert set(addresses) == {f"study: {view.name}" for view in VIEWS}
    assert all(a.startswith(f"http://127.0.0.1:5001/#/experiments/{number}/runs?") for a in addresses.values())
    assert view_addresses(tmp_path / "nowhere", port=5001) == {}


def log_trials(tracker, horizon, count):
    tags = dataclasses.replace(TAGS, horizon=horizon)
    cell = tracker.cell_run(f"2M-h{horizon}", tags)
    for number in range(count):
        metrics = {"best_val_loss": 0.3 + number / 1e4, "log10_n_params": 6.0}
        tracker.log_run(RunRecord(name=f"2M-h{horizon}/trial-{number}", tags=tags, parent_id=cell, metrics=metrics))
    tracker.finish(cell, RunStatus.FINISHED)
    tracker.settle()


def size_state(client):
    tags = client.get_experiment_by_name("study").tags
    return json.loads(json.loads(tags[SIZE])["state"])


def losses_charted(state):
    return [chart["yaxis"]["key"] for chart in state["compareRunCharts"] if chart["type"] == "SCATTER"]


def test_loss_against_size_has_a_chart_a_horizon_of_that_horizons_trials_alone(client, tmp_path):
    for horizon in ("10", "1", "3"):
        log_trials(MlflowTracker(tmp_path, "study"), horizon, 2)
    losses = losses_charted(size_state(client))
    assert losses == ["best_val_loss_h1", "best_val_loss_h3", "best_val_loss_h10"]
    found = client.search_runs([client.get_experiment_by_name("study").experiment_id], "tags.kind = 'trial'")
    assert len(found) == 6
    for run in found:
        own = f"best_val_loss_h{run.data.tags['horizon']}"
        assert [loss for loss in losses if loss in run.data.metrics] == [own]
        assert run.data.metrics[own] == run.data.metrics["best_val_loss"]


@pytest.mark.slow
def test_it_says_when_there_are_more_trials_than_the_page_reads(client, tmp_path):
    log_trials(MlflowTracker(tmp_path, "study"), "1", 100)
    (section,) = size_state(client)["compareRunSections"]
    assert section["name"] == "Loss against size"
    log_trials(MlflowTracker(tmp_path, "study"), "3", 1)
    (section,) = size_state(client)["compareRunSections"]
    assert section["name"].startswith("100 of 101 trials")
    assert any("100 of 101 trials" in name for name in view_addresses(tmp_path, port=5001))


def test_a_view_that_somebody_saved_stays_as_it_is(client, tmp_path):
    number = client.get_experiment_by_name("study").experiment_id
    made = json.loads(client.get_experiment(number).tags[SIZE])
    saved = json.dumps({**made, "updatedAt": made["updatedAt"] + 1, "state": "{}"})
    client.set_experiment_tag(number, SIZE, saved)
    log_trials(MlflowTracker(tmp_path, "study"), "1", 1)
    assert client.get_experiment(number).tags[SIZE] == saved


def test_trials_that_were_logged_before_there_were_these_charts_are_in_them(client, tmp_path):
    log_trials(MlflowTracker(tmp_path, "study"), "1", 3)
    number = client.get_experiment_by_name("study").experiment_id
    database = sqlite3.connect(tmp_path / "mlflow.db")
    with contextlib.closing(database), database:
        for table in ("metrics", "latest_metrics"):
            database.execute(f"DELETE FROM {table} WHERE key = 'best_val_loss_h1'")  # noqa: S608
    client.set_experiment_tag(number, SIZE, experiment_tags({})[SIZE])
    MlflowTracker(tmp_path, "study").runs()
    assert losses_charted(size_state(client)) == ["best_val_loss_h1"]
    found = client.search_runs([number], "tags.kind = 'trial'")
    assert {(run.data.metrics["best_val_loss_h1"], run.data.metrics["best_val_loss"]) for run in found} == {
        (0.3 + n / 1e4, 0.3 + n / 1e4) for n in range(3)
    }
    assert [m.value for m in client.get_metric_history(found[0].info.run_id, "best_val_loss_h1")]
