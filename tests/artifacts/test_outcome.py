"""What a trial records of its optimizer and of its phases."""

from __future__ import annotations

import dataclasses

from tests.building import batch_plan

from tsladder.artifacts.checkpoints import EndedFolds, PatienceState, PhaseState, TrainingState
from tsladder.artifacts.outcome import EpochOfPhase, EpochRecord, FoldOutcome, PhaseOutcome, TrainingOutcome
from tsladder.artifacts.record import json_of, record_of
from tsladder.vocabulary import StopReason

OUTCOME = TrainingOutcome(
    stop_reason=StopReason.COMPLETED,
    best_val_loss=0.5,
    val_loss_se=0.1,
    best_epoch=1,
    val_auc=None,
    n_params=10,
    curve=((3, 0.5),),
    train_losses=(0.6,),
    plan=batch_plan(),
    retries=0,
    peak_memory_gib=0.1,
    seconds=1.0,
    train_seconds=0.5,
)


def test_an_outcome_of_an_older_version_keeps_its_keys() -> None:
    record = OUTCOME.to_json()
    assert not {"optimizer", "optimizer_settings", "phases", "best_phase"} & set(record)
    assert TrainingOutcome.from_json(record, batch_plan()) == OUTCOME


def test_the_optimizer_of_an_outcome_is_read_back() -> None:
    settings = {"betas": [0.9, 0.999], "eps": 1e-16, "rectify": False}
    outcome = dataclasses.replace(OUTCOME, optimizer="AdaBelief", optimizer_settings=settings)
    record = outcome.to_json()
    assert (record["optimizer"], record["optimizer_settings"]) == ("AdaBelief", settings)
    assert TrainingOutcome.from_json(record, batch_plan()) == outcome


PHASES = (
    PhaseOutcome(name="plain", active=(), epochs_run=5, best=0.98),
    PhaseOutcome(name="graph", active=("fan", "gat"), epochs_run=0, best=None),
)
FOLD = FoldOutcome(
    stop_reason=StopReason.COMPLETED,
    best_val_loss=0.5,
    val_loss_se=None,
    best_epoch=1,
    val_auc=None,
    epochs_run=1,
    seconds=2.0,
)
EPOCH = EpochRecord(epoch=1, steps=3, train_loss=0.6, val_loss=0.5, train_seconds=1.0, seconds=2.0)


def test_the_phases_of_an_outcome_and_of_its_folds_are_read_back() -> None:
    fold = dataclasses.replace(FOLD, phases=PHASES, best_phase="plain")
    outcome = dataclasses.replace(OUTCOME, phases=PHASES, best_phase="plain", folds=(fold, FOLD))
    record = outcome.to_json()
    assert record["phases"] == [
        {"name": "plain", "active": [], "epochs_run": 5, "best": 0.98},
        {"name": "graph", "active": ["fan", "gat"], "epochs_run": 0, "best": None},
    ]
    assert record["best_phase"] == "plain"
    assert "phases" not in record["folds"][1]
    assert TrainingOutcome.from_json(record, batch_plan()) == outcome


def test_a_checkpoint_keeps_the_place_in_the_phases_and_names_none_without_phases() -> None:
    patience = PatienceState(limit=2, min_delta=0.0, best=0.5, best_step=1, reference=0.5, since_improvement=0)
    epoch = dataclasses.replace(EPOCH, phase=EpochOfPhase(name="plain", epoch=1, epochs=5))
    state = TrainingState(
        identity="this",
        epoch=2,
        steps=4,
        steps_done=1,
        seconds=3.0,
        train_seconds=0.5,
        epoch_seconds=0.5,
        patience=patience,
        curve=(epoch,),
        ended=None,
        optimizer={},
        phase=PhaseState(number=1, epochs_done=0, best=patience),
    )
    assert record_of(TrainingState, json_of(state), source="a state") == state
    plain = json_of(dataclasses.replace(state, phase=None, curve=(EPOCH,)))
    assert "phase" not in plain
    assert "phase" not in plain["curve"][0]
    folds = EndedFolds(identity="this", steps=3, seconds=1.0, folds=(FOLD,), curve=(EPOCH,))
    assert "phases" not in json_of(folds)["folds"][0]
