"""The log of a stage that no `tsladder run` drives, and what every process of a run adds to the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.studies import environment, make_study
from tsladder.cli import main
from tsladder.console.run_log import RunLog
from tsladder.log_file import LOG_FILE, NoLog, RunningLog, current_log, newest_log
from tsladder.places import Places

# A stage whose training is imagined: it prints, and it has an epoch for the file alone.
STAGE = """
import sys
from tsladder.errors import WorkFailed
from tsladder.log_file import current_log
from tsladder.stage import run_study_stage

def build(places, params):
    print("10%\\r100%", flush=True)
    print("12k-h1: trial 1/7: val_loss 0.5", file=sys.stderr)
    current_log().write_unprinted("12k-h1: trial 1/7 epoch 1/2")
    if sys.argv[1] == "fail":
        raise WorkFailed("it did not work")
    if sys.argv[1] == "bug":
        raise ZeroDivisionError("a bug")

sys.exit(run_study_stage(build))
"""

# As DVC does: a process whose program is called dvc runs one stage after the other through a shell.
DVC = """
import os, subprocess, sys
for name in sys.argv[1:]:
    stage = {**os.environ, "DVC_STAGE": f"hpo@{name}"}
    subprocess.run(f"{sys.executable} stage.py {name}", shell=True, env=stage)
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = make_study(tmp_path)
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc").write_text(DVC)
    return found


def run(places: Places, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=places.root,
        env=environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def logs(places: Places) -> list[list[str]]:
    """The lines of every log."""
    return [[line.text for line in RunLog(path).new_lines()] for path in sorted(places.logs.glob("run-*.log"))]


def test_the_stages_of_one_dvc_command_share_a_file_with_what_they_print_and_what_they_do_not(places: Places) -> None:
    done = run(places, "dvc", "one", "two")
    (lines,) = logs(places)
    assert lines[0].startswith("dvc one two, process ")
    assert [line for line in lines if line.startswith("Running")] == [
        "Running stage 'hpo@one':",
        "Running stage 'hpo@two':",
    ]
    assert lines.count("100%") == 2
    assert lines.count("12k-h1: trial 1/7: val_loss 0.5") == 2
    assert lines.count("| 12k-h1: trial 1/7 epoch 1/2") == 2
    assert "epoch" not in done.stdout + done.stderr
    assert done.stderr.count("tsladder: log: mlruns/logs/run-") == 1


def test_another_dvc_command_has_a_file_of_its_own(places: Places) -> None:
    run(places, "dvc", "one")
    run(places, "dvc", "one")
    assert len(logs(places)) == 2


def test_how_a_stage_failed_is_in_its_log_a_bug_included(places: Places) -> None:
    run(places, "dvc", "fail", "bug")
    (lines,) = logs(places)
    assert "tsladder: it did not work" in lines
    assert any(line.startswith("| stage hpo@fail ended with 1 ") for line in lines)
    assert "ZeroDivisionError: a bug" in lines


def test_a_stage_started_by_hand_keeps_a_log_as_well(places: Places) -> None:
    assert run(places, "stage.py", "one").returncode == 0
    ((head, *lines),) = logs(places)
    assert head.startswith("python stage.py one, process ")
    assert "12k-h1: trial 1/7: val_loss 0.5" in lines


def test_a_stage_of_a_tsladder_run_adds_to_its_log_only_what_it_does_not_print(places: Places) -> None:
    log = places.root / "the.log"
    run(places, "dvc", "one", **{LOG_FILE: str(log)})
    first, second = (line.text for line in RunLog(log).new_lines())
    assert first == "| 12k-h1: trial 1/7 epoch 1/2"
    assert second.startswith("| stage hpo@one ended with 0 ")
    assert not places.mlruns.exists()


@pytest.mark.parametrize("where", ["full disk", "file in the way"])
def test_a_log_that_cannot_be_written_is_reported_once_and_the_stage_continues(where: str, places: Places) -> None:
    variables = {}
    if where == "full disk":
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        variables[LOG_FILE] = "/dev/full"
    else:
        places.mlruns.write_text("")
    done = run(places, "stage.py", "one", **variables)
    assert done.returncode == 0
    assert done.stderr.count("cannot be written") == 1
    assert "12k-h1: trial 1/7: val_loss 0.5" in done.stderr


def test_lines_of_several_processes_stay_whole(tmp_path: Path) -> None:
    log = tmp_path / "the.log"
    program = "from tsladder.log_file import current_log\nfor n in range(200): current_log().write_unprinted('x' * 200)"
    writers = [
        subprocess.Popen([sys.executable, "-c", program], env=environment() | {LOG_FILE: str(log)}) for _ in range(3)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    lines = RunLog(log).new_lines()
    assert len(lines) == 600
    assert {line.text for line in lines} == {"| " + "x" * 200}


def test_without_a_run_nothing_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LOG_FILE, raising=False)
    assert isinstance(current_log(), NoLog)


def test_the_newest_log_is_that_of_the_command_that_began_last(tmp_path: Path) -> None:
    assert newest_log(tmp_path) is None
    for name in ("run-20260102T030405Z-99.log", "run-20260102T030406Z-7.log", "run-of-mine-8.log"):
        RunningLog(tmp_path / name).write("a line")
    assert newest_log(tmp_path) == tmp_path / "run-20260102T030406Z-7.log"


def test_status_names_the_newest_log(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(places, "dvc", "one")
    (path,) = places.logs.iterdir()
    monkeypatch.chdir(places.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["status"]) == 0
    assert path.relative_to(places.root).as_posix() in capsys.readouterr().out


def test_a_file_that_was_removed_meanwhile_is_recreated(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    log, reader = RunningLog(path), RunLog(path)
    log.write("a first line that is long")
    assert len(reader.new_lines()) == 1
    path.unlink()
    assert reader.new_lines() == []
    log.write("a second")
    assert [line.text for line in reader.new_lines()] == ["a second"]
