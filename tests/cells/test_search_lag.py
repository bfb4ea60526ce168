"""A search is a function of its plan and its lag, however many workers train its trials."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.execution.instant import InstantCrews, Killed
from tests.studies import make_study, params_of, prepare, search_here, verb

from tsladder.artifacts.search_lag import LAG
from tsladder.artifacts.store import read_lines
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, RunRecord
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
PRUNING = {"min_cohort": 4, "min_steps": 1, "goal": 0.1, "reach": 0.5}
LEAVES: dict[str, Any] = {
    "search__presets__quick__space__epochs": {"choices": [6]},
    "search__trials": 14,
    "search__pruning": PRUNING,
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(tmp_path_factory.mktemp("template"), **LEAVES)
    prepare(places)
    return places


@pytest.fixture
def study(template: Places, tmp_path: Path) -> Callable[..., Places]:
    """A study in a folder of its own, executed as `hardware` says; asked again it is the same one."""

    def ask(name: str, **hardware: Any) -> Places:
        places = make_study(tmp_path / name, **LEAVES, **{f"hardware__{key}": value for key, value in hardware.items()})
        shutil.copytree(template.artifacts, places.artifacts, dirs_exist_ok=True)
        verb("plan")(places, params_of(places))
        return places

    return ask


def searched(places: Places) -> list[dict[str, Any]]:
    """Trials without clocks and without who trained them."""
    aside = ("started_ms", "ended_at", "workers", "lag", "threads")
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    return [{name: value for name, value in line.items() if name not in aside} for line in lines]


def live_folder(places: Places) -> Path:
    (folder,) = places.live_records(CELL, "hpo")
    return folder


class DyingTracker(MemoryTracker):
    """Its process dies with the sixth run that it writes."""

    def log_run(self, record: RunRecord) -> str:
        if len(self.runs()) > 5:
            raise Killed
        return super().log_run(record)


@pytest.mark.slow
def test_at_one_lag_any_number_of_workers_searches_the_same_trials_and_chooses_the_same(
    study: Callable[..., Places],
) -> None:
    found, choices = [], set()
    for seed, workers in enumerate((1, 2, 4)):
        places = study(f"on-{workers}", workers=workers, lag=2)
        search_here(places, CELL, crews=InstantCrews(seed))
        found.append(searched(places))
        choices.add(places.choice(CELL).read_bytes())
    assert found[0] == found[1] == found[2]
    assert len(choices) == 1
    other = study("other-lag", workers=4, lag=4)
    search_here(other, CELL, crews=InstantCrews())
    assert searched(other) != found[0]


@pytest.mark.slow
def test_the_lag_is_the_number_of_workers_unless_it_is_given(study: Callable[..., Places]) -> None:
    given, auto = study("given", workers=2, lag=2), study("auto", workers=2)
    for places in (given, auto):
        search_here(places, CELL, crews=InstantCrews())
    assert searched(auto) == searched(given)
    assert not any("lag" in line for line in read_lines(auto.hpo(CELL) / "trials.jsonl"))
    assert live_folder(auto).name == live_folder(given).name
    apart = study("apart", workers=1, lag=2)
    search_here(apart, CELL, crews=InstantCrews())
    assert {(line["workers"], line["lag"]) for line in read_lines(apart.hpo(CELL) / "trials.jsonl")} == {(1, 2)}


@pytest.mark.parametrize(
    "recorded", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["recorded", "of a version without lags"]
)
def test_a_search_continues_at_the_lag_with_which_it_began_and_says_so(
    study: Callable[..., Places], capsys: pytest.CaptureFixture[str], recorded: bool
) -> None:
    undisturbed = study("undisturbed", workers=2)
    search_here(undisturbed, CELL, crews=InstantCrews())
    places = study("killed", workers=2)
    with pytest.raises(Killed):
        search_here(places, CELL, DyingTracker(), crews=InstantCrews(1))
    if not recorded:
        (live_folder(places) / LAG).unlink()
    capsys.readouterr()
    again = study("killed", workers=4)
    search_here(again, CELL, crews=InstantCrews(2))
    assert "resumes at search lag 2, with which it began" in capsys.readouterr().err
    assert [{**line, "attempt": 1} for line in searched(again)] == searched(undisturbed)
