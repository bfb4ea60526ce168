"""The searches of a miniature study on places of a real Ray, beside the same on this machine."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.execution.ray_nodes import RayNodes, needs_ray
from tests.studies import environment, make_study, params_of, prepare, search_here

from tsladder.artifacts.store import read_lines
from tsladder.cells.ahead import train_ahead
from tsladder.execution.ray_crew import is_loopback
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, MlflowTracker, RunStatus
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


def driver_of(places: Places, cluster: RayNodes) -> subprocess.Popen[bytes]:
    """Start what `tsladder run` starts to train ahead."""
    return subprocess.Popen(
        [sys.executable, "-m", "tsladder.train_ahead", str(CELL)],
        cwd=places.root,
        env={**environment(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **cluster.environment},
        stdout=subprocess.DEVNULL,
        stderr=(places.root / "driver.log").open("ab"),
        start_new_session=True,
    )


@pytest.mark.parametrize(("seed", "kills"), [(0, 6)])
def test_kills_of_places_nodes_and_drivers_lose_no_trial_double_none_and_change_no_number(
    seed: int, kills: int, cluster: RayNodes, study: Callable[..., Places]
) -> None:
    rng = random.Random(seed)
    longer = {"search__presets__quick__space__epochs": {"choices": [60]}, "training__patience": None}
    local = study("local", hardware__workers=2, **longer)
    expected = searched(local)
    cluster.start(cores=1)
    nodes = [cluster.start(cores=1)]
    places = study("far", hardware__workers=1, hardware__executor="ray", hardware__address=cluster.address, **longer)
    driver = driver_of(places, cluster)
    done: Counter[str] = Counter()
    left = ["place", "node", "driver"] * -(-kills // 3)
    rng.shuffle(left)
    deadline = time.monotonic() + 600.0
    while driver.poll() is None:
        assert time.monotonic() < deadline, (places.root / "driver.log").read_text()
        time.sleep(rng.uniform(3.0, 8.0))
        if not left or driver.poll() is not None:
            continue
        what = left.pop()
        if what == "driver":
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()
            driver = driver_of(places, cluster)
        elif what == "node":
            cluster.kill(nodes.pop())
            nodes.append(cluster.start(cores=1))
        else:
            actors = [one for one in cluster.processes() if "".join(one.cmdline()[:1]).startswith("ray::RayPlace")]
            if not actors:
                left.append(what)
                continue
            rng.choice(actors).kill()
        done[what] += 1
    assert driver.wait() == 0, (places.root / "driver.log").read_text()
    assert set(done) == {"place", "node", "driver"}, done
    search_here(places, CELL)
    found = trials(places)
    numbers = [line["number"] for line in found]
    assert numbers == list(range(8))
    assert without_attempts(found) == without_attempts(expected)
    assert places.choice(CELL).read_bytes() == local.choice(CELL).read_bytes()
    runs = MlflowTracker(places.mlruns, "miniature").runs()
    assert not [run.name for run in runs if run.status is RunStatus.RUNNING]


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
