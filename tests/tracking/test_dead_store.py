"""A store that refuses, fails or hangs changes neither the exit code of a stage nor its trials, and loses no run."""

from __future__ import annotations

import datetime
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import warm_python
from tests.execution.instant import InstantCrews
from tests.studies import environment, make_study, prepare, search_here
from tests.tracking.fake_store import Server
from tests.tracking.servers import free_port

from tsladder.artifacts.spool import Spool
from tsladder.artifacts.store import read_lines
from tsladder.places import Places
from tsladder.tracking import Drainer, MemoryTracker, MlflowStore, MlflowTracker, RunStatus
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 4


class Failing(http.server.BaseHTTPRequestHandler):
    """Answers everything with an internal error."""

    def do_GET(self) -> None:
        self.send_error(500)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["refuses", "fails", "hangs"])
def dead_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server at which no request succeeds."""
    if request.param == "refuses":
        yield f"http://user:hidden@127.0.0.1:{free_port()}"
    elif request.param == "hangs":
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(64)
            yield f"http://user:hidden@127.0.0.1:{listening.getsockname()[1]}"
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Failing)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://user:hidden@127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()


def run(places: Places, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return warm_python.run(command, places.root, environment() | more)


@pytest.mark.slow
def test_a_stage_ends_as_without_it_and_sync_empties_the_spool(dead_server: str, tmp_path: Path) -> None:
    places = make_study(tmp_path, search__trials=TRIALS)
    prepare(places)
    stage = str(Path(__file__).parents[2] / "stages" / "hpo.py")
    done = run(places, stage, "--cell", str(CELL), MLFLOW_TRACKING_URI=dead_server)
    ended = time.time()
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "hidden" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("tsladder:")]
    assert sum("cannot be written" in line for line in said) == 1 or "lines wait" in "".join(said)
    assert sum("`tsladder sync`" in line for line in said) == 1
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert len(trials) == TRIALS
    last = max(datetime.datetime.fromisoformat(line["ended_at"]).timestamp() for line in trials)
    assert ended - last < 60, "the stage waits 30 s for MLflow at its end"
    waiting = Spool(places.mlruns).waiting().lines
    assert sorted(line.words for line in waiting if line.run) == [f"{CELL}/trial-{n:03d}" for n in range(TRIALS)]
    still = run(places, "-m", "tsladder.cli", "sync", MLFLOW_TRACKING_URI=dead_server)
    assert still.returncode == 1, still.stderr
    assert "hidden" not in still.stdout + still.stderr
    assert f"left: {len(waiting)}" in still.stdout
    emptied = run(places, "-m", "tsladder.cli", "sync")
    assert emptied.returncode == 0, emptied.stderr
    assert f"{TRIALS} runs" in emptied.stdout
    runs = MlflowStore(places.mlruns, "miniature", print).runs()
    assert sorted((logged.name, logged.status) for logged in runs) == [
        (str(CELL), RunStatus.FINISHED),
        *((f"{CELL}/trial-{n:03d}", RunStatus.FINISHED) for n in range(TRIALS)),
    ]
    again = run(places, "-m", "tsladder.cli", "sync")
    assert (again.returncode, "nothing waits" in again.stdout) == (0, True)


def test_a_store_that_hangs_delays_no_trial_of_a_search(tmp_path: Path) -> None:
    """The same search, logged to memory and to a store that hangs at every step."""
    seconds, release, memory = [], threading.Event(), MemoryTracker()
    for name in ("memory", "hanging"):
        places = make_study(tmp_path / name, search__trials=7)
        prepare(places)
        server = Server(before=lambda _step: release.wait(60) and None)
        drainer = Drainer(places.mlruns, open_store=server.open, say=[].append)
        tracker = memory if name == "memory" else MlflowTracker(places.mlruns, "miniature", drainer=drainer)
        begun = time.monotonic()
        search_here(places, CELL, tracker, crews=InstantCrews())
        seconds.append(time.monotonic() - begun)
    assert len([line for line in drainer.spool.waiting().lines if line.run]) == 7
    release.set()
    assert seconds[1] < seconds[0] + 5
    tracker.settle()
    logged, expected = server.runs.values(), memory.runs()
    assert sorted((run.name, run.status) for run in logged) == sorted((run.name, run.status) for run in expected)
