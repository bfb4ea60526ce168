"""From the spool to the store: nothing is lost, doubled or waited for, whatever the store or the processes do."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tracking.fake_store import Killed, Refused, Server

from tsladder.artifacts.spool import Spool
from tsladder.tracking import LOGGED_BY_RUN, Drainer, MlflowTracker, RunRecord, RunStatus, RunTags, drain, open_cell_run

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="key-1"
)
LAW = {"metric": "log_loss", "region": "test", "horizons": {}}
WHOLE = sorted(
    [
        ("2M-h1", None, "FINISHED"),
        ("2M-h1/trial-000", "2M-h1", "FINISHED"),
        ("2M-h1/trial-001", "2M-h1", "FINISHED"),
        ("2M-h1/trial-002", "2M-h1", "FAILED"),
        ("baselines-h1", None, "FINISHED"),
        ("baselines-h1/ridge", "baselines-h1", "FINISHED"),
        ("comparison", None, "FINISHED"),
        ("scaling-law", None, "FINISHED"),
    ]
)


def trial(parent: str, number: int, status: RunStatus = RunStatus.FINISHED) -> RunRecord:
    name = f"2M-h1/trial-{number:03d}"
    return RunRecord(name=name, tags=TAGS, parent_id=parent, extra_tags={"attempt": "0"}, status=status)


def work(tracker: MlflowTracker) -> None:
    """All that stages log; trial 0 was logged by an earlier process, or not."""
    with open_cell_run(tracker, "2M-h1", TAGS) as run:
        tracker.repair(run.run_id, [trial(run.run_id, 0), trial(run.run_id, 1)])
        tracker.log_run(trial(run.run_id, 2, RunStatus.FAILED))
    baselines = tracker.log_run(RunRecord(name="baselines-h1", tags=TAGS))
    tracker.log_run(RunRecord(name="baselines-h1/ridge", tags=TAGS, parent_id=baselines))
    tracker.register_law(LAW, [], TAGS)
    tracker.log_comparison([], TAGS, "all")


def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what is appended to the spool to whoever drains it."""
    monkeypatch.setattr(Drainer, "_work", lambda _self: None)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in whose spool all lines of `work` wait."""
    folder = tmp_path / "mlruns"
    with monkeypatch.context() as patched:
        no_thread(patched)
        work(MlflowTracker(folder, "study", drainer=Drainer(folder)))
    return folder


def drain_once(folder: Path, server: Server) -> drain.Drained:
    return Drainer(folder, open_store=server.open, say=[].append).drain(patience=1.0)


def test_what_waits_is_logged_whole_and_the_spool_is_empty(written: Path) -> None:
    server = Server()
    found = drain_once(written, server)
    assert (found.left, found.reason) == (0, None)
    assert server.ended() == WHOLE
    assert (written / "spool.jsonl").stat().st_size == 0
    assert found.logged == {"changes of cells": 3, "comparisons": 1, "laws": 1, "runs": 5}


def kill_at(step: int, server: Server) -> None:
    """Let the process that uses the server die at its `step`-th step, before or after which something changes."""
    left = [step]

    def before(_step: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    server.before = before


@pytest.mark.parametrize("twice", [False, True])
def test_a_kill_at_any_step_neither_loses_nor_doubles_a_run(
    twice: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of the store, and at every mark of a line that is done, before and after it."""
    marks, done = [-1], Spool.done

    def mark(spool: Spool, key: str) -> None:
        marks[0] -= 1
        if marks[0] == 0:
            raise Killed
        done(spool, key)

    monkeypatch.setattr(Spool, "done", mark)
    no_thread(monkeypatch)
    kills = 0
    for place, step in [("store", n) for n in range(40)] + [("mark", n) for n in range(1, 12)]:
        folder = tmp_path / f"{place}-{step}"
        work(MlflowTracker(folder, "study", drainer=Drainer(folder)))
        server = Server()
        for _ in range(2 if twice else 1):
            marks[0] = step if place == "mark" else -1
            if place == "store":
                kill_at(step, server)
            try:
                drain_once(folder, server)
            except Killed:
                kills += 1
        marks[0], server.before = -1, lambda _step: None
        assert drain_once(folder, server).left == 0
        assert server.ended() == WHOLE, (place, step)
        assert len(server.versions) == 1, (place, step)
    assert kills > 30


