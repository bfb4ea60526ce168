"""Trainings ahead of `tsladder run` whose process is killed: which end is a kill, and what is started again."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.execution.ray_nodes import free_port
from tests.studies import environment

from tsladder.console.run_ahead import run_ahead
from tsladder.console.run_dvc import DvcResult, run_command
from tsladder.console.run_log import RunLog, Timeline
from tsladder.errors import WorkFailed
from tsladder.execution.ray_crew import wait_for_head
from tsladder.places import Places
from tsladder.vocabulary import Cell

CELLS = (Cell("12k", 1), Cell("30k", 3))
NAMES = ("12k-h1", "30k-h3")
KILLED = DvcResult(-signal.SIGKILL, stopped=False, killed=True)
BY_RAY = DvcResult(1, stopped=False, killed=True)
ABORTED = DvcResult(-signal.SIGABRT, stopped=False, killed=True)
DONE = DvcResult(0, stopped=False)
FAILED = DvcResult(1, stopped=False)


class Runs:
    """Ends one after the other in the given ways."""

    def __init__(self, *ends: DvcResult) -> None:
        self._left = iter(ends)
        self.arguments: list[tuple[str, ...]] = []
        self.said: list[str] = []

    def __call__(self, arguments: tuple[str, ...]) -> DvcResult:
        self.arguments.append(arguments)
        return next(self._left)

    def end(self, *, elsewhere: bool = False) -> DvcResult:
        return run_ahead(CELLS, self, self.said.append, elsewhere=elsewhere)


@pytest.mark.parametrize("first", [KILLED, BY_RAY, ABORTED])
@pytest.mark.parametrize("then", [DONE, FAILED, DvcResult(130, stopped=True)])
def test_trainings_that_are_killed_are_started_once_more_and_that_is_one_line(
    first: DvcResult, then: DvcResult
) -> None:
    runs = Runs(first, then)
    assert runs.end() == then
    assert runs.arguments == [NAMES, ("--again", *NAMES)]
    assert len(runs.said) == 1


@pytest.mark.parametrize("ending", [DONE, FAILED, DvcResult(130, stopped=True), DvcResult(-9, stopped=True)])
def test_trainings_that_end_or_that_the_user_stops_are_not_started_again(ending: DvcResult) -> None:
    runs = Runs(ending)
    assert runs.end() == ending
    assert (runs.arguments, runs.said) == ([NAMES], [])


@pytest.mark.parametrize(("elsewhere", "second"), [(False, KILLED), (True, KILLED), (True, BY_RAY), (True, ABORTED)])
def test_the_second_kill_ends_the_run_with_exit_code_1_and_what_to_do(elsewhere: bool, second: DvcResult) -> None:
    runs = Runs(KILLED, second)
    found = runs.end(elsewhere=elsewhere)
    assert (found.code, found.killed) == (1, True)
    assert "run the same command again" in runs.said[-1]
    assert ("Ray" in runs.said[-1]) == elsewhere


# ------------------------------------------------------------------------------------------------------- real processes

ENDINGS = {
    "os.kill(os.getpid(), signal.SIGKILL)": (-signal.SIGKILL, True),
    "os._exit(1)": (1, True),
    "run_work(lambda: os._exit(1))": (1, True),
    "sys.exit(run_work(fails))": (1, False),
    "run_work(raises)": (1, False),
    "pass": (0, False),
}
MODULE = """
import os, signal, sys, time
from pathlib import Path
from tsladder.errors import WorkFailed
from tsladder.stage import run_work

def fails(): raise WorkFailed("in order")
def raises(): raise ZeroDivisionError
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{environment()['PYTHONPATH']}")
    (tmp_path / "mlruns").mkdir()
    return Places(tmp_path, tmp_path)


def ended(places: Places, body: str) -> DvcResult:
    (places.root / "stand_in.py").write_text(MODULE + body)
    return run_command(places, "stand_in", (), RunLog.create(places), Timeline(), None)


@pytest.mark.parametrize("body", ENDINGS)
def test_a_process_that_leaves_no_exit_code_was_killed(body: str, places: Places) -> None:
    found = ended(places, body)
    assert (found.code, found.killed) == ENDINGS[body]


def test_a_process_that_is_killed_after_a_ctrl_c_was_stopped_and_not_killed(places: Places) -> None:
    def ctrl_c() -> None:
        deadline = time.monotonic() + 30.0
        while not (places.root / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    asking = threading.Thread(target=ctrl_c)
    asking.start()
    dies = """
signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
Path("ready").touch()
time.sleep(60)
"""
    assert ended(places, dies) == DvcResult(-signal.SIGKILL, stopped=True, killed=False)
    asking.join()


# ------------------------------------------------------------------------------------------------ the head of a cluster


def test_a_head_that_is_lost_is_waited_for_and_then_said_to_be_lost() -> None:
    port = free_port()
    with pytest.raises(WorkFailed, match=rf"127.0.0.1:{port} .*was lost.*ray start --head --port {port}"):
        wait_for_head(f"127.0.0.1:{port}", 0.1)


def test_a_head_that_comes_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.execution.ray_crew._HEAD_SECONDS", 0.02)
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))
        opens = threading.Timer(0.2, head.listen)
        opens.start()
        began = time.monotonic()
        wait_for_head(f"127.0.0.1:{head.getsockname()[1]}", 30.0)
        opens.join()
    assert 0.15 < time.monotonic() - began < 10.0
