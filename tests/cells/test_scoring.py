"""What the evaluation of a cell chooses, and from which days."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.studies import make_study, params_of, prepare, synthetic_bars

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.models import ModelsStatus, write_models_status
from tsladder.artifacts.plans import EvaluatePlan, read_plan
from tsladder.artifacts.store import read_json
from tsladder.cells import scoring
from tsladder.cells.work import CellWork, open_cell
from tsladder.data.targets import labels
from tsladder.evaluation.metrics import per_day_log_loss
from tsladder.evaluation.predictions import read_predictions, scored_on
from tsladder.places import Places
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell, Region

CELL = Cell("12k", 3)
CHOICE = Choice(
    cell="12k-h3",
    budget="12k",
    horizon=3,
    architecture={},
    settings={},
    n_params=12_000,
    n_params_blocks=11_000,
    n_params_body=11_500,
    off_budget=False,
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    places = make_study(tmp_path_factory.mktemp("scored"), horizons=[3])
    prepare(places)
    write_models_status(places.models_status(CELL), ModelsStatus(cell=str(CELL), seeds=(1, 2)))
    return places


def opened(places: Places) -> CellWork:
    return open_cell(places, params_of(places), CELL, read_plan(EvaluatePlan, places.evaluate_plan(CELL)))


def with_other_test_labels(work: CellWork) -> CellWork:
    windows = work.dataset.windows
    test = dataclasses.replace(windows.test, y_N=1 - windows.test.y_N)
    return dataclasses.replace(
        work, dataset=dataclasses.replace(work.dataset, windows=dataclasses.replace(windows, test=test))
    )


def score(work: CellWork, monkeypatch: pytest.MonkeyPatch) -> tuple[dict, pd.DataFrame, MemoryTracker]:
    """Score forecasts that know the validation and test labels a little, without any trained network."""
    rng = np.random.default_rng(0)
    true = opened(work.places).dataset.windows
    labels_of = {("tiny", region): true.region(region).y_N for region in scoring.SCORED}
    labels_of |= {(name, region): of[region].y_N for name, of in true.further.items() for region in scoring.SCORED}
    forecasts = {
        key: {number: np.clip(0.25 + 0.2 * y_N + 0.15 * rng.normal(size=len(y_N)), 0.01, 0.99) for number in (1, 2)}
        for key, y_N in labels_of.items()
    }

    @contextmanager
    def forecasting(*_: object) -> Iterator[Future]:
        future: Future = Future()
        future.set_result(forecasts)
        yield future

    monkeypatch.setattr(scoring, "forecasting", forecasting)
    monkeypatch.setattr(scoring, "trained_seeds", lambda *_: None)
    tracker = MemoryTracker()
    scoring.score_cell(work, CHOICE, tracker)
    folder = work.places.scores(CELL)
    return read_json(folder / "scores.json"), pd.read_parquet(folder / "predictions.parquet"), tracker


def test_labels_of_test_days_enter_no_threshold_no_temperature_and_no_baseline(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, table, _ = score(opened(study), monkeypatch)
    false, other, _ = score(with_other_test_labels(opened(study)), monkeypatch)
    before, after = (record["regions"]["test"] for record in (true, false))
    assert before["positives"] != after["positives"]
    assert before["decision"]["threshold"] == after["decision"]["threshold"]
    assert before["temperature"]["value"] == after["temperature"]["value"]
    assert true["regions"]["validation"] == false["regions"]["validation"]
    for model in set(table["model"]) - {"own_rate"}:
        left, right = (frame[frame["model"] == model]["probability"].to_numpy() for frame in (table, other))
        np.testing.assert_array_equal(left, right, err_msg=model)


def test_the_record_holds_every_baseline_interval_and_choice(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    record, table, tracker = score(opened(study), monkeypatch)
    names = {
        "base_rate", "own_rate", "volatility_logistic", "last_day_ratio_logistic", "persistence",
        "gradient_boosted_trees",
    }  # fmt: skip
    assert set(table["model"]) == names | {"seed-1", "seed-2"}
    for region in record["regions"].values():
        assert set(region["baselines"]) == set(region["skill_against"]) == names
        assert set(region["intervals"]) == {"log_loss", "brier", "auc", "average_precision", "ece"}
        assert sum(b["windows"] for b in region["reliability"]) == 2 * region["windows"]
        assert set(region["decision"]) == {
            "threshold", "criterion", "accuracy", "balanced_accuracy", "precision", "recall", "f1",
        }  # fmt: skip
        assert set(region["temperature"]) == {"value", "log_loss", "ece"}
        assert all("ece" in s for s in (region["mean"], *region["seeds"].values(), *region["baselines"].values()))
    evaluation = next(run for run in tracker.stored.values() if run.name.endswith("/evaluation"))
    test = record["regions"]["test"]
    assert evaluation.metrics["test_ece"] == test["mean"]["ece"]
    assert evaluation.metrics["test_loss_low"] == test["intervals"]["log_loss"]["low"]
    assert evaluation.metrics["test_loss_high"] == test["intervals"]["log_loss"]["high"]
    assert evaluation.metrics["validation_ece"] == record["regions"]["validation"]["mean"]["ece"]


def test_runs_say_on_which_days_and_labels_they_were_scored(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    _, table, tracker = score(opened(study), monkeypatch)
    rows = table[(table["region"] == "test") & (table["model"] == "seed-1")]
    windows = scored_on(rows["date"].to_numpy(), rows["label"].to_numpy())
    said = {run.name: run.tags["windows"] for run in tracker.stored.values()}
    assert said == {str(CELL): windows, f"{CELL}/evaluation": windows}
    _, _, other = score(with_other_test_labels(opened(study)), monkeypatch)
    assert windows not in {run.tags["windows"] for run in other.stored.values()}


def test_persistence_of_the_first_test_day_knows_the_label_before_the_region(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two forecasts only, one for each last known label, told apart by labels counted anew from the table."""
    _, table, _ = score(opened(study), monkeypatch)
    work = opened(study)
    y_T = labels(work.dataset.table, work.target, CELL.horizon)
    test = work.dataset.windows.region(Region.TEST)
    rows = table[(table["model"] == "persistence") & (table["region"] == "test")].sort_values("date")
    known_N = y_T[test.ends_N - CELL.horizon]
    p_N = rows["probability"].to_numpy()
    assert {len(set(p_N[known_N == label])) for label in (0.0, 1.0)} == {1}
    assert len(set(p_N)) == 2