def test_lines_of_a_process_that_was_killed_are_logged_by_the_next_one(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from tests.tracking.test_spool_and_store import work
        from tsladder.tracking import LOGGED_BY_RUN, Drainer, MlflowTracker
        Drainer._work = lambda self: None
        work(MlflowTracker(Path(sys.argv[1]), "study"))
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "mlruns")], env=environment, check=False)
    assert done.returncode == -9
    server = Server()
    tracker = MlflowTracker(tmp_path / "mlruns", "study", drainer=Drainer(tmp_path / "mlruns", open_store=server.open))
    tracker.log_comparison([], TAGS, "of the next")
    tracker.settle()
    assert server.ended() == WHOLE


def test_a_line_that_another_process_had_begun_to_log_when_it_was_killed_is_logged_once_by_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of the other, which dies with the line half logged or whole."""
    no_thread(monkeypatch)
    for step in range(40):
        server, folder = Server(), tmp_path / str(step)
        own = Drainer(folder, open_store=server.open, say=[].append)
        tracker = MlflowTracker(folder, "study", drainer=own)
        tracker.log_run(RunRecord(name="earlier", tags=TAGS))
        assert own.drain(patience=1.0).left == 0
        work(tracker)
        kill_at(step, server)
        with contextlib.suppress(Killed):
            drain_once(folder, server)
        server.before = lambda _step: None
        assert own.drain(patience=1.0).left == 0
        assert server.ended() == sorted([*WHOLE, ("earlier", None, "FINISHED")]), step


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts that suit a test."""
    monkeypatch.setattr(drain, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(drain, "_LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(drain, "_BUSY_PAUSE", 0.01)


def failing(times: int, error: Exception) -> Callable[[str], None]:
    left = [times]

    def before(_step: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error

    return before


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("error", [ConnectionRefusedError("refused"), RuntimeError("no room"), TimeoutError()])
def test_a_store_that_fails_for_a_while_gets_everything_when_it_recovers_and_that_is_said_once(
    error: Exception, tmp_path: Path
) -> None:
    server, said = Server(before=failing(7, error)), []
    tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, open_store=server.open, say=said.append))
    work(tracker)
    deadline = time.monotonic() + 30
    while tracker._drainer.spool.count():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert server.ended() == WHOLE
    assert len(said) == 1
    assert "cannot be written" in said[0]


def test_a_store_that_fails_is_not_waited_for_and_everything_stays_in_the_spool(tmp_path: Path) -> None:
    server, said = Server(before=failing(10**9, ConnectionRefusedError("refused"))), []
    tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, open_store=server.open, say=said.append))
    begun = time.monotonic()
    work(tracker)
    tracker.settle()
    assert time.monotonic() - begun < 10
    assert len(Spool(tmp_path).waiting().lines) == 10
    assert [("cannot be written" in text, "`tsladder sync`" in text) for text in said] == [(True, False), (False, True)]
    assert drain_once(tmp_path, Server()).left == 0


def test_a_store_that_hangs_delays_no_verb_and_the_end_only_as_long_as_is_allowed(tmp_path: Path) -> None:
    release, said = threading.Event(), []
    server = Server(before=lambda _step: release.wait(60) and None)
    tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, open_store=server.open, say=said.append))
    begun = time.monotonic()
    work(tracker)
    assert time.monotonic() - begun < 5
    begun = time.monotonic()
    tracker.settle(0.5)
    assert 0.5 <= time.monotonic() - begun < 5
    assert any("10 lines wait" in text for text in said)
    release.set()
    tracker.settle()
    assert server.ended() == WHOLE


@pytest.mark.usefixtures("hurried")
def test_a_line_that_the_store_never_takes_is_set_aside_and_the_others_are_logged(tmp_path: Path) -> None:
    server, said, refused = Server(), [], [False]

    def before(step: str) -> None:
        if step == "create" and refused[0]:
            raise Refused("Param value is too long")

    server.before = before
    drainer = Drainer(tmp_path, open_store=server.open, say=said.append)
    tracker = MlflowTracker(tmp_path, "study", drainer=drainer)
    with open_cell_run(tracker, "2M-h1", TAGS) as run:
        tracker.settle()
        refused[0] = True
        tracker.log_run(trial(run.run_id, 0))
        tracker.settle()
        refused[0] = False
        tracker.log_run(trial(run.run_id, 1))
    tracker.settle()
    assert server.ended() == [("2M-h1", None, "FINISHED"), ("2M-h1/trial-001", "2M-h1", "FINISHED")]
    assert "trial-000" in (tmp_path / "spool.refused.jsonl").read_text()
    assert [("refuses" in text, "trial-000" in text) for text in said] == [(True, True)]


