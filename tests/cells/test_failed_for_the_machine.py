"""Trials and seeds that failed for the machine: what the next start trains again, and what it keeps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import TrainPlan, read_plan
from tsladder.artifacts.store import canonical, read_json, read_lines, write_json, write_text
from tsladder.cells.retrain import train_winner
from tsladder.cells.work import open_cell
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
TRIALS = 7


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Searched and retrained."""
    places = make_study(tmp_path_factory.mktemp("built"))
    prepare(places)
    search_here(places, CELL)
    retrain(places)
    return places


@pytest.fixture
def study(built: Places, tmp_path: Path) -> Places:
    shutil.copytree(built.root, tmp_path / "study")
    return Places(tmp_path / "study", tmp_path / "study")


def retrain(places: Places) -> MemoryTracker:
    work = open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
    tracker = MemoryTracker()
    train_winner(work, read_winner(places.choice(CELL)), tracker)
    return tracker


def rewrite(places: Places, *numbers: int, reason: str) -> None:
    """As if the trials `numbers` had ended without a loss for `reason`."""
    (folder,) = places.live_records(CELL, "hpo")
    records: list[dict[str, Any]] = read_lines(folder / "trials.jsonl")
    for record in records:
        if record["number"] in numbers:
            record |= {"state": "failed", "stop_reason": reason, "best_val_loss": None}
    write_text(folder / "trials.jsonl", "".join(canonical(record) + "\n" for record in records))
    (folder / "journal.log").unlink(missing_ok=True)


def last_attempts(places: Places) -> dict[int, tuple[int, str]]:
    (folder,) = places.live_records(CELL, "hpo")
    return {line["number"]: (line["attempt"], line["state"]) for line in read_lines(folder / "trials.jsonl")}


def test_a_search_without_a_winner_trains_again_what_the_machine_ended(study: Places) -> None:
    diverged = TRIALS - 1
    rewrite(study, *range(diverged), reason="stalled")
    rewrite(study, diverged, reason="diverged")
    search_here(study, CELL)
    ended = last_attempts(study)
    assert {ended[number] for number in range(diverged)} == {(2, "complete")}
    assert ended[diverged] == (1, "failed"), "a model that diverges diverges again"
    assert read_json(study.choice(CELL))["status"] == "done"


def test_a_search_that_has_a_winner_is_left_as_it_ended(study: Places) -> None:
    rewrite(study, 2, reason="killed")
    search_here(study, CELL)
    assert last_attempts(study) == {number: (1, "failed" if number == 2 else "complete") for number in range(TRIALS)}


@pytest.mark.parametrize("reason", ["killed", "stalled", "out_of_memory", "error"])
def test_a_seed_that_ended_for_the_machine_is_trained_again_and_the_others_are_not(study: Places, reason: str) -> None:
    folder = seeds(study)
    kept = (folder / "seed-2" / "outcome.json").read_bytes()
    fail_seed(folder, reason)
    tracker = retrain(study)
    assert [run.name for run in tracker.runs() if run.tags["phase"] == "train"] == [f"{CELL}/seed-1"]
    assert (folder / "seed-2" / "outcome.json").read_bytes() == kept
    assert read_json(study.models(CELL) / "status.json")["status"] == "done"


def test_a_seed_that_diverged_stays_as_it_ended(study: Places) -> None:
    fail_seed(seeds(study), "diverged")
    tracker = retrain(study)
    assert [run for run in tracker.runs() if run.tags["phase"] == "train"] == []
    assert "seed 1: diverged" in read_json(study.models(CELL) / "status.json")["reason"]


def seeds(places: Places) -> Path:
    (folder,) = places.live_records(CELL, "train")
    return folder


def fail_seed(folder: Path, reason: str) -> None:
    outcome = read_json(folder / "seed-1" / "outcome.json")
    write_json(folder / "seed-1" / "outcome.json", outcome | {"scored": False, "stop_reason": reason})
