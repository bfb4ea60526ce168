"""A search on places that die at random, beside one on places that do not."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.execution.places import InstantPlace, ThreadFleet, ThreadLink, crew_on
from tests.studies import make_study, prepare, search_here

from tsladder.artifacts.store import read_lines
from tsladder.artifacts.trials import TRIALS
from tsladder.execution.crew import Crews
from tsladder.execution.job_loop import MOST_LOSSES
from tsladder.places import Places
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS_TOTAL = 14
ASIDE = ("started_ms", "ended_at", "seconds", "train_seconds", "place", "kind", "paused_seconds")


class DyingFleet(ThreadFleet):
    """Fleet of two places; another one is there for each that has died. `chance`: that the first start of a job kills
    its place; `poison`: the number of a job of which every start does."""

    def __init__(self, seed: int, *, chance: float, poison: int | None = None) -> None:
        super().__init__({})
        self._rng = random.Random(seed)
        self._chance, self._poison = chance, poison
        self._seen: set[int] = set()
        self.killed: Counter[int] = Counter()

    def look(self) -> Sequence[ThreadLink]:
        alive = [link for link in self.links.values() if not link.dead]
        for number in range(len(alive), 2):
            name = f"place-{len(self.links) + number - len(alive)}"
            self.places[name] = InstantPlace(kills=self._kills)
        return super().look()

    def _kills(self, number: int) -> bool:
        kills = number == self._poison or (number not in self._seen and self._rng.random() < self._chance)
        self._seen.add(number)
        if kills:
            self.killed[number] += 1
        return kills


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(
        tmp_path_factory.mktemp("prepared"),
        search__trials=TRIALS_TOTAL,
        search__presets__quick__space__epochs={"choices": [3]},
        hardware__lag=3,
        hardware__memory_gib=2.0,
    )
    prepare(places)
    return places


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.execution.remote_crew.LOOK_SECONDS", 0.02)


def searched(prepared: Places, folder: Path, fleet: DyingFleet) -> list[dict[str, Any]]:
    """Search a copy of the study on `fleet`; the trials without clocks."""
    shutil.copytree(prepared.root, folder)
    places = Places(folder, folder)
    crews: Crews = lambda _machine: crew_on(fleet, places=1)  # noqa: E731
    search_here(places, CELL, crews=crews)
    lines = read_lines(places.hpo(CELL) / TRIALS)
    return [{name: value for name, value in line.items() if name not in ASIDE} for line in lines]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_places_that_die_lose_no_trial_double_none_and_change_no_number(
    prepared: Places, tmp_path: Path, seed: int
) -> None:
    dying = DyingFleet(seed, chance=0.6)
    found = searched(prepared, tmp_path / "dying", dying)
    assert dying.killed.total() >= 5
    assert [line["number"] for line in found] == list(range(TRIALS_TOTAL))
    assert found == searched(prepared, tmp_path / "calm", DyingFleet(seed, chance=0.0))


@pytest.mark.slow
def test_a_trial_that_kills_every_place_ends_as_killed_and_the_search_goes_on(prepared: Places, tmp_path: Path) -> None:
    dying = DyingFleet(0, chance=0.0, poison=4)
    found = searched(prepared, tmp_path / "poison", dying)
    assert dying.killed == {4: MOST_LOSSES}
    assert [line["number"] for line in found] == list(range(TRIALS_TOTAL))
    by_number = {line["number"]: line for line in found}
    assert by_number[4]["stop_reason"] == "killed"
    assert by_number[4]["message"].startswith(f"lost with its place {MOST_LOSSES} times")
    assert "killed" not in {line["stop_reason"] for number, line in by_number.items() if number != 4}
