"""What a trial records of its optimizer."""

from __future__ import annotations

import dataclasses

from tests.building import batch_plan

from tsladder.artifacts.outcome import TrainingOutcome
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
    assert not {"optimizer", "optimizer_settings"} & set(record)
    assert TrainingOutcome.from_json(record, batch_plan()) == OUTCOME


def test_the_optimizer_of_an_outcome_is_read_back() -> None:
    settings = {"betas": [0.9, 0.999], "eps": 1e-16, "rectify": False}
    outcome = dataclasses.replace(OUTCOME, optimizer="AdaBelief", optimizer_settings=settings)
    record = outcome.to_json()
    assert (record["optimizer"], record["optimizer_settings"]) == ("AdaBelief", settings)
    assert TrainingOutcome.from_json(record, batch_plan()) == outcome
