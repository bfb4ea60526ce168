"""A miniature study tracked by an MLflow server before PostgreSQL, and by PostgreSQL alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import warm_python
from tests.studies import environment, make_study, prepare
from tests.tracking.servers import PASSWORD, USER, Cluster, MlflowServer, mlflow_server

from tsladder.artifacts.audit import SERIES_PROBES, AuditRecord, ProbeFinding, write_audit
from tsladder.places import Places
from tsladder.tracking import Drainer, MlflowStore, MlflowTracker, RunRecord, RunStatus, RunTags, parse_address
from tsladder.vocabulary import Cell

pytestmark = pytest.mark.slow

CELL = Cell("12k", 1)
TRIALS, SEEDS = 4, 2
STAGES = Path(__file__).parents[2] / "stages"
TAGS = RunTags(budget="2M", horizon="1", model="m", tier="a25", task="t", phase="search", study_key="key-1")


@pytest.fixture(scope="module")
def server(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with mlflow_server(postgres.create("study"), tmp_path_factory.mktemp("server")) as server:
        yield server


def asked(server: MlflowServer, path: str, **question: Any) -> dict[str, Any]:
    """What the server answers to its own page."""
    request = urllib.request.Request(  # noqa: S310
        f"{server.address}/ajax-api/2.0/mlflow/{path}",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return dict(json.load(answer))


def runs_on_the_page(server: MlflowServer, experiment: str) -> list[tuple[str, str, str]]:
    """Name, state and kind of the runs of an experiment, as the page of runs asks for them."""
    found = asked(server, "experiments/search", max_results=100)["experiments"]
    (number,) = [one["experiment_id"] for one in found if one["name"] == experiment]
    runs = asked(server, "runs/search", experiment_ids=[number], max_results=100).get("runs", [])
    kinds = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]}["kind"] for run in runs]
    return sorted((run["info"]["run_name"], run["info"]["status"], kind) for run, kind in zip(runs, kinds, strict=True))


def run(places: Places, *command: str, **more: str) -> str:
    """Run a stage or a command and return all it printed; its exit code is 0."""
    done = warm_python.run(command, places.root, environment() | more)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_a_study_is_tracked_by_a_server_that_is_away_for_a_while(server: MlflowServer, tmp_path: Path) -> None:
    places = make_study(tmp_path, search__trials=TRIALS, train__seeds=SEEDS, ladder=["12k"])
    prepare(places)
    write_audit(places.audit_record, AuditRecord(passed=True, probes=tuple(_probes())))
    there = {"MLFLOW_TRACKING_URI": server.address}
    run(places, str(STAGES / "hpo.py"), "--cell", str(CELL), **there)
    trials = [(f"{CELL}/trial-{number:03d}", "FINISHED", "trial") for number in range(TRIALS)]
    assert runs_on_the_page(server, "miniature") == [(str(CELL), "FINISHED", "cell"), *trials]
    server.stop()
    said = run(places, str(STAGES / "train.py"), "--cell", str(CELL), **there)
    assert "`tsladder sync` logs them" in said
    server.start()
    run(places, str(STAGES / "evaluate.py"), "--cell", str(CELL), **there)
    seeds = [(f"{CELL}/seed-{number}", "FINISHED", "seed") for number in range(1, SEEDS + 1)]
    evaluation = (f"{CELL}/evaluation", "FINISHED", "evaluation")
    below = sorted([(str(CELL), "FINISHED", "cell"), *trials, *seeds, evaluation])
    assert runs_on_the_page(server, "miniature") == below
    run(places, str(STAGES / "fit.py"), **there)
    run(places, str(STAGES / "report.py"), **there)
    whole = sorted([*below, ("scaling-law", "FINISHED", "law"), ("comparison", "FINISHED", "comparison")])
    assert runs_on_the_page(server, "miniature") == whole
    versions = asked_get(server, "model-versions/search")["model_versions"]
    assert [version["name"] for version in versions] == ["scaling-law"]
    assert run(places, "-m", "tsladder.cli", "sync", **there).startswith("nothing waits")
    assert run(places, "-m", "tsladder.cli", "ui", **there).strip() == server.address
    assert not (places.mlruns / "mlflow.db").exists()


def asked_get(server: MlflowServer, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{server.address}/ajax-api/2.0/mlflow/{path}", timeout=60) as answer:  # noqa: S310
        return dict(json.load(answer))


def _probes() -> Iterator[ProbeFinding]:
    for name, title in SERIES_PROBES.items():
        yield ProbeFinding(name=name, title=title, passed=True, numbers={"windows": 36}, words="Nothing was seen.")


def test_a_study_is_copied_from_its_files_to_a_server_and_a_database_once(
    server: MlflowServer, postgres: Cluster, tmp_path: Path
) -> None:
    places = make_study(tmp_path, search__trials=TRIALS, ladder=["12k"], study__name="copied")
    prepare(places)
    run(places, str(STAGES / "hpo.py"), "--cell", str(CELL))
    database = postgres.create("copies")
    said = []
    for address in (server.address, database):
        first = run(places, "-m", "tsladder.cli", "sync", "--to", address)
        assert f"{TRIALS} runs" in first
        second = run(places, "-m", "tsladder.cli", "sync", "--to", address)
        assert second.rstrip().endswith(": nothing")
        said += [first, second]
    local = MlflowStore(places.mlruns, "copied", print).runs()
    remote = MlflowStore(parse_address(database, artifacts=places.mlruns, source="test"), "copied", print).runs()
    expected = {run.name: (run.status, run.params, run.metrics, run.tags) for run in local}
    assert {run.name: (run.status, run.params, run.metrics, run.tags) for run in remote} == expected
    trials = [(f"{CELL}/trial-{number:03d}", "FINISHED", "trial") for number in range(TRIALS)]
    assert runs_on_the_page(server, "copied") == [(str(CELL), "FINISHED", "cell"), *trials]
    assert PASSWORD not in "".join(said)


def test_a_database_alone_is_a_store_and_its_password_is_written_nowhere(postgres: Cluster, tmp_path: Path) -> None:
    said = []
    note = tmp_path / "note.txt"
    note.write_text("kept")
    address = postgres.create("alone")
    tracker = MlflowTracker(
        tmp_path / "mlruns", "alone", drainer=Drainer(tmp_path / "mlruns", address, say=said.append)
    )
    cell = tracker.cell_run("2M-h1", TAGS)
    tracker.log_run(RunRecord(name="2M-h1/trial-000", tags=TAGS, parent_id=cell, artifacts={note: "notes"}))
    tracker.register_law({"metric": "log_loss", "region": "test", "horizons": {}}, [note], TAGS)
    tracker.finish(cell, RunStatus.FINISHED)
    runs = {run.name: run for run in tracker.runs()}
    assert {run.status for run in runs.values()} == {RunStatus.FINISHED}
    assert set(runs) == {"2M-h1", "2M-h1/trial-000", "scaling-law"}
    kept = tmp_path / "mlruns" / "artifacts" / runs["2M-h1/trial-000"].run_id / "artifacts" / "notes" / "note.txt"
    assert kept.read_text() == "kept"
    wrong = address.replace(address.partition(":")[2].partition("@")[0], f"//{USER}:wr0ng%20password")
    failing = MlflowTracker(tmp_path / "mlruns", "alone", drainer=Drainer(tmp_path / "mlruns", wrong, say=said.append))
    failing.cell_run("2M-h1", TAGS)
    failing.settle()
    assert any("cannot be written" in line for line in said), said
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("utf-8", "replace")
    for secret in (PASSWORD, address.partition(f"{USER}:")[2].partition("@")[0], "wr0ng"):
        assert secret not in written
        assert secret not in "".join(said)
