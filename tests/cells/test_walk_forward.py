"""A cell of a study that walks forward, from its splits to the winner: two trials of three folds each."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.studies import make_study, params_of, prepare, search_here, verb

from tsladder.artifacts.choice import read_winner
from tsladder.artifacts.plans import SearchPlan, TrainPlan, read_plan
from tsladder.artifacts.store import read_json, read_lines
from tsladder.artifacts.trials import TrialRecord
from tsladder.cells.retrain import train_winner
from tsladder.cells.search_cell import search_cell
from tsladder.cells.work import CellWork, open_cell
from tsladder.data.split_files import build_splits
from tsladder.errors import BadInput
from tsladder.places import Places
from tsladder.planning.cells import plan_cells
from tsladder.planning.run_length import run_lengths
from tsladder.report.study_files import read_facts
from tsladder.results.file_cache import FileCache
from tsladder.search.planned import validation_classes
from tsladder.status.cell_results import CurrentOutputs, read_results
from tsladder.status.dry_run import study_forecast
from tsladder.tracking import MemoryTracker
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
FOLDS = 3


def walking_study(folder: Path, **leaves: Any) -> Places:
    defaults: dict[str, Any] = {
        "ladder": ["12k"],
        "splits__kind": "walk_forward",
        "splits__folds": FOLDS,
        "splits__embargo_days": 2,
        "splits__validation_fraction": 0.3,
        "search__strategy": "random_search",
        "search__trials": 2,
        "train__seeds": 1,
    }
    return make_study(folder, **(defaults | leaves))


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryTracker]:
    places = walking_study(tmp_path_factory.mktemp("walked"))
    prepare(places)
    tracker = MemoryTracker()
    search_cell(opened(places), tracker)
    return places, tracker


def opened(places: Places) -> CellWork:
    return open_cell(places, params_of(places), CELL, read_plan(SearchPlan, places.search_plan(CELL)))


def trials(places: Places) -> list[TrialRecord]:
    return [TrialRecord.from_json(line) for line in read_lines(places.hpo(CELL) / "trials.jsonl")]


def test_the_loss_of_a_trial_is_the_mean_of_its_folds_and_they_are_on_record(
    searched: tuple[Places, MemoryTracker],
) -> None:
    places, tracker = searched
    runs = {run.name: run for run in tracker.stored.values() if "/trial-" in run.name}
    for trial in trials(places):
        losses = [fold.best_val_loss for fold in trial.outcome.folds if fold.best_val_loss is not None]
        assert len(losses) == FOLDS
        assert trial.best_val_loss == pytest.approx(statistics.fmean(losses), abs=1e-15)
        assert trial.outcome.epochs_run == FOLDS * 2
        assert trial.outcome.best_epoch is None
        metrics = runs[f"{CELL}/trial-{trial.number:03d}"].metrics
        assert [metrics[f"fold_{n}_val_loss"] for n in range(1, FOLDS + 1)] == losses


def test_the_constant_beside_a_trial_is_judged_on_the_same_folds(searched: tuple[Places, MemoryTracker]) -> None:
    places, _ = searched
    work = opened(places)
    losses = []
    for fold in work.dataset.windows.folds:
        rate, y_N = fold.train.y_N.mean(dtype=np.float64), fold.validation.y_N.astype(np.float64)
        losses.append(float(-(y_N * np.log(rate) + (1 - y_N) * np.log(1 - rate)).mean()))
    for trial in trials(places):
        assert trial.base_rate_loss == pytest.approx(statistics.fmean(losses), rel=1e-6)
    assert work.base_rate_loss == pytest.approx(losses[-1], rel=1e-6)
    assert sum(validation_classes(work.dataset.windows.folds)) == sum(
        len(fold.validation) for fold in work.dataset.windows.folds
    )


def test_the_same_study_searched_again_repeats_every_fold_bit_for_bit(
    searched: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    places, _ = searched
    again = walking_study(tmp_path)
    prepare(again)
    search_here(again, CELL)

    def numbers(trial: TrialRecord) -> list[Any]:
        folds = [(fold.best_val_loss, fold.val_auc, fold.best_epoch, fold.stop_reason) for fold in trial.outcome.folds]
        return [trial.number, trial.draws, trial.params, trial.best_val_loss, trial.val_auc, trial.outcome.curve, folds]

    assert [numbers(trial) for trial in trials(again)] == [numbers(trial) for trial in trials(places)]
    assert read_json(again.choice(CELL)) == read_json(places.choice(CELL))


def test_the_winner_is_trained_again_on_the_last_fold_alone(searched: tuple[Places, MemoryTracker]) -> None:
    places, _ = searched
    work = open_cell(places, params_of(places), CELL, read_plan(TrainPlan, places.train_plan(CELL)))
    tracker = MemoryTracker()
    train_winner(work, read_winner(places.choice(CELL)), tracker)
    (run,) = [run for run in tracker.stored.values() if "/seed-" in run.name]
    assert run.metrics["epochs_run"] == 2.0
    assert run.metrics["base_rate_loss"] == pytest.approx(work.base_rate_loss)


def test_splits_are_refused_with_the_fold_named(tmp_path: Path) -> None:
    places = walking_study(tmp_path, splits__min_positives=60)
    for name in ("inputs", "features"):
        verb(name)(places, params_of(places))
    with pytest.raises(BadInput) as caught:
        build_splits(places, params_of(places))
    assert any(fault.startswith("validation of fold ") for fault in caught.value.faults)
    assert not places.splits.exists()


def test_the_plan_counts_a_training_for_every_fold_and_says_so(
    searched: tuple[Places, MemoryTracker], tmp_path: Path
) -> None:
    places, _ = searched
    plain = walking_study(tmp_path, splits__kind="dates")
    forecasts = [study_forecast(study, None) for study in (places, plain)]
    walked, one = (float(forecast.cells["12k-h1"].predicted_seconds or 0.0) for forecast in forecasts)
    assert one > 0
    assert walked > one
    notes = [[note for note in forecast.notes if "walk_forward" in note] for forecast in forecasts]
    assert notes[1] == []
    assert "every trial trains 3 models" in notes[0][0]
    length = run_lengths(places, params_of(places))[1]
    counted = [(fold.train_windows, fold.validation_windows) for fold in (*length.earlier, length)]
    found = [(len(fold.train), len(fold.validation)) for fold in opened(places).dataset.windows.folds]
    assert counted == found


def test_seeds_to_come_are_forecast_from_the_last_folds_and_not_from_whole_trials(
    searched: tuple[Places, MemoryTracker],
) -> None:
    places, _ = searched
    (plans,) = plan_cells(params_of(places))
    ours = CurrentOutputs(inputs=True, search=True, train=False, scores=False)
    results = read_results(places, plans, ours, FileCache())
    last = {trial.outcome.folds[-1].seconds for trial in trials(places)}
    assert set(results.last_model_seconds) == last
    pairs = zip(results.last_model_seconds, results.trial_seconds, strict=True)
    assert all(0 < last_model < trial for last_model, trial in pairs)


def test_the_report_tells_the_windows_of_every_fold(searched: tuple[Places, MemoryTracker]) -> None:
    places, _ = searched
    (split,) = read_facts(places, params_of(places)).splits
    folds = opened(places).dataset.windows.folds
    for number, fold in enumerate(folds[:-1], start=1):
        assert split.regions[f"train of fold {number}"].windows == len(fold.train)
        assert split.regions[f"validation of fold {number}"].windows == len(fold.validation)
    assert split.regions["validation"].windows == len(folds[-1].validation)
    assert any("walk forward: fold 1 trains on" in note for note in split.notes)
