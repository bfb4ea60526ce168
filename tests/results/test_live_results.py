"""The results of a study while it runs: its table and the leading configuration, after every trial, seed and score."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.status.written import set_leaves
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import EvaluatePlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.cells.retrain import train_winner
from tsladder.cells.scoring import score_cell
from tsladder.cells.work import open_cell
from tsladder.places import Places
from tsladder.report.study_files import read_facts
from tsladder.results.file_cache import FileCache
from tsladder.results.live import LiveResults, table_of_files
from tsladder.results.table import to_csv
from tsladder.tracking import RunRecord
from tsladder.tracking.memory import MemoryTracker
from tsladder.vocabulary import Cell

CELL, OTHER = Cell("12k", 1), Cell("30k", 1)
TRIALS, SEEDS = 4, 2
BY_AUC = {"search__objective": "val_auc", "training__monitor": "val_auc"}


class Onlooker(MemoryTracker):
    """Reads the table whenever a run is logged: a trial's, or a seed's, before the table has it."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self.places = places
        self.seen: list[tuple[str, dict[str, str]]] = []

    def log_run(self, run: RunRecord, *, entry: str | None = None) -> str:
        self.seen.append((run.name, row(self.places)))
        return super().log_run(run, entry=entry)


def rows(text: str) -> dict[str, dict[str, str]]:
    return {f"{row['budget']}-h{row['horizon']}": row for row in csv.DictReader(io.StringIO(text))}


def row(places: Places, cell: Cell = CELL) -> dict[str, str]:
    return rows(places.live_results.read_text())[str(cell)]


def table(places: Places) -> dict[str, dict[str, str]]:
    return rows(table_of_files(places, params_of(places), FileCache()))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, Onlooker]:
    """One cell of two, searched by its AUC, retrained and scored."""
    places = make_study(
        tmp_path_factory.mktemp("built"),
        budget="30k",
        search__strategy="random_search",
        search__trials=TRIALS,
        train__seeds=SEEDS,
        **BY_AUC,
    )
    prepare(places)
    onlooker = Onlooker(places)
    search_here(places, CELL, onlooker)
    choice = read_winner(places.choice(CELL))
    train_winner(
        open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL))), choice, onlooker
    )
    score_cell(
        open_cell(places, params_of(places), CELL, read_plan(EvaluatePlan, places.evaluate_plan(CELL))),
        choice,
        onlooker,
    )
    return places, onlooker


@pytest.fixture
def study(built: tuple[Places, Onlooker], tmp_path: Path) -> Places:
    """A copy to change."""
    shutil.copytree(built[0].root, tmp_path / "study")
    return Places(tmp_path / "study", tmp_path / "study")


def test_when_a_trial_ends_the_table_already_has_all_before_it(built: tuple[Places, Onlooker]) -> None:
    before = [row for name, row in built[1].seen if "/trial-" in name]
    assert [int(row["n_trials"] or 0) for row in before] == list(range(TRIALS))
    assert {row["status"] for row in before} == {""}
    leading = [float(row["best_val_auc"]) for row in before if row["best_val_auc"]]
    assert leading == sorted(leading)
    assert len(leading) == TRIALS - 1


def test_when_a_seed_ends_the_table_already_has_those_before_it(built: tuple[Places, Onlooker]) -> None:
    before = [row["train_stop_reasons"] for name, row in built[1].seen if "/seed-" in name]
    assert before[0] == ""
    assert sum(json.loads(before[1]).values()) == 1


def test_best_is_the_leader_by_the_objective_wherever_it_is_shown(built: tuple[Places, Onlooker]) -> None:
    places, tracker = built
    trials = read_lines(places.hpo(CELL) / "trials.jsonl")
    leader = max(trials, key=lambda line: line["val_auc"])
    figures = {
        "best_val_auc": leader["val_auc"],
        "best_score": leader["val_auc"],
        "best_val_loss": leader["best_val_loss"],
    }
    best = read_json(places.hpo(CELL) / "best_params.json")
    assert {name: best[name] for name in figures} == figures
    assert (best["number"], best["objective"]) == (leader["number"], "val_auc")
    assert best["experiment"] == "6A_12k_h1_threshold_1pct"
    (run,) = [run for run in tracker.runs() if run.name == str(CELL)]
    assert {name: run.metrics[name] for name in figures} == figures
    told = table(places)[str(CELL)]
    assert float(told["val_loss"]) == leader["best_val_loss"]
    assert float(told["best_val_auc"]) == float(told["best_score"]) == leader["val_auc"]
    assert int(told["best_trial"]) == leader["number"]


def test_the_live_record_holds_the_configuration_that_leads(built: tuple[Places, Onlooker]) -> None:
    places, _ = built
    (live,) = places.studies.glob(f"{CELL}-{'[0-9a-f]' * 16}/best_params.json")
    assert live.read_bytes() == (places.hpo(CELL) / "best_params.json").read_bytes()


def test_the_table_of_a_finished_cell_is_that_of_the_report(built: tuple[Places, Onlooker]) -> None:
    places, _ = built
    facts = read_facts(places, params_of(places))
    text = table_of_files(places, facts.params, FileCache())
    assert text == to_csv(facts.params, facts.study_key, facts.cells)
    assert rows(text)[str(CELL)]["status"] == "success"
    assert rows(text)[str(OTHER)]["status"] == rows(text)[str(OTHER)]["val_loss"] == ""


def replan(places: Places, **leaves: Any) -> None:
    set_leaves(places, **leaves)
    prepare(places)


def test_another_seed_count_keeps_the_search_and_drops_the_scores(study: Places) -> None:
    replan(study, train__seeds=SEEDS + 1)
    told = table(study)[str(CELL)]
    assert told["val_loss"] != ""
    assert (told["status"], told["test_loss"]) == ("", "")
    assert sum(json.loads(told["train_stop_reasons"]).values()) == SEEDS


def test_another_metric_setting_keeps_the_retraining_and_drops_the_scores(study: Places) -> None:
    replan(study, evaluation__bootstrap_draws=200)
    told = table(study)[str(CELL)]
    assert (told["status"], told["test_loss"]) == ("", "")
    assert told["train_stop_reasons"] != ""


def test_what_belongs_to_another_question_is_not_in_the_table(study: Places) -> None:
    replan(study, training__max_gradient_norm=2.0)
    told = table(study)[str(CELL)]
    unknown = ("status", "d_model", "val_loss", "hyperparameters", "duration_seconds", "n_trials", "test_loss")
    assert [name for name in unknown if told[name]] == []


def test_a_damaged_file_of_one_cell_is_the_reason_in_its_row_and_hides_no_other(study: Places) -> None:
    (study.scores(CELL) / "scores.json").write_text("{")
    told = table(study)
    assert "scores.json is damaged" in told[str(CELL)]["reason"]
    assert told[str(OTHER)]["experiment"] == "6A_30k_h1_threshold_1pct"


def test_a_disk_without_room_for_the_best_configuration_ends_no_search(study: Places) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    said: list[str] = []
    live = LiveResults(study, params_of(study), said.append)
    live.update(full)
    live.update(full)
    assert ["No space left on device" in text for text in said] == [True]


def test_a_disk_that_takes_no_table_is_reported_once_and_ends_nothing(study: Places) -> None:
    study.live_results.unlink()
    study.live_results.mkdir()
    said: list[str] = []
    live = LiveResults(study, params_of(study), said.append)
    live.update()
    live.update()
    assert len(said) == 1
    assert str(study.live_results) in said[0]
