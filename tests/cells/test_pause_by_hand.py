"""The lock that pauses all training, held and let go of while a real search runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.studies import environment, make_study, prepare, start_stage

from tsladder.artifacts.store import read_json, read_lines
from tsladder.errors import WorkFailed
from tsladder.locks import exclusive_lock
from tsladder.places import Places

pytestmark = pytest.mark.slow

CELL = "12k-h1"
HOLD = """
import sys, time
from pathlib import Path
from tsladder.locks import exclusive_lock
with exclusive_lock(Path(sys.argv[1]), "a pause"):
    print("held", flush=True)
    time.sleep(600)
"""


class Searching:
    """A search of long trials in a process of its own."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.process = start_stage(places, "hpo", "--cell", CELL)

    def file(self, name: str) -> Path | None:
        return next(iter(self.places.studies.glob(f"{CELL}-*/{name}")), None)

    def progress(self) -> dict[str, Any]:
        path = self.file("progress.json")
        return {} if path is None else read_json(path)

    def epochs(self) -> int:
        return sum(int(one["epoch"]) for one in self.progress().get("running", []))

    def workers(self) -> list[psutil.Process]:
        """The processes that work: neither the fork server, nor what looks after it, nor the shell that wakes."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        servers = [one for one in family if any(child in family for child in one.children())]
        return [child for server in servers for child in server.children()]

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, "the search ended"
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.05)


@contextmanager
def search_in(folder: Path) -> Iterator[Searching]:
    places = make_study(folder, search__presets__quick__space__epochs={"choices": [100_000]}, training__patience=None)
    prepare(places)
    search = Searching(places)
    try:
        search.until("an epoch", lambda: search.epochs() > 0)
        yield search
    finally:
        os.killpg(search.process.pid, signal.SIGKILL)
        search.process.communicate()


@pytest.fixture(scope="module")
def searching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searching]:
    """A search that several tests pause; none may end it."""
    with search_in(tmp_path_factory.mktemp("searching")) as search:
        yield search


@pytest.fixture
def own_search(tmp_path: Path) -> Iterator[Searching]:
    with search_in(tmp_path) as search:
        yield search


def assert_suspended(search: Searching) -> bool:
    workers = search.workers()
    return len(workers) > 0 and all(worker.status() == psutil.STATUS_STOPPED for worker in workers)


def test_a_pause_stops_the_workers_where_they_stand_is_shown_and_ends_with_the_lock(searching: Searching) -> None:
    with exclusive_lock(searching.places.pause, "a pause"):
        searching.until("the workers stand still", lambda: assert_suspended(searching))
        searching.until("the pause is shown", lambda: searching.progress().get("paused") == "by hand")
        shown = searching.progress()
        # An epoch that ended just before the pause is counted in the first moment of it.
        searching.until("another beat", lambda: searching.progress()["at"] > shown["at"])
        first, epochs = searching.progress(), searching.epochs()
        time.sleep(2.2)
        later = searching.progress()
        assert searching.epochs() == epochs
        assert 0.9 < later["at"] - first["at"] < 2.5
        silences = [
            (one["silent_seconds"], two["silent_seconds"])
            for one, two in zip(first["running"], later["running"], strict=True)
        ]
        assert all(after == before for before, after in silences)
    searching.until("it goes on", lambda: searching.epochs() > epochs)
    assert searching.progress()["paused"] is None
    assert not assert_suspended(searching)


def test_a_pause_whose_owner_is_killed_ends_by_itself(searching: Searching) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(searching.places.pause)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "held\n"
    searching.until("the workers stand still", lambda: assert_suspended(searching))
    with pytest.raises(WorkFailed, match=str(owner.pid)), exclusive_lock(searching.places.pause, "the pause"):
        pass
    epochs = searching.epochs()
    owner.kill()
    owner.communicate()
    searching.until("it goes on", lambda: searching.epochs() > epochs)


@pytest.mark.slow
def test_a_stop_during_a_pause_finishes_the_epoch_and_the_trial_says_how_long_it_was_paused(
    own_search: Searching,
) -> None:
    with exclusive_lock(own_search.places.pause, "a pause"):
        own_search.until("the workers stand still", lambda: assert_suspended(own_search))
        time.sleep(1.0)
        os.killpg(own_search.process.pid, signal.SIGINT)
        assert own_search.process.wait(timeout=60) == 130
    trials = own_search.file("trials.jsonl")
    assert trials is not None
    lines = read_lines(trials)
    assert {line["state"] for line in lines} == {"interrupted"}
    assert all(line["pauses"] == 1 and 0.5 < line["paused_seconds"] < line["seconds"] for line in lines)
    assert own_search.progress() == {"running": []}