def test_scoring_twice_gives_the_same_record_bit_for_bit_and_readable_losses(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, _ = score(opened(study), monkeypatch)
    again, table, _ = score(opened(study), monkeypatch)
    assert json.dumps(first) == json.dumps(again)
    test = first["regions"]["test"]
    found = read_predictions(study.scores(CELL) / "predictions.parquet", "test", days=test["windows"])
    cell = found.trained(str(CELL))
    assert cell.loss_N.mean() == pytest.approx(test["mean"]["log_loss"])
    rows = table[(table["region"] == "test") & (table["model"] == "seed-2")].sort_values("date")
    np.testing.assert_allclose(
        cell.losses[2], per_day_log_loss(rows["label"].to_numpy(), rows["probability"].to_numpy())
    )


def test_every_symbol_is_scored_on_its_own_days_and_the_region_s_figures_are_the_study_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One symbol more that lacks days, and one whose bars end before validation: it is trained on and never scored."""
    places = make_study(tmp_path, horizons=[3], data__symbols=["short", "tiny", "other"])
    synthetic_bars(600, seed=1).to_parquet(places.bars("short"), index=False)
    synthetic_bars(seed=2).drop(index=range(300, 880, 29)).to_parquet(places.bars("other"), index=False)
    prepare(places)
    write_models_status(places.models_status(CELL), ModelsStatus(cell=str(CELL), seeds=(1, 2)))
    record, table, tracker = score(opened(places), monkeypatch)
    work = opened(places)
    assert record["n_data"] == len(work.dataset.windows.train)
    assert set(record["symbols"]) == {"tiny", "short", "other"}
    assert record["symbols"]["short"] == {"validation": None, "test": None}
    test = record["regions"]["test"]
    own, other = (record["symbols"][name]["test"] for name in ("tiny", "other"))
    for name in ("windows", "positives", "base_rate", "skill", "stricter", "advantage", "first_day"):
        assert own[name] == test[name]
    assert (own["loss"], own["auc"]) == (test["mean"]["log_loss"], test["mean"]["auc"])
    windows = work.dataset.windows.further["other"][Region.TEST]
    assert (other["windows"], other["positives"]) == (len(windows), int(windows.y_N.sum()))
    assert other["windows"] < own["windows"]
    assert other["advantage"]["low"] < other["advantage"]["value"] < other["advantage"]["high"]
    assert set(table[table["region"] == "test"]["date"]) == set(work.dataset.windows.test.dates_N)
    evaluation = next(run for run in tracker.stored.values() if run.name.endswith("/evaluation"))
    assert evaluation.metrics["test_loss_other"] == other["loss"]
    assert evaluation.metrics["test_loss_tiny"] == evaluation.metrics["test_loss"] == own["loss"]
    assert "test_loss_short" not in evaluation.metrics


def test_a_study_of_one_symbol_tells_of_no_symbols(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    record, _, tracker = score(opened(study), monkeypatch)
    assert "symbols" not in record
    assert record["n_data"] == len(opened(study).dataset.windows.train)
    assert not any(name.endswith("_tiny") for run in tracker.stored.values() for name in run.metrics)
