"""The saved views of MLflow's page: what it needs to read them, and that nobody's own is overwritten."""

import dataclasses
import json

import pytest

from tsladder.tracking import MlflowTracker, RunRecord, RunTags, store_uri, view_addresses
from tsladder.tracking.views import VIEWS, experiment_tags

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)


@pytest.fixture
def client(tmp_path):
    from mlflow import MlflowClient

    tracker = MlflowTracker(tmp_path, "study")
    cell = tracker.cell_run("2M-h1", TAGS)
    for horizon, windows in (("1", "b" * 12), ("3", "a" * 12), ("5", "b" * 12)):
        tags = dataclasses.replace(TAGS, phase="evaluate", horizon=horizon)
        tracker.log_run(RunRecord(name="evaluation", tags=tags, parent_id=cell, extra_tags={"windows": windows}))
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
    assert experiment_tags().items() <= experiment.tags.items()
    client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", "mine")
    MlflowTracker(tmp_path, "study").runs()
    assert client.get_experiment_by_name("study").tags["mlflow.note.content"] == "mine"


def test_an_experiment_made_before_there_were_views_gets_them(client, tmp_path):
    client.create_experiment("older")
    MlflowTracker(tmp_path, "older").runs()
    assert experiment_tags().items() <= client.get_experiment_by_name("older").tags.items()


def test_the_addresses_name_every_experiment_that_has_the_views(client, tmp_path):
    number = client.get_experiment_by_name("study").experiment_id
    client.create_experiment("of another program")
    addresses = view_addresses(tmp_path, port=5001)
    assert set(addresses) == {f"study: {view.name}" for view in VIEWS}
    assert all(a.startswith(f"http://127.0.0.1:5001/#/experiments/{number}/runs?") for a in addresses.values())
    assert view_addresses(tmp_path / "nowhere", port=5001) == {}
