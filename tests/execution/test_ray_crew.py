"""The crew of places that Ray finds, on clusters of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.execution.crew_contract import CrewContract
from tests.execution.ray_nodes import ROOT, RayNodes, needs_ray
from tests.studies import make_study

from tsladder.execution.crew import Crew, Crews
from tsladder.execution.ray_crew import open_ray_crew
from tsladder.params import HardwareParams
from tsladder.planning.machine import Machine

pytestmark = [pytest.mark.slow, needs_ray]


def hardware(address: str | None, **changes: object) -> HardwareParams:
    values: dict[str, object] = {
        "device": "cpu",
        "memory_gib": 8.0,
        "workers": "auto",
        "executor": "ray",
        "address": address,
        "patience": 60.0,
    }
    return HardwareParams(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def one_node() -> Iterator[RayNodes]:
    nodes = RayNodes()
    nodes.start(cores=2)
    yield nodes
    nodes.close()


@pytest.fixture
def environment(one_node: RayNodes, monkeypatch: pytest.MonkeyPatch) -> RayNodes:
    for name, value in one_node.environment.items():
        monkeypatch.setenv(name, value)
    return one_node


class TestRayCrew(CrewContract):
    @pytest.fixture
    def crews(self, environment: RayNodes, tmp_path: Path) -> Crews:
        def crew(machine: Machine) -> Crew:
            own = hardware(environment.address, memory_gib=machine.memory_gib)
            opened = open_ray_crew(own, tmp_path / "calibration.json", print)
            opened.wait_for_places(60.0)
            return opened

        return crew


def tsladder_places(nodes: RayNodes, folder: Path, **environment_changes: str) -> subprocess.CompletedProcess[str]:
    places = make_study(folder, hardware__executor="ray", hardware__address=nodes.address, hardware__memory_gib=1.0)
    return subprocess.run(
        [sys.executable, "-m", "tsladder.cli", "places", "--json"],
        cwd=places.root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            **nodes.environment,
            **environment_changes,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_the_places_of_a_cluster_are_listed_with_device_cores_and_memory(one_node: RayNodes, tmp_path: Path) -> None:
    done = tsladder_places(one_node, tmp_path)
    assert done.returncode == 0, done.stderr
    (place,) = json.loads(done.stdout)
    assert (place["state"], place["device"], place["cores"], place["memory_gib"]) == ("ready", "cpu", 2, 1.0)


def test_a_wrong_token_is_refused_with_exit_code_2_and_one_line(one_node: RayNodes, tmp_path: Path) -> None:
    done = tsladder_places(one_node, tmp_path, RAY_AUTH_TOKEN="0" * 64)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert [line for line in done.stderr.splitlines() if "RAY_AUTH_TOKEN" in line]


def test_a_node_that_runs_other_code_is_refused_by_name(tmp_path: Path) -> None:
    """It has a copy of the package with a remark more."""
    nodes = RayNodes()
    try:
        copy = tmp_path / "other"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        with (copy / "tsladder" / "errors.py").open("a", encoding="utf-8") as stream:
            stream.write("# a remark\n")
        nodes.start(cores=1, environment={"PYTHONPATH": os.pathsep.join([str(copy), *filter(None, sys.path)])})
        done = tsladder_places(nodes, tmp_path / "study")
        assert done.returncode == 1, done.stderr
        (place,) = json.loads(done.stdout)
        assert place["state"] == "refused"
        assert "other code" in place["why"]
    finally:
        nodes.close()


def test_a_node_that_joins_is_found_within_ten_seconds_of_its_start(
    one_node: RayNodes, environment: RayNodes, tmp_path: Path
) -> None:
    crew = open_ray_crew(hardware(environment.address), tmp_path / "none.json", print)
    try:
        crew.wait_for_places(60.0)
        joined = one_node.start(cores=1)
        began = time.monotonic()
        while len(crew.places) < 2:
            list(crew.events(timeout=0.2))
            assert time.monotonic() - began < 60.0
        assert time.monotonic() - began < 10.0
        assert len(crew.wait_for_places(60.0, count=2)) == 2
    finally:
        crew.end_now()
        one_node.kill(joined)
