"""A trial that another search has trained is not trained again, and nothing else comes of it than if it were."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.search.instant import InstantCrew
from tests.studies import make_study, params_of, prepare, search_here, verb

from tsladder.places import Places
from tsladder.records import read_json, read_lines
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
PRUNING = {"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.5}
STOP = {"min_trials": 8, "top": 3, "spread": 0.02}
LEAVES = {"search__presets__quick__space__epochs": {"choices": [6]}}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Features and splits of a study, which no test here changes."""
    places = make_study(tmp_path_factory.mktemp("template"), **LEAVES)
    prepare(places)
    return places


@pytest.fixture
def study(template: Places, tmp_path: Path) -> Callable[..., Places]:
    """A study in a folder of its own, or the same one asked something else."""

    def ask(name: str = "study", **leaves: Any) -> Places:
        places = make_study(tmp_path / name, **(LEAVES | leaves))
        shutil.copytree(template.artifacts, places.artifacts, dirs_exist_ok=True)
        verb("plan")(places, params_of(places))
        return places

    return ask


def searched(places: Places) -> list[dict[str, Any]]:
    """Trials without what is of the clock or says where they come from."""
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    clocks = ("started_ms", "ended_at", "taken_from")
    return [{name: value for name, value in line.items() if name not in clocks} for line in lines]


def results(places: Places) -> tuple[Any, ...]:
    """All that a search leaves for those after it."""
    return searched(places), read_json(places.choice(CELL))


@pytest.mark.parametrize(
    ("first", "then", "trained"),
    [
        ({"trials": 20}, {"trials": 50}, 30),
        ({"trials": 8}, {"trials": 6}, 0),
        ({"trials": 20}, {"trials": 20, "stop": STOP}, 0),
        ({"trials": 20, "stop": STOP}, {"trials": 20}, None),
        ({"trials": 20, "pruning": PRUNING}, {"trials": 26, "pruning": PRUNING}, 6),
        ({"trials": 20, "pruning": PRUNING}, {"trials": 20, "pruning": PRUNING | {"min_steps": 8}}, None),
        ({"trials": 20}, {"trials": 20, "pruning": PRUNING}, None),
        ({"trials": 20, "pruning": PRUNING}, {"trials": 20}, None),
        ({"trials": 8}, {"trials": 3}, 0),
        ({"trials": 3}, {"trials": 8}, 5),
    ],
)
def test_a_search_that_takes_over_is_the_one_that_trains_all(
    study: Callable[..., Places], monkeypatch: pytest.MonkeyPatch, first: Any, then: Any, trained: int | None
) -> None:
    leaves = [{f"search__{name}": value for name, value in search.items()} for search in (first, then)]
    InstantCrew.hired(monkeypatch)
    search_here(study("undisturbed", **leaves[1]), CELL)
    search_here(study(**leaves[0]), CELL)
    places = study(**leaves[1])
    crew = InstantCrew.hired(monkeypatch, seed=1)
    search_here(places, CELL)
    assert results(places) == results(study("undisturbed", **leaves[1]))
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    own = [line["number"] for line in lines if line["taken_from"] is None]
    assert sorted(crew.trained) == sorted(own)
    if trained is not None:
        assert len(crew.trained) == trained
    assert len(crew.trained) < len(lines)
