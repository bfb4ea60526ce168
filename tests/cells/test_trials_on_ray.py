"""The searches of a miniature study on places of a real Ray, beside the same on this machine."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.execution.places import soon
from tests.execution.ray_nodes import RayNodes, needs_ray
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.store import read_lines
from tsladder.cells.ahead import train_ahead
from tsladder.console.run_ahead import run_ahead
from tsladder.console.run_dvc import DvcResult, run_command
from tsladder.console.run_log import RunLog, Timeline
from tsladder.execution.place import DRIVER_SECONDS
from tsladder.execution.ray_crew import is_loopback
from tsladder.places import Places
from tsladder.tracking import LOGGED_BY_RUN, MemoryTracker, MlflowTracker, RunStatus
from tsladder.train_ahead import AGAIN
from tsladder.vocabulary import Cell

pytestmark = [pytest.mark.slow, needs_ray]

CELL = Cell("12k", 1)
ASIDE = ("started_ms", "ended_at", "seconds", "train_seconds", "peak_memory_gib", "place", "kind", "workers", "lag")


def trials(places: Places) -> list[dict[str, Any]]:
    """The trials by number, without clocks, peaks, place, and how many trained at once."""
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return sorted(
        ({name: value for name, value in line.items() if name not in ASIDE} for line in lines),
        key=lambda line: (line["number"], line["attempt"]),
    )


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[RayNodes]:
    nodes = RayNodes()
    for name, value in nodes.environment.items():
        monkeypatch.setenv(name, value)
    yield nodes
    nodes.close()


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Places]:
    def made(name: str, **leaves: Any) -> Places:
        leaves = {"hardware__lag": 2, "hardware__memory_gib": 2.0, "search__trials": 8} | leaves
        places = make_study(tmp_path / name, days=600, **leaves)
        prepare(places)
        return places

    return made


def searched(places: Places) -> list[dict[str, Any]]:
    """Train ahead, then let the stage write its outputs; the trials."""
    errors = train_ahead(places, params_of(places), [CELL], MemoryTracker())
    assert errors == {}
    search_here(places, CELL)
    return trials(places)


@pytest.mark.parametrize(("nodes", "cores"), [(1, 2), (2, 1), (4, 1)])
def test_a_search_on_any_places_has_the_trials_and_the_choice_of_a_local_one(
    nodes: int, cores: int, cluster: RayNodes, study: Callable[..., Places]
) -> None:
    local = study("local", hardware__workers=2)
    expected = searched(local)
    for _ in range(nodes):
        cluster.start(cores=cores)
    places = study("far", hardware__workers=cores, hardware__executor="ray", hardware__address=cluster.address)
    assert searched(places) == expected
    assert places.choice(CELL).read_bytes() == local.choice(CELL).read_bytes()


LONGER = {"search__presets__quick__space__epochs": {"choices": [60]}, "training__patience": None}


def run_driver(places: Places, cluster: RayNodes, module: str, arguments: tuple[str, ...]) -> DvcResult:
    """Run the process of the trainings to its end, as `tsladder run` does, which also leaves MLflow to another one."""
    path = os.pathsep.join(filter(None, sys.path))
    variables = {"PYTHONPATH": path, LOGGED_BY_RUN: "1", **cluster.environment}
    return run_command(places, module, arguments, RunLog.create(places), Timeline(), None, variables)


def ended_trials(places: Places) -> int:
    found = places.root.glob("mlruns/studies/*/trials.jsonl")
    return sum(len(read_lines(path)) for path in found)


def places_of(cluster: RayNodes) -> list[psutil.Process]:
    """The processes of places."""
    return [one for one in cluster.processes() if name_of(one).startswith("ray::RayPlace")]


def name_of(process: psutil.Process) -> str:
    try:
        return "".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


QUICK_DRIVER = """
import sys
from tsladder.execution import ray_crew, remote_crew

ray_crew._AGAIN_SECONDS = remote_crew.LOOK_SECONDS = 1.0
ray_crew._NODES_SECONDS = 0.5
ray_crew.DRIVER_SECONDS = {seconds}

from tsladder.train_ahead import main

