"""The crew of places that Ray finds, on clusters of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.execution.crew_contract import CrewContract
from tests.execution.ray_nodes import RayNodes, needs_ray

from tsladder.execution.crew import Crew, Crews
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
    def crews(self, environment: RayNodes, tmp_path: os.PathLike[str]) -> Crews:
        from pathlib import Path

        from tsladder.execution.ray_crew import open_ray_crew

        def crew(machine: Machine) -> Crew:
            own = hardware(environment.address, memory_gib=machine.memory_gib)
            opened = open_ray_crew(own, Path(tmp_path) / "calibration.json", print)
            opened.wait_for_places(60.0)
            return opened

        return crew
