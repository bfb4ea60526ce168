"""The log of a run: every line once, with its time, and what it tells of the stages."""

from __future__ import annotations

import datetime
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tsladder import log_relay
from tsladder.console.run_log import Line, RunLog, Timeline

NOON = datetime.datetime(2026, 1, 2, 12, 0, tzinfo=datetime.UTC)


class Relayed:
    """The relay's process with one pipe that this test writes to."""

    def __init__(self, log: Path, echo: int = -1) -> None:
        pipe, self._end = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-I", log_relay.__file__, str(log), str(pipe), str(echo)],
            pass_fds=(pipe, *([echo] if echo >= 0 else [])),
        )
        os.close(pipe)

    def write(self, *chunks: bytes) -> None:
        for chunk in chunks:
            os.write(self._end, chunk)
            time.sleep(0.05)

    def close(self) -> None:
        os.close(self._end)
        assert self.process.wait(timeout=10) == 0


def test_lines_come_whole_with_their_times_and_the_last_also_without_an_end(tmp_path: Path) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(milliseconds=1)
    relayed = Relayed(tmp_path / "run.log")
    relayed.write(b"one\ntw")
    deadline = time.monotonic() + 30
    while not (tmp_path / "run.log").exists() or b"one" not in (tmp_path / "run.log").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.01)  # the clock of the log ticks in milliseconds
    relayed.write(b"o\n", b"10%\r50%\r100%\n", "\x1b[31mfünf\x1b[0m\r\n".encode(), b"unfinished")
    relayed.close()
    log = RunLog(tmp_path / "run.log")
    lines = log.new_lines()
    assert [line.text for line in lines] == ["one", "two", "100%", "fünf", "unfinished"]
    times = [before, *(line.at for line in lines), datetime.datetime.now(datetime.UTC)]
    assert times == sorted(times)
    assert lines[0].at < lines[1].at, "the second was finished after the first was in the file"
    assert log.new_lines() == []


def test_a_line_is_in_the_file_as_soon_as_it_was_printed(tmp_path: Path) -> None:
    relayed = Relayed(tmp_path / "run.log")
    relayed.write(b"first\n")
    log, deadline = RunLog(tmp_path / "run.log"), time.monotonic() + 10
    while not (tmp_path / "run.log").exists() or not (lines := log.new_lines()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [line.text for line in lines] == ["first"]
    relayed.close()


def test_what_was_printed_is_handed_on_byte_by_byte_and_a_reader_that_left_costs_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    relayed = Relayed(tmp_path / "run.log", writing)
    os.close(writing)
    said = b"a\r50%\x1b[0m\xff\nb"
    relayed.write(said)
    assert os.read(reading, 100) == said
    os.close(reading)
    relayed.write(b"\nc\n", b"d\n")
    relayed.close()
    assert [line.text for line in RunLog(tmp_path / "run.log").new_lines()][-3:] == ["b", "c", "d"]


def heard(*said: tuple[float, str]) -> Timeline:
    timeline = Timeline()
    timeline.add_lines(Line(NOON + datetime.timedelta(seconds=at), text) for at, text in said)
    return timeline


def test_a_stage_lasts_until_dvc_turns_to_something_else() -> None:
    timeline = heard(
        (0, "Stage 'features' didn't change, skipping"),
        (1, "Running stage 'hpo@12k-1':"),
        (2, "> python stages/hpo.py --cell 12k-h1"),
        (9, "12k-h1: trial 1/7: Running stage is no word of DVC's here"),
        (11, "Running stage 'train@12k-1':"),
        (15, "Updating lock file 'dvc.lock'"),
        (30, "Running stage 'hpo@12k-1':"),
    )
    assert timeline.stage == "hpo@12k-1"
    assert timeline.seconds == {"hpo@12k-1": 10.0, "train@12k-1": 4.0}
    timeline.close(NOON + datetime.timedelta(seconds=35))
    assert timeline.stage is None
    assert timeline.seconds["hpo@12k-1"] == 15.0


def test_the_last_lines_are_those_of_the_stage_that_was_started_last() -> None:
    timeline = heard(
        (0, "Running stage 'features':"), (1, "fine"), (2, "Running stage 'splits':"), (3, ""), (4, "tsladder: bad")
    )
    assert timeline.last_of_stage(20) == ("Running stage 'splits':", "tsladder: bad")
    assert timeline.messages(2) == ("fine", "tsladder: bad")


def test_what_the_file_alone_holds_is_no_message_and_no_stage() -> None:
    timeline = heard(
        (0, "Running stage 'hpo@12k-1':"),
        (1, "12k-h1: trial 1/7: val_loss 0.5"),
        (2, "| 12k-h1: trial 2/7 epoch 1/2"),
        (3, "| Running stage 'train@12k-1':"),
    )
    assert timeline.stage == "hpo@12k-1"
    assert timeline.messages(9) == ("12k-h1: trial 1/7: val_loss 0.5",)
    assert timeline.last_of_stage(1) == ("12k-h1: trial 1/7: val_loss 0.5",)


def test_the_rest_of_a_line_that_a_full_disk_has_cut_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("rest of a line\n2026-01-02T12:00:00.000Z whole\n")
    assert [line.text for line in RunLog(tmp_path / "run.log").new_lines()] == ["whole"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_reported_once_and_what_is_printed_is_handed_on(tmp_path: Path) -> None:
    said = tmp_path / "said"
    pipe, end = os.pipe()
    reading, writing = os.pipe()
    with said.open("w") as stream:
        relay = subprocess.Popen(
            [sys.executable, "-I", log_relay.__file__, "/dev/full", str(pipe), str(writing)],
            pass_fds=(pipe, writing),
            stderr=stream,
        )
    for descriptor in (pipe, writing):
        os.close(descriptor)
    os.write(end, b"one\ntwo\n")
    os.close(end)
    assert relay.wait(timeout=10) == 0
    assert os.read(reading, 100) == b"one\ntwo\n"
    os.close(reading)
    assert said.read_text().count("cannot be written") == 1


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_however_the_bytes_come_the_lines_are_the_same(size: int, tmp_path: Path) -> None:
    text = "".join(f"line {number} ü\n" for number in range(50)).encode()
    path = tmp_path / "run.log"
    relayed = Relayed(path)
    for start in range(0, len(text), size):
        os.write(relayed._end, text[start : start + size])
    relayed.close()
    lines = RunLog(path).new_lines()
    assert [line.text for line in lines] == [f"line {number} ü" for number in range(50)]
    assert all(first.at <= second.at for first, second in itertools.pairwise(lines))