sys.exit(main())
"""
"""The process of the trainings, which looks for places more often, since kills follow each other quickly. `seconds`:
silence of the driver after which a place ends."""

SOON_GONE = 45.0
"""Such a silence, in seconds: no test waits for the usual two minutes."""


def test_a_head_that_is_lost_under_a_search_changes_no_result_once_it_is_back(
    cluster: RayNodes, study: Callable[..., Places], capfd: pytest.CaptureFixture[str]
) -> None:
    local = study("local", hardware__workers=2, **LONGER)
    expected = searched(local)
    head, _ = cluster.start(cores=1), cluster.start(cores=1)
    address = {"hardware__executor": "ray", "hardware__address": cluster.address, "hardware__patience": 300.0}
    places = study("far", hardware__workers=1, **address, **LONGER)
    left: list[psutil.Process] = []

    def lose_the_head() -> None:
        soon(lambda: ended_trials(places) >= 2, 180.0)
        cluster.kill(head)
        left.extend(one for place in places_of(cluster) for one in (place, *place.children(recursive=True)))
        cluster.start(cores=1, head=True)

    losing = threading.Thread(target=lose_the_head)
    losing.start()
    said: list[str] = []
    (places.root / "quick_driver.py").write_text(QUICK_DRIVER.format(seconds=SOON_GONE))
    result = run_ahead(
        [CELL], lambda given: run_driver(places, cluster, "quick_driver", given), said.append, elsewhere=True
    )
    losing.join()
    assert (result.code, len(said)) == (0, 1), (said, capfd.readouterr().err[-3000:])
    check_equal(places, local, expected)
    # What the other node trained for the driver that is gone.
    assert left
    _, alive = psutil.wait_procs(left, timeout=SOON_GONE + 30.0)
    assert not alive


def check_equal(places: Places, local: Places, expected: list[dict[str, Any]]) -> None:
    """Check that the search ended on places is the undisturbed one, and that its runs have ended."""
    search_here(places, CELL)
    found = trials(places)
    assert [line["number"] for line in found] == list(range(len(expected)))
    assert without_attempts(found) == without_attempts(expected)
    assert places.choice(CELL).read_bytes() == local.choice(CELL).read_bytes()
    runs = MlflowTracker(places.mlruns, "miniature").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]
    logged = sorted(run.name for run in runs if run.tags["kind"] == "trial")
    assert logged == [f"{CELL}/trial-{number:03d}" for number in range(len(expected))]


KINDS = ("place", "worker", "node", "driver")


class Killer:
    """Kills what a search on `cluster` needs: `order` in turn, each a while after a training has begun and, but for the
    driver and the head, under which a trial is not counted as lost, after a trial has ended."""

    def __init__(self, cluster: RayNodes, places: Places, seed: int, kills: int) -> None:
        self._cluster, self._places = cluster, places
        self._head, self._node = cluster.start(cores=1), cluster.start(cores=1)
        self._rng = random.Random(seed)
        self.order = ["head", *KINDS, *self._rng.choices(KINDS, weights=(5, 6, 2, 3), k=kills - 1 - len(KINDS))]
        self._rng.shuffle(self.order)
        self.done: Counter[str] = Counter()
        self._ended_at_loss = 0
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def end(self) -> None:
        self.over.set()
        self._thread.join()

    def _work(self) -> None:
        for what in self.order:
            # Otherwise the same trial might be lost five times.
            ended = 0 if what in ("driver", "head") else self._ended_at_loss + 1
            while not (self._found("worker") and ended_trials(self._places) >= ended):
                if self.over.wait(0.1):
                    return
            self.over.wait(self._rng.uniform(0.0, 0.5))
            before = ended_trials(self._places)
            while not self.over.is_set() and not self._kill(what):
                self.over.wait(0.05)
            if self.over.is_set():
                return
            self.done[what] += 1
            if what not in ("driver", "head"):
                self._ended_at_loss = before

    def _kill(self, what: str) -> bool:
        """Kill one of the kind `what`; False where there is none at the moment."""
        if what == "head":
            self._cluster.kill(self._head)
            self._head = self._cluster.start(cores=1, head=True)
            self._join_anew()
        elif what == "node":
            self._join_anew()
        else:
            found = self._found(what)
            # It may end at this moment.
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                self._rng.choice(found).kill()
                return True
            return False
        return True

    def _join_anew(self) -> None:
        self._cluster.kill(self._node)
        self._node = self._cluster.start(cores=1)

    def _found(self, what: str) -> list[psutil.Process]:
        """Return the processes of the kind `what`; none where one ends at this moment."""
        with contextlib.suppress(psutil.NoSuchProcess):
            if what == "driver":
                return [one for one in psutil.Process().children() if "quick_driver" in one.cmdline()]
            places = places_of(self._cluster)
            if what == "place":
                return places
            # A worker is a child of the fork server of its place.
            return [worker for place in places for server in place.children() for worker in server.children()]
        return []


@pytest.mark.parametrize(("seed", "kills"), [(0, 20)])
def test_kills_of_places_workers_nodes_drivers_and_the_head_lose_no_trial_double_none_and_change_no_number(
    seed: int, kills: int, cluster: RayNodes, study: Callable[..., Places]
) -> None:
    short = {"search__trials": 48, "search__presets__quick__space__epochs": {"choices": [20]}}
    local = study("local", hardware__workers=2, **short)
    expected = searched(local)
    address = {"hardware__executor": "ray", "hardware__address": cluster.address, "hardware__patience": 300.0}
    places = study("far", hardware__workers=1, **address, **short)
    (places.root / "quick_driver.py").write_text(QUICK_DRIVER.format(seconds=DRIVER_SECONDS))
    killer = Killer(cluster, places, seed, kills)
    starts = 1
    result = run_driver(places, cluster, "quick_driver", (str(CELL),))
    while result.killed:
        starts += 1
        result = run_driver(places, cluster, "quick_driver", (AGAIN, str(CELL)))
    killer.end()
    assert result.code == 0
    assert killer.done == Counter(killer.order)
    # Ray ends a driver with its head, unless it is killed before that, and with the node through which it has joined,
    # which on one machine may be any.
    killed = starts - 1 - killer.done["driver"]
    assert 0 <= killed <= killer.done["head"] + killer.done["node"]
    check_equal(places, local, expected)


def without_attempts(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name != "attempt"} for line in lines]


def test_no_process_of_a_ray_of_this_machine_listens_beyond_loopback(
    cluster: RayNodes, study: Callable[..., Places]
) -> None:
    cluster.start(cores=1)
    cluster.start(cores=1)
    places = study("far", hardware__workers=1, hardware__executor="ray", hardware__address=cluster.address)
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.5):
            for process in [*cluster.processes(), psutil.Process()]:
                with contextlib.suppress(psutil.Error):
                    listening = (one for one in process.net_connections() if one.status == psutil.CONN_LISTEN)
                    seen.update(one.laddr.ip.removeprefix("::ffff:") for one in listening)

    looking = threading.Thread(target=look)
    looking.start()
    searched(places)
    stop.set()
    looking.join()
    assert seen
    assert all(is_loopback(host) for host in seen), seen
