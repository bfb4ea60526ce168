"""A search whose models are trained on another loss and stopped by AUC, from params.yaml to the runs of MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.store import read_json, read_lines
from tsladder.artifacts.trials import TrialRecord
from tsladder.cells.retrain import train_winner
from tsladder.cells.work import open_cell
from tsladder.planning.plans import read_plan
from tsladder.status.dry_run import study_forecast
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)


def test_a_trial_keeps_the_curve_of_the_auc_that_stopped_it_and_reports_log_losses(tmp_path: Path) -> None:
    study = make_study(
        tmp_path,
        search__strategy="random_search",
        search__trials=1,
        train__seeds=1,
        search__objective="val_auc",
        training__loss="soft_auc",
        training__monitor="val_auc",
    )
    prepare(study)
    assert read_plan(study.search_plan(CELL))["training"]["loss"] == "soft_auc"
    (note,) = [note for note in study_forecast(study, None).notes if "soft_auc" in note]
    assert "reported by the log loss" in note
    tracker = search_here(study, CELL)
    (trial,) = (TrialRecord.from_json(line) for line in read_lines(study.hpo(CELL) / "trials.jsonl"))
    assert len(trial.outcome.val_aucs) == trial.outcome.epochs_run
    assert trial.val_auc == pytest.approx(max(trial.outcome.val_aucs), abs=1e-9)
    (run,) = [run for run in tracker.runs() if run.name.endswith("trial-000")]
    assert run.metrics["val_auc_by_epoch"] == trial.outcome.val_aucs[-1]
    assert run.metrics["val_auc"] == trial.val_auc
    train_winner(
        open_cell(study, params_of(study), CELL, read_plan(study.train_plan(CELL))),
        read_json(study.choice(CELL)),
        tracker,
    )
    (seed,) = [run for run in tracker.runs() if run.name.endswith("seed-1")]
    assert seed.metrics["val_auc"] >= seed.metrics["val_auc_by_epoch"] > 0