@pytest.mark.usefixtures("hurried")
def test_two_that_drain_one_spool_log_every_line_once(tmp_path: Path) -> None:
    server = Server(before=lambda _step: time.sleep(0.0005))
    trackers = [
        MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, open_store=server.open, say=[].append))
        for _ in range(3)
    ]

    def log(tracker: MlflowTracker, name: str) -> None:
        with open_cell_run(tracker, name, TAGS) as run:
            for number in range(20):
                tracker.log_run(RunRecord(name=f"{name}/{number:02d}", tags=TAGS, parent_id=run.run_id))

    names = ("12k-h1", "30k-h1", "80k-h1")
    threads = [threading.Thread(target=log, args=pair) for pair in zip(trackers, names, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tracker in trackers:
        tracker.settle()
    expected = [(name, None, "FINISHED") for name in names]
    expected += [(f"{name}/{number:02d}", name, "FINISHED") for name in names for number in range(20)]
    assert server.ended() == sorted(expected)


def test_one_tracker_serves_several_cells_at_once(tmp_path: Path) -> None:
    server = Server()
    tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path, open_store=server.open))
    first, second = tracker.cell_run("2M-h1", TAGS), tracker.cell_run("2M-h3", TAGS)
    tracker.log_run(RunRecord(name="a", tags=TAGS, parent_id=first))
    tracker.log_run(RunRecord(name="b", tags=TAGS, parent_id=second))
    tracker.finish(first, RunStatus.FINISHED)
    tracker.log_run(RunRecord(name="c", tags=TAGS, parent_id=second))
    tracker.finish(second, RunStatus.FAILED)
    tracker.settle()
    assert server.ended() == [
        ("2M-h1", None, "FINISHED"),
        ("2M-h3", None, "FAILED"),
        ("a", "2M-h1", "FINISHED"),
        ("b", "2M-h3", "FINISHED"),
        ("c", "2M-h3", "FINISHED"),
    ]


def test_asking_again_for_what_waits_already_adds_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_thread(monkeypatch)
    for _ in range(3):
        tracker = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path))
        cell = tracker.cell_run("2M-h1", TAGS)
        tracker.repair(cell, [trial(cell, number) for number in range(50)])
    runs = [line for line in Spool(tmp_path).waiting().lines if line.run is not None]
    assert len(runs) == 50


def test_a_file_that_is_gone_when_it_is_logged_is_named_and_the_run_is_logged(tmp_path: Path) -> None:
    server, said, folder = Server(), [], tmp_path / "mlruns"
    (tmp_path / "there.txt").write_text("x")
    artifacts = {tmp_path / "there.txt": "", tmp_path / "gone.txt": ""}
    tracker = MlflowTracker(folder, "study", drainer=Drainer(folder, open_store=server.open, say=said.append))
    tracker.log_run(RunRecord(name="a", tags=TAGS, artifacts=artifacts))
    tracker.settle()
    assert server.ended() == [("a", None, "FINISHED")]
    assert len(said) == 1
    assert str(tmp_path / "gone.txt") in said[0]
    assert "there.txt" not in said[0]


@pytest.mark.parametrize("fault", ["a file in place of the folder", "a folder in place of the spool"])
def test_a_spool_that_cannot_be_written_ends_no_work_and_is_reported_once(fault: str, tmp_path: Path) -> None:
    folder, said = tmp_path / "mlruns", []
    if fault == "a file in place of the folder":
        folder.write_text("")
    else:
        (folder / "spool.jsonl").mkdir(parents=True)
    tracker = MlflowTracker(folder, "study", drainer=Drainer(folder, say=said.append))
    work(tracker)
    tracker.settle()
    assert len(said) == 1
    assert "spool.jsonl" in said[0]


def test_nothing_imports_mlflow_before_the_thread_that_drains_does(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tests.tracking.test_spool_and_store import work
        from tsladder.tracking import LOGGED_BY_RUN, Drainer, MlflowTracker
        Drainer._work = lambda self: None
        work(MlflowTracker(Path(sys.argv[1]), "study"))
        assert not {"mlflow", "sqlalchemy"} & set(sys.modules)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "mlruns")], env=environment, check=True)


@pytest.mark.slow
def test_a_drainer_that_only_appends_leaves_its_lines_to_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOGGED_BY_RUN, "1")
    stage = MlflowTracker(tmp_path, "study")
    stage.finish(stage.cell_run("12k-h1", TAGS), RunStatus.FINISHED)
    stage.settle()
    assert Spool(tmp_path).count() == 2
    monkeypatch.delenv(LOGGED_BY_RUN)
    other = subprocess.run(
        [sys.executable, "-m", "tsladder.log_runs", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stderr == ""
    assert Spool(tmp_path).count() == 0
    (run,) = MlflowTracker(tmp_path, "study", drainer=Drainer(tmp_path)).runs()
    assert (run.name, run.status) == ("12k-h1", RunStatus.FINISHED)
