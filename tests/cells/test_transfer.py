"""Winners on each other's horizons: what is trained, what is not trained again, and what is left."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.studies import make_study, params_of, prepare, search_here, stage, verb

from tsladder.artifacts.plans import EvaluatePlan, NotPlanned, TrainPlan, TransferPlan, read_plan
from tsladder.artifacts.store import read_json, write_json
from tsladder.cells.transfer import rung_gain, transfer_winners
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

LEAVES = {"horizons": [1, 3], "search__transfer": True}
CELLS = (Cell("12k", 1), Cell("12k", 3))


def searched(folder: Path, **leaves: object) -> Places:
    places = make_study(folder, **(LEAVES | leaves))
    prepare(places)
    for cell in CELLS:
        search_here(places, cell)
        train_and_score(places, cell)
    return places


def train_and_score(places: Places, cell: Cell) -> None:
    verb("train")(places, params_of(places), cell, read_plan(TrainPlan, places.train_plan(cell)))
    verb("evaluate")(places, params_of(places), cell, read_plan(EvaluatePlan, places.evaluate_plan(cell)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryTracker]:
    places = searched(tmp_path_factory.mktemp("transfer"))
    tracker = MemoryTracker()
    transfer_winners(places, params_of(places), tracker)
    return places, tracker


@pytest.mark.slow
def test_every_winner_is_trained_on_every_other_horizon_of_its_rung(finished: tuple[Places, MemoryTracker]) -> None:
    places, tracker = finished
    record = read_json(places.transfer / "transfer.json")
    assert [(item["source"], item["horizon"]) for item in record["regrets"]] == [(3, 1), (1, 3)]
    assert record["verdict"] in ("separate_searches_needed", "settings_transfer", "undecided")
    names = {run.name for run in tracker.runs()}
    assert {"12k-h1/from-h3/seed-1", "12k-h1/from-h3/seed-2", "12k-h3/from-h1/seed-1"} <= names
    assert all(run.tags["phase"] == "train" for run in tracker.runs() if "from-h" in run.name)
    assert record["margin"] == pytest.approx(1.0 - 2.0**-0.015)


@pytest.mark.slow
def test_regret_is_the_difference_of_the_mean_losses_on_the_same_days(finished: tuple[Places, MemoryTracker]) -> None:
    places, _ = finished
    (item,) = [r for r in read_json(places.transfer / "transfer.json")["regrets"] if r["horizon"] == 1]
    transferred = pd.read_parquet(places.transfer / "12k-h1-from-h3.parquet")
    own = pd.read_parquet(places.scores(CELLS[0]) / "predictions.parquet")
    own = own[(own["region"] == "test") & own["model"].str.startswith("seed-")]
    assert sorted(transferred["date"].unique()) == sorted(own["date"].unique())
    assert item["value"] == pytest.approx(transferred["log_loss"].mean() - own["log_loss"].mean())
    assert item["relative"] == pytest.approx(item["value"] / own["log_loss"].mean())
    assert item["low"] < item["relative"] < item["high"]
    assert not np.allclose(transferred["probability"].iloc[:10], own["probability"].iloc[:10])


@pytest.mark.slow
def test_a_second_start_trains_nothing_and_says_the_same(finished: tuple[Places, MemoryTracker]) -> None:
    places, _ = finished
    before = (places.transfer / "transfer.json").read_bytes()
    tracker = MemoryTracker()
    transfer_winners(places, params_of(places), tracker)
    assert not tracker.runs()
    assert (places.transfer / "transfer.json").read_bytes() == before


@pytest.mark.slow
def test_like_winners_are_not_trained_and_a_failed_one_is_named(
    finished: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    source, _ = finished
    places = make_study(tmp_path, **LEAVES)
    prepare(places)
    choice = read_json(source.choice(CELLS[0]))
    for cell in CELLS:
        write_json(places.choice(cell), {**choice, "cell": str(cell), "horizon": cell.horizon})
        train_and_score(places, cell)
    tracker = MemoryTracker()
    transfer_winners(places, params_of(places), tracker)
    record = read_json(places.transfer / "transfer.json")
    assert all(item["same"] and item["relative"] == 0.0 for item in record["regrets"])
    assert record["verdict"] == "settings_transfer"
    assert not tracker.runs()
    write_json(places.choice(CELLS[1]), {"cell": "12k-h3", "status": "failed", "reason": "it does not fit"})
    stage(places, "train", "--cell", "12k-h3")
    stage(places, "evaluate", "--cell", "12k-h3")
    transfer_winners(places, params_of(places), MemoryTracker())
    record = read_json(places.transfer / "transfer.json")
    assert record["verdict"] == "undecided"
    assert all("it does not fit" in item["reason"] for item in record["regrets"])


@pytest.mark.slow
def test_without_the_wish_nothing_is_trained(tmp_path: Path) -> None:
    places = make_study(tmp_path)
    stage(places, "plan")
    assert read_plan(TransferPlan, places.transfer_plan) == NotPlanned(reason="search.transfer is false")
    stage(places, "transfer")
    assert read_json(places.transfer / "transfer.json")["status"] == "not_planned"


def test_the_margin_is_what_the_narrowest_step_of_the_planned_ladder_gains(tmp_path: Path) -> None:
    params = params_of(make_study(tmp_path, ladder=["12k", "30k", "200k", "400k"], budget="200k"))
    assert rung_gain(params) == pytest.approx(1.0 - 2.5**-0.015)
    assert rung_gain(dataclasses.replace(params, budget="400k")) == pytest.approx(1.0 - 2.0**-0.015)
