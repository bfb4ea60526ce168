"""A cell searched and retrained on a machine that becomes too hot: what is kept, what is said, and how it goes on."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from typing import Any

import pytest
from tests.execution.instant import InstantCrews
from tests.execution.thermal import reading_for
from tests.studies import make_study, params_of, prepare

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import SearchPlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.cells.retrain import train_winner
from tsladder.cells.search_cell import search_cell
from tsladder.cells.work import CellWork, open_cell
from tsladder.execution import thermal_guard
from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew
from tsladder.execution.thermometer import TemperatureReading, Thermometer
from tsladder.places import Places
from tsladder.report.study_files import read_facts
from tsladder.results.table import to_csv
from tsladder.tracking import MemoryTracker, RunStatus
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 7


class ScriptedThermometer:
    """A thermometer that asks `celsius` at every reading."""

    def __init__(self, celsius: Callable[[], float | None]) -> None:
        self._celsius = celsius

    def read(self) -> TemperatureReading:
        return reading_for(self._celsius())


COOL = ScriptedThermometer(lambda: 55.0)


@pytest.fixture(autouse=True)
def reads_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thermal_guard, "READ_EVERY_SECONDS", 0.0)


@pytest.fixture
def places(tmp_path: Any) -> Places:
    made = make_study(tmp_path, search__presets__quick__space__epochs={"choices": [8]}, training__patience=None)
    prepare(made)
    return made


def opened(places: Places, thermometer: Thermometer, stage: str = "hpo", crews: Crews = LocalCrew) -> CellWork:
    if stage == "hpo":
        plan = read_plan(SearchPlan, places.search_plan(CELL))
        work = open_cell(places, params_of(places), CELL, plan, crews=crews)
    else:
        work = open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
    return dataclasses.replace(work, thermometer=thermometer)


def live_trials(places: Places) -> list[dict[str, Any]]:
    return [line for path in places.studies.glob(f"{CELL}-*/trials.jsonl") for line in read_lines(path)]


def row(places: Places) -> dict[str, str]:
    facts = read_facts(places, params_of(places))
    (found,) = csv.DictReader(io.StringIO(to_csv(facts.params, facts.study_key, facts.cells)))
    return found


def hot_after(places: Places, trials: int) -> ScriptedThermometer:
    return ScriptedThermometer(lambda: 97.0 if len(live_trials(places)) >= trials else 60.0)


def test_a_search_stopped_for_heat_is_a_failed_cell_that_continues_where_it_stopped(places: Places) -> None:
    tracker = MemoryTracker()
    search_cell(opened(places, hot_after(places, 3), crews=InstantCrews()), tracker)

    choice = read_json(places.choice(CELL))
    assert (choice["status"], choice["stop_reason"]) == ("failed", "thermal")
    assert "97 °C" in choice["reason"]
    assert "the next run resumes" in choice["reason"]
    lines = live_trials(places)
    complete = [line for line in lines if line["state"] == "complete"]
    heated = [line for line in lines if line["stop_reason"] == "thermal"]
    assert 3 <= len(complete) < TRIALS
    assert heated
    assert len(complete) + len(heated) == len(lines) == len(read_lines(places.hpo(CELL) / "trials.jsonl"))
    assert {(line["state"], line["celsius"], line["thermal"]) for line in heated} == {("interrupted", 97.0, "critical")}
    assert row(places)["status"] == "thermal_abort"

    (cell,) = [run for run in tracker.runs() if run.parent_id is None]
    assert cell.status is RunStatus.FAILED
    stopped = [run for run in tracker.runs(cell.run_id) if run.tags["stop_reason"] == "thermal"]
    assert {(run.status, run.metrics["max_celsius"]) for run in stopped} == {(RunStatus.KILLED, 97.0)}

    search_cell(opened(places, COOL, crews=InstantCrews()), tracker)
    again = live_trials(places)
    assert again[: len(lines)] == lines
    last = {line["number"]: line for line in again}
    assert [last[number]["state"] for number in range(TRIALS)] == ["complete"] * TRIALS
    for line in heated:
        assert (last[line["number"]]["attempt"], last[line["number"]]["draws"]) == (line["attempt"] + 1, line["draws"])
    assert read_json(places.choice(CELL))["status"] == "done"
    assert [run.status for run in tracker.runs() if run.parent_id is None] == [RunStatus.FINISHED]


@pytest.mark.slow
def test_a_search_that_was_paused_finds_what_a_cool_one_does_and_says_how_long_it_stood(places: Places) -> None:
    readings = iter([60.0] * 4 + [88.0] * 3 + [84.0] * 2)
    tracker = MemoryTracker()
    search_cell(opened(places, ScriptedThermometer(lambda: next(readings, 60.0))), tracker)
    paused = read_lines(places.hpo(CELL) / "trials.jsonl")
    waited = [line for line in paused if line["pauses"]]
    assert waited
    assert all(0.0 < line["paused_seconds"] < line["seconds"] and line["celsius"] == 88.0 for line in waited)
    logged = [run for run in tracker.runs() if run.metrics.get("pauses")]
    assert {run.tags["thermal"] for run in logged} == {"warning"}
    assert sum(run.metrics["paused_seconds"] for run in logged) == pytest.approx(
        sum(line["paused_seconds"] for line in waited)
    )
    for path in places.studies.glob(f"{CELL}-*/*"):
        path.unlink()
    search_cell(opened(places, COOL), MemoryTracker())
    cool = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert [line["best_val_loss"] for line in cool] == [line["best_val_loss"] for line in paused]


def test_a_machine_without_sensors_is_recorded_as_unknown(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    tracker = MemoryTracker()
    search_cell(opened(places, ScriptedThermometer(lambda: None), crews=InstantCrews()), tracker)
    lines = read_lines(places.hpo(CELL) / "trials.jsonl")
    assert {(line["state"], line["celsius"], line["thermal"]) for line in lines} == {("complete", None, "unknown")}
    trials = [run for run in tracker.runs() if run.parent_id is not None]
    assert {(run.tags["thermal"], "max_celsius" in run.metrics) for run in trials} == {("unknown", False)}
    assert capsys.readouterr().err.count("unknown temperature") == 1


def test_a_retraining_stopped_for_heat_keeps_its_seeds_and_continues(places: Places) -> None:
    search_cell(opened(places, COOL, crews=InstantCrews()), MemoryTracker())
    choice = read_winner(places.choice(CELL))
    tracker, seen = MemoryTracker(), 0

    def hot_once_they_run() -> float:
        nonlocal seen
        seen += 1
        return 60.0 if seen < 3 else 97.0

    train_winner(opened(places, ScriptedThermometer(hot_once_they_run), "train"), choice, tracker)
    status = read_json(places.models(CELL) / "status.json")
    assert (status["status"], status["stop_reason"]) == ("failed", "thermal")
    timings = read_json(places.timings(CELL))["seeds"]
    assert {seed["stop_reason"] for seed in timings.values()} == {"thermal"}
    assert len(timings) == 2
    train_winner(opened(places, COOL, "train"), choice, tracker)
    assert read_json(places.models(CELL) / "status.json")["status"] == "done"
    assert {seed["celsius"] for seed in read_json(places.timings(CELL))["seeds"].values()} == {55.0}
    finished = [run for run in tracker.runs() if run.tags["phase"] == "train" and run.status is RunStatus.FINISHED]
    assert {run.metrics["max_celsius"] for run in finished} == {55.0}
