"""`tsladder sync`: what waits is logged, and what is left is said; `tsladder ui` where the store is a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tracking.servers import free_port

from tsladder.artifacts.spool import Spool
from tsladder.cli import main
from tsladder.tracking import Drainer, MlflowStore, MlflowTracker, RunRecord, RunStatus, RunTags

TAGS = RunTags(budget="2M", horizon="1", model="m", tier="a25", task="t", phase="search", study_key="key-1")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study's folder, in which commands run."""
    (tmp_path / "params.yaml").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return tmp_path


@pytest.fixture
def waiting(study: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with four lines in its spool."""
    with monkeypatch.context() as patched:
        patched.setattr(Drainer, "_work", lambda _self: None)
        tracker = MlflowTracker(study / "mlruns", "study", drainer=Drainer(study / "mlruns"))
        cell = tracker.cell_run("2M-h1", TAGS)
        for number in range(2):
            tracker.log_run(RunRecord(name=f"2M-h1/trial-{number:03d}", tags=TAGS, parent_id=cell))
        tracker.finish(cell, RunStatus.FINISHED)
    return study


@pytest.mark.usefixtures("study")
def test_where_nothing_waits_it_says_so_and_makes_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync"]) == 0
    assert "nothing waits" in capsys.readouterr().out
    assert [path.name for path in study.iterdir()] == ["params.yaml"]


def test_what_waits_is_logged_and_counted(waiting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines() == [f"logged to {waiting / 'mlruns' / 'mlflow.db'}: 2 changes of cells, 2 runs"]
    names = [run.name for run in MlflowStore(waiting / "mlruns", "study", print).runs()]
    assert sorted(names) == ["2M-h1", "2M-h1/trial-000", "2M-h1/trial-001"]
    assert main(["sync"]) == 0
    assert "nothing waits" in capsys.readouterr().out


def test_what_is_left_is_counted_with_the_reason_and_the_exit_code_says_so(
    waiting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:hidden@127.0.0.1:{free_port()}")
    assert main(["sync"]) == 1
    out, err = capsys.readouterr()
    assert "left: 4, because" in out
    assert "hidden" not in out + err
    assert len(Spool(waiting / "mlruns").waiting().lines) == 4


def test_while_another_process_drains_it_waits_and_says_so(
    waiting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsladder.console.sync._PATIENCE", 0.05)
    with Spool(waiting / "mlruns").draining():
        assert main(["sync"]) == 1
    assert "another process" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["sync"], ["ui"]])
def test_an_address_that_is_none_is_one_line(
    command: list[str], waiting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks://me:hidden@profile")
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "MLFLOW_TRACKING_URI must be the address of an MLflow store" in said
    assert "hidden" not in said
    assert not (waiting / "mlruns" / "mlflow.db").exists()


@pytest.mark.usefixtures("study")
def test_the_page_of_a_server_is_named_and_none_is_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:hidden@tracking.example/mlflow")
    assert main(["ui"]) == 0
    assert capsys.readouterr() == ("https://tracking.example/mlflow\n", "")
