"""What is written for whoever looks: when, and what of odd values."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.execution.thermal import Clock

from tsladder.artifacts.progress import PROGRESS, read_progress
from tsladder.artifacts.store import read_json
from tsladder.execution.heartbeat import WRITE_EVERY_SECONDS, Heartbeat, VitalSigns

SIGNS = {3: VitalSigns(silent_seconds=0.25, resident_gib=0.5)}


class Felt:
    """A heartbeat, its clock and its file."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.file = Clock(), folder / PROGRESS
        self.heartbeat = Heartbeat(folder, phase="train", total=3, done=lambda: 1, clock=self.clock)
        self.heartbeat.started(3, epochs=20)
        self.beat()

    def beat(self, paused: str | None = None) -> None:
        self.heartbeat.beat(SIGNS, paused=paused, celsius=None)

    @property
    def at(self) -> float:
        return float(read_json(self.file)["at"])


@pytest.fixture
def felt(tmp_path: Path) -> Felt:
    return Felt(tmp_path)


def test_it_is_written_at_least_every_two_seconds_also_where_nothing_happens(felt: Felt) -> None:
    assert WRITE_EVERY_SECONDS + 0.5 < 2.0, "the loop around it ticks every half second"
    written = set()
    for _ in range(40):
        felt.clock.advance(0.5)
        felt.beat()
        written.add(felt.at)
    assert max(later - earlier for earlier, later in zip(sorted(written), sorted(written)[1:], strict=False)) <= 1.5
    assert len(written) <= 21


def test_an_event_or_a_pause_is_written_at_once(felt: Felt) -> None:
    felt.clock.advance(0.01)
    felt.beat()
    assert felt.at == 1000.0
    felt.heartbeat.epoch_ended(3, epoch=1, val_loss=0.5)
    felt.beat()
    assert felt.at == 1000.01
    felt.clock.advance(0.01)
    felt.beat(paused="by hand")
    assert felt.at == 1000.02
    assert read_json(felt.file)["paused"] == "by hand"


def test_a_clock_that_was_set_back_does_not_silence_it(felt: Felt) -> None:
    felt.clock.advance(-500.0)
    felt.beat()
    assert felt.at == 500.0


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_shown_as_none(loss: float, felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=1, val_loss=loss)
    felt.beat()
    assert read_json(felt.file)["running"][0]["val_loss"] is None


def test_a_phase_is_told_where_there_are_phases_and_forgotten_by_a_training_that_starts_again(felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=1, val_loss=0.5)
    felt.beat()
    assert "phase" not in read_json(felt.file)["running"][0]
    assert read_progress(felt.file).running[0].place == "epoch 1/20"
    felt.heartbeat.epoch_ended(3, epoch=7, val_loss=0.5, phase="phase graph, epoch 2 of 8")
    felt.beat()
    assert read_progress(felt.file).running[0].place == "phase graph, epoch 2 of 8"
    felt.heartbeat.restarted(3)
    felt.beat()
    assert read_progress(felt.file).running[0].place == "epoch 0/20"


def test_a_training_that_starts_again_begins_at_its_first_epoch(felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=7, val_loss=0.5)
    felt.heartbeat.restarted(3)
    felt.beat()
    (running,) = read_json(felt.file)["running"]
    assert (running["epoch"], running["val_loss"], running["started"]) == (0, None, 1000.0)
