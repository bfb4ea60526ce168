"""A series without volume, from a vendor's file to a verdict, by the commands that a person types."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from tests.fx import fx_csv
from tests.test_pipeline import Workspace
from tsladder.artifacts.store import read_json

pytestmark = pytest.mark.slow

LADDER = ["12k", "30k", "80k"]
CELLS = [f"{rung}-h1" for rung in LADDER]


def tsladder(workspace: Workspace, *arguments: str, code: int = 0) -> str:
    done = workspace.run(sys.executable, "-m", "tsladder.cli", *arguments, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A study of stocks: its dates and its target do not fit the file."""
    made = Workspace(tmp_path_factory.mktemp("fx"), quick_audit=False)
    made.set(
        ladder=LADDER,
        budget="80k",
        splits__validation_start="2011-01-01",
        splits__test_start="2015-01-01",
        splits__min_positives=30,
        search__trials=2,
        search__strategy="random_search",
        search__presets__quick__space__epochs={"choices": [2]},
    )
    (made.folder / "EURUSD.csv").write_text(fx_csv(3200, daily=0.0025, first_day="2010-03-01"))
    return made


@pytest.fixture(scope="module")
def ingest_output(workspace: Workspace) -> str:
    return tsladder(workspace, "ingest", "EURUSD.csv", "--symbol", "eurusd")


def test_the_study_that_ingest_names_goes_from_the_file_to_a_verdict(workspace: Workspace, ingest_output: str) -> None:
    refused = tsladder(workspace, "plan", "-S", "data.symbol=eurusd", code=2)
    assert "dvc exp run -S data.symbol=eurusd -S data.volume=false" in refused
    command = next(line for line in ingest_output.splitlines() if "dvc exp run" in line)
    leaves = [word for word in command.removeprefix("next: ").split(" (")[0].split() if "=" in word]
    assert leaves == [
        "data.symbol=eurusd",
        "data.volume=false",
        "splits.validation_start=null",
        "splits.test_start=null",
        "target.task=threshold_0.5pct",
    ]
    settings = [word for leaf in leaves for word in ("-S", leaf)]
    planned = tsladder(workspace, "plan", *settings)
    assert "data.volume is false: tier a25 without volume, 21 columns" in planned
    workspace.run(sys.executable, "-m", "dvc", "exp", "run", *settings)

    law = read_json(workspace.folder / "artifacts" / "law" / "scaling.json")
    assert law["audit"]["outcome"] == "passed"
    assert law["audit"]["notes"] == []
    assert [point["cell"] for point in law["horizons"]["1"]["points"]] == CELLS
    assert law["horizons"]["1"]["verdict"] not in ("invalid", "too_few_rungs")
    report = (workspace.folder / "artifacts" / "report" / "report.md").read_text()
    assert "eurusd (daily, tier a25 without volume)" in report
    assert "data.volume is false" in report
    with (workspace.folder / "artifacts" / "report" / "experiment_results.csv").open() as stream:
        assert [row["tier"] for row in csv.DictReader(stream)] == ["a25 without volume"] * len(LADDER)
    manifest = read_json(workspace.folder / "artifacts" / "features" / "manifest.json")
    assert not {column["name"] for column in manifest["columns"]} & {"obv", "adosc", "vwap_20", "volume"}
    assert set(workspace.states().values()) == {"fresh"}


def test_its_runs_in_mlflow_and_its_capsule_say_that_the_volume_was_left_out(
    workspace: Workspace, tmp_path: Path
) -> None:
    from tsladder.tracking import MlflowStore

    store = MlflowStore(workspace.folder / "mlruns", "miniature", print)
    tiers = {run.tags["tier"] for run in store.runs()}
    assert tiers == {"a25 without volume"}
    capsule = tmp_path / "fx.zip"
    tsladder(workspace, "export", str(capsule))
    tsladder(workspace, "report", "--from", str(capsule), "--out", str(tmp_path / "out"))
    pages = list((tmp_path / "out").rglob("report.md"))
    assert pages
    assert all("tier a25 without volume" in page.read_text() for page in pages)


def test_asking_for_the_volume_again_is_named_by_why(workspace: Workspace) -> None:
    before = (workspace.folder / "params.yaml").read_text()
    workspace.set(data__volume=True, data__symbol="tiny")
    why = json.loads(tsladder(workspace, "why", CELLS[0], "--json"))
    reasons = {reason["name"]: (reason["old"], reason["new"]) for reason in why["reasons"]}
    assert reasons["data.volume"] == (False, True)
    assert "model.n_features" not in reasons
    (workspace.folder / "params.yaml").write_text(before)
