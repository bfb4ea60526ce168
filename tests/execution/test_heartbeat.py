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

    def next_beat(self) -> None:
        """The beat that is written next."""
        self.clock.advance(WRITE_EVERY_SECONDS)
        self.beat()

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


def test_however_much_happens_it_is_written_once_a_second_with_all_of_it(felt: Felt) -> None:
    written = {felt.at: 0}
    for epoch in range(1, 5 * 64 + 1):
        felt.clock.advance(1 / 64)
        felt.heartbeat.epoch_ended(3, epoch=epoch, val_loss=0.5)
        felt.beat()
        written.setdefault(felt.at, read_json(felt.file)["running"][0]["epoch"])
    assert written == {1000.0 + second: 64 * second for second in range(6)}


def test_the_first_beat_is_written_at_once(tmp_path: Path) -> None:
    assert Felt(tmp_path).at == 1000.0


def test_the_beginning_and_the_end_of_a_pause_are_written_at_once(felt: Felt) -> None:
    for number, reason in enumerate(("by hand", "heat", None), start=1):
        felt.clock.advance(0.01)
        felt.beat(paused=reason)
        assert felt.at == pytest.approx(1000.0 + 0.01 * number)
        assert read_json(felt.file)["paused"] == reason


def test_the_end_is_written_at_once(felt: Felt) -> None:
    felt.clock.advance(0.01)
    felt.heartbeat.ended(3)
    felt.heartbeat.stop()
    assert read_json(felt.file) == {"running": []}


def test_a_clock_that_was_set_back_does_not_silence_it(felt: Felt) -> None:
    felt.clock.advance(-500.0)
    felt.beat()
    assert felt.at == 500.0


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_shown_as_none(loss: float, felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=1, val_loss=loss)
    felt.next_beat()
    assert read_json(felt.file)["running"][0]["val_loss"] is None


def test_a_phase_is_told_where_there_are_phases_and_forgotten_by_a_training_that_starts_again(felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=1, val_loss=0.5)
    felt.next_beat()
    assert "phase" not in read_json(felt.file)["running"][0]
    assert read_progress(felt.file).running[0].place == "epoch 1/20"
    felt.heartbeat.epoch_ended(3, epoch=7, val_loss=0.5, phase="phase graph, epoch 2 of 8")
    felt.next_beat()
    assert read_progress(felt.file).running[0].place == "phase graph, epoch 2 of 8"
    felt.heartbeat.restarted(3)
    felt.next_beat()
    assert read_progress(felt.file).running[0].place == "epoch 0/20"


def test_a_training_that_starts_again_begins_at_its_first_epoch(felt: Felt) -> None:
    felt.heartbeat.epoch_ended(3, epoch=7, val_loss=0.5)
    felt.heartbeat.restarted(3)
    felt.next_beat()
    (running,) = read_json(felt.file)["running"]
    assert (running["epoch"], running["val_loss"], running["started"]) == (0, None, 1000.0)
