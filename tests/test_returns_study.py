"""A study of returns from bars to report: every file names the loss and none mistakes a return for a class."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from tests.studies import make_study, params_of, prepare, search_here, verb
from tsladder.artifacts.audit import SERIES_PROBES
from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import EvaluatePlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, write_json
from tsladder.artifacts.trained_model import RECORD
from tsladder.cells.scoring import score_cell
from tsladder.cells.work import open_cell
from tsladder.console.compare import compare_here, comparison_lines
from tsladder.evaluation.regression_metrics import TrainingReturns, score_returns
from tsladder.law.build import fit_law
from tsladder.places import Places
from tsladder.report.build import build_report
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

LADDER = ["12k", "20k", "30k"]
CELLS = [Cell(budget, 2) for budget in LADDER]


@pytest.fixture(scope="module")
def tracker() -> MemoryTracker:
    return MemoryTracker()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tracker: MemoryTracker) -> Places:
    places = make_study(
        tmp_path_factory.mktemp("returns"),
        target__task="regression",
        budget="30k",
        ladder=LADDER,
        horizons=[2],
        search__presets__quick__space__epochs={"choices": [1]},
    )
    prepare(places)
    for cell in CELLS:
        search_here(places, cell)
        verb("train")(places, params_of(places), cell, read_plan(TrainPlan, places.train_plan(cell)))
        work = open_cell(places, params_of(places), cell, read_plan(EvaluatePlan, places.evaluate_plan(cell)))
        score_cell(work, read_winner(places.choice(cell)), tracker)
    probes = [
        {"name": name, "title": title, "passed": True, "numbers": {}, "words": "Nothing was seen."}
        for name, title in SERIES_PROBES.items()
    ]
    write_json(places.audit / "audit.json", {"passed": True, "probes": probes})
    fit_law(places, params_of(places), tracker)
    build_report(places, params_of(places))
    return places


pytestmark = pytest.mark.slow


def test_scores_are_those_of_the_predictions_on_disk(finished: Places) -> None:
    for cell in CELLS:
        record = read_json(finished.scores(cell) / "scores.json")
        assert record["metric"] == "huber"
        table = pd.read_parquet(finished.scores(cell) / "predictions.parquet")
        work = open_cell(finished, params_of(finished), cell, read_plan(EvaluatePlan, finished.evaluate_plan(cell)))
        training = TrainingReturns.of(work.dataset.windows.train.y_N)
        for region in ("validation", "test"):
            scores = record["regions"][region]
            for seed, of_seed in scores["seeds"].items():
                rows = table[(table["region"] == region) & (table["model"] == f"seed-{seed}")]
                found = score_returns(rows["label"].to_numpy(), rows["prediction"].to_numpy(), training)
                assert of_seed["huber"] == pytest.approx(found.huber)
                assert of_seed["ic"] == pytest.approx(found.ic)
                assert rows["huber"].mean() == pytest.approx(found.huber)
            assert set(scores["baselines"]) >= {"zero_return", "persistence", "last_day_ratio_ridge"}


def test_the_reported_validation_loss_of_training_is_the_huber_loss_of_the_forecasts(finished: Places) -> None:
    """Training counts in units of its labels' spread, evaluation in returns: both must meet in one figure."""
    cell = CELLS[0]
    scores = read_json(finished.scores(cell) / "scores.json")["regions"]["validation"]
    for seed, of_seed in scores["seeds"].items():
        outcome = read_json(finished.models(cell) / f"seed-{seed}" / RECORD)
        assert outcome["best_val_loss"] == pytest.approx(of_seed["huber"], rel=1e-5)


def test_the_search_writes_the_constants_loss_beside_each_trial(finished: Places) -> None:
    cell = CELLS[0]
    lines = [json.loads(line) for line in (finished.hpo(cell) / "trials.jsonl").read_text().splitlines()]
    expected = read_json(finished.scores(cell) / "scores.json")["regions"]["validation"]["base_rate_loss"]
    for line in lines:
        assert line["base_rate_loss"] == pytest.approx(expected)
        assert line["val_auc"] is None


def test_the_metrics_of_returns_are_tracked_and_no_metric_of_classes(finished: Places, tracker: MemoryTracker) -> None:
    runs = {run.name: run for run in tracker.runs()}
    for cell in CELLS:
        mean = read_json(finished.scores(cell) / "scores.json")["regions"]["test"]["mean"]
        logged = runs[f"{cell}/evaluation"].metrics
        assert logged["test_loss"] == mean["huber"]
        for name in ("ic", "r2", "sign_hit_rate", "rmse"):
            assert logged[f"test_{name}"] == mean[name]
        assert not {"test_auc", "test_brier", "test_ece"} & set(logged)


def test_the_law_is_one_of_huber_losses(finished: Places) -> None:
    record = read_json(finished.law / "scaling.json")
    assert record["metric"] == "huber"
    law = record["horizons"]["2"]
    assert [point["cell"] for point in law["points"]] == [str(cell) for cell in CELLS]
    for point, cell in zip(law["points"], CELLS, strict=True):
        scores = read_json(finished.scores(cell) / "scores.json")["regions"]["test"]
        assert point["loss"] == pytest.approx(scores["mean"]["huber"])
    assert law["fits"]["power"] is not None


def test_the_report_speaks_of_returns_and_of_no_probability(finished: Places) -> None:
    said = (finished.report / "report.md").read_text()
    assert "Huber losses" in said
    assert "IC (rank correlation)" in said
    assert "R² against the training mean" in said
    for foreign in ("Log loss against", "Brier", "AUC", "nats", "Can the probabilities be trusted", "Yes or no"):
        assert foreign not in said, foreign
    rows = list(csv.DictReader(io.StringIO((finished.report / "experiment_results.csv").read_text())))
    assert [float(row["test_ic"]) for row in rows] == pytest.approx(
        [read_json(finished.scores(cell) / "scores.json")["regions"]["test"]["mean"]["ic"] for cell in CELLS]
    )
    assert all(row["test_auc"] == "" for row in rows)
    assert all(np.isfinite(float(row["test_loss"])) for row in rows)


def test_two_cells_are_compared_by_their_huber_losses(finished: Places) -> None:
    found = compare_here(finished, "12k-h2", "30k-h2")
    assert found.metric == "huber"
    assert "Huber loss" in "\n".join(comparison_lines(found))
    against = compare_here(finished, "12k-h2", "12k-h2:zero_return")
    assert against.days == found.days
