"""The second phase: which budgets it chooses and why, what it varies, and what it leaves."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.execution.instant import InstantCrews
from tests.studies import make_study, params_of, prepare, search_here, start_stage, verb

from tsladder.artifacts.plans import NotPlanned, SupplementaryPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines, write_json
from tsladder.cells.supplementary import search_supplementary
from tsladder.places import Places
from tsladder.search.selection import select_budgets
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

TWO_PHASE = {
    "search__strategy": "two_phase",
    "search__trials": 3,
    "search__supplementary": {"budgets": "auto", "trials": 3},
    "train__seeds": 1,
}


def test_auto_takes_the_two_best_mean_scores_and_says_why_of_every_rung() -> None:
    scores = {
        "12k": {"12k-h1": -0.5, "12k-h3": -0.6},
        "30k": {"30k-h1": -0.4, "30k-h3": -0.6},
        "80k": {"80k-h1": -0.3, "80k-h3": "no trial ended with a loss"},
        "200k": {"200k-h1": -0.45, "200k-h3": -0.45},
    }
    chosen = select_budgets("auto", scores, metric="val_loss")
    assert chosen.budgets == ("30k", "200k")
    assert chosen.reasons["200k"].startswith("chosen: number 1 of 3")
    assert "0.4500" in chosen.reasons["200k"]
    assert chosen.reasons["12k"].startswith("not chosen: number 3 of 3")
    assert chosen.reasons["80k"] == "left out: 80k-h3: no trial ended with a loss"


def test_a_list_is_taken_as_it_is() -> None:
    chosen = select_budgets(["2M", "12k"], {"12k": {"12k-h1": -0.5}, "30k": {"30k-h1": -0.4}}, metric="val_loss")
    assert chosen.budgets == ("12k",)
    assert set(chosen.reasons) == {"12k", "30k", "2M"}
    assert "above the top rung" in chosen.reasons["2M"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(tmp_path_factory.mktemp("two_phase"), **TWO_PHASE)
    prepare(places)
    search_here(places, Cell("12k", 1), crews=InstantCrews())
    search_supplementary(places, params_of(places), MemoryTracker(), crews=InstantCrews())
    return places


def test_every_trial_keeps_the_winner_s_shape_and_varies_what_the_supplement_names(searched: Places) -> None:
    choice = read_json(searched.hpo(params_of(searched).cells[0]) / "choice.json")
    trials = read_lines(searched.supplementary / "12k-h1" / "trials.jsonl")
    assert [trial["number"] for trial in trials] == [0, 1, 2]
    own = {**choice["architecture"], **choice["settings"], "effective_batch": 256}
    for trial in trials:
        params = trial["params"]
        assert all(params[name] == own[name] for name in ("d_model", "n_layers", "d_ff", "dropout", "epochs"))
        assert params["learning_rate"] in (own["learning_rate"], 5e-6, 2e-3)
        assert params["weight_decay"] in (own["weight_decay"], 5e-2, 0.1)
        assert params["effective_batch"] in (8, 16, 32, 64, 128, 256)
        assert params["d_model"] % params["n_heads"] == 0
        assert any(
            params[name] != own[name] for name in ("n_heads", "learning_rate", "weight_decay", "effective_batch")
        )


def test_it_names_the_budgets_and_why_and_compares_with_the_winner(searched: Places) -> None:
    selection = read_json(searched.supplementary / "selection.json")
    assert (selection["status"], selection["budgets"]) == ("done", ["12k"])
    assert "number 1 of 1" in selection["reasons"]["12k"]
    summary = read_json(searched.supplementary / "12k-h1" / "summary.json")
    trials = read_lines(searched.supplementary / "12k-h1" / "trials.jsonl")
    best = min(trials, key=lambda trial: trial["best_val_loss"])
    assert summary["best_score"] == -best["best_val_loss"]
    assert summary["best_number"] == best["number"]
    winner = read_json(searched.hpo(params_of(searched).cells[0]) / "best_params.json")
    assert summary["winner_score"] == -winner["best_val_loss"]


def test_a_second_start_trains_nothing_and_its_runs_carry_the_phase(searched: Places) -> None:
    before = (searched.supplementary / "12k-h1" / "trials.jsonl").read_bytes()
    tracker = MemoryTracker()
    for _ in range(2):
        search_supplementary(searched, params_of(searched), tracker, crews=InstantCrews())
    assert (searched.supplementary / "12k-h1" / "trials.jsonl").read_bytes() == before
    trials = [run for run in tracker.runs() if run.parent_id is not None]
    assert sorted(run.name for run in trials) == [f"12k-h1/supplementary-{number:03d}" for number in range(3)]
    assert {run.tags["phase"] for run in trials} == {"supplementary"}


@pytest.mark.slow
def test_a_kill_loses_no_ended_trial(tmp_path: Path) -> None:
    places = make_study(tmp_path / "killed", **TWO_PHASE)
    prepare(places)
    search_here(places, Cell("12k", 1))
    undisturbed_places = Places(tmp_path / "undisturbed", tmp_path / "undisturbed")
    shutil.copytree(places.root, undisturbed_places.root)
    search_supplementary(undisturbed_places, params_of(undisturbed_places), MemoryTracker())
    process = start_stage(places, "supplementary")
    deadline = time.monotonic() + 60
    while not [line for path in places.studies.glob("*-supplementary-*/trials.jsonl") for line in read_lines(path)]:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    search_supplementary(places, params_of(places), MemoryTracker())
    again, undisturbed = (
        [(t["number"], t["params"], t["best_val_loss"]) for t in read_lines(p.supplementary / "12k-h1/trials.jsonl")]
        for p in (places, undisturbed_places)
    )
    assert again == undisturbed


def test_a_rung_whose_search_failed_is_left_out_and_named(tmp_path: Path) -> None:
    places = make_study(tmp_path, **TWO_PHASE)
    prepare(places)
    cell = params_of(places).cells[0]
    write_json(places.choice(cell), {"cell": str(cell), "status": "failed", "reason": "it does not fit"})
    search_supplementary(places, params_of(places), MemoryTracker())
    assert read_json(places.supplementary / "selection.json")["reasons"] == {"12k": "left out: 12k-h1: it does not fit"}


def test_a_strategy_of_one_phase_writes_why_there_is_none(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    prepare(places)
    assert isinstance(read_plan(SupplementaryPlan, places.supplementary_plan), NotPlanned)
    verb("supplementary")(places, params_of(places))
    record = read_json(places.supplementary / "selection.json")
    assert record == {"status": "not_planned", "reason": "strategy architectural has one phase"}
