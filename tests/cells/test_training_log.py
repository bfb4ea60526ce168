"""The epochs of trainings as the log file gets them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tsladder.artifacts.outcome import EpochOfPhase, EpochRecord
from tsladder.cells.training_log import TrainingLog
from tsladder.console.run_log import RunLog
from tsladder.execution.crew import Progress
from tsladder.log_file import RunningLog
from tsladder.vocabulary import Cell


def ended(epoch: int, *, val_auc: float | None = None) -> Progress:
    record = EpochRecord(
        epoch=epoch, steps=1200, train_loss=0.5, val_loss=0.25, train_seconds=1.0, seconds=2.0, val_auc=val_auc
    )
    return Progress(3, record)


def logged(tmp_path: Path, *events: Progress, models: int = 1) -> list[str]:
    log = TrainingLog(Cell("12k", 1), lambda number: f"trial {number + 1}/8", RunningLog(tmp_path / "the.log"))
    log.started(3, "drawn", epochs=20, models=models)
    for event in events:
        log.epoch_ended(event)
    return [line.text for line in RunLog(tmp_path / "the.log").new_lines()]


def test_an_epoch_says_whose_it_is_and_what_it_came_to(tmp_path: Path) -> None:
    assert logged(tmp_path, ended(7)) == [
        "| 12k-h1: trial 4/8 starts: drawn",
        "| 12k-h1: trial 4/8 epoch 7/20: step 1,200, train_loss 0.5000, val_loss 0.2500, 2.0 s",
    ]


def test_the_auc_stands_there_where_it_is_monitored(tmp_path: Path) -> None:
    assert ", val_auc 0.7500, " in logged(tmp_path, ended(7, val_auc=0.75))[-1]


def test_a_training_in_phases_says_where_in_its_phase_an_epoch_is(tmp_path: Path) -> None:
    event = ended(18)
    place = EpochOfPhase(name="graph", epoch=3, epochs=8)
    in_phase = dataclasses.replace(event, record=dataclasses.replace(event.record, phase=place))
    assert "trial 4/8 phase graph, epoch 3 of 8: step 1,200, " in logged(tmp_path, in_phase)[-1]


@pytest.mark.parametrize(
    ("epoch", "words"), [(1, "fold 1/4 epoch 1/20"), (20, "fold 1/4 epoch 20/20"), (43, "fold 3/4 epoch 3/20")]
)
def test_the_epochs_of_a_walk_forward_are_counted_in_their_fold(epoch: int, words: str, tmp_path: Path) -> None:
    assert f"trial 4/8 {words}: " in logged(tmp_path, ended(epoch), models=4)[-1]
