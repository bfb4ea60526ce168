"""The searches of a miniature study on places of a real Ray, beside the same on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.execution.ray_nodes import RayNodes, needs_ray
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.store import read_lines
from tsladder.cells.ahead import train_ahead
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

pytestmark = [pytest.mark.slow, needs_ray]

CELL = Cell("12k", 1)
ASIDE = ("started_ms", "ended_at", "seconds", "train_seconds", "peak_memory_gib", "place", "workers", "lag", "curve_s")


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
