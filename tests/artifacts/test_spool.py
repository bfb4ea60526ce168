"""The spool: what was appended waits until it is done, whoever is killed meanwhile."""

from __future__ import annotations

import math
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsladder.artifacts.spool import Spool, SpooledCell, SpooledEnd, SpooledRun, SpoolLine, Turn, new_key

TAGS = {"budget": "2M", "study_key": "key-1"}
CELL = SpooledCell(name="2M-h1", tags=TAGS)


def line(number: int = 0, **changes: object) -> SpoolLine:
    run = SpooledRun(name=f"2M-h1/trial-{number:03d}", tags=TAGS, status="FINISHED", start_ms=1, end_ms=2, **changes)
    return SpoolLine(key=new_key(), experiment="study", run=run)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "mlruns")


def test_lines_wait_in_the_order_in_which_they_were_appended(spool: Spool) -> None:
    lines = [line(number) for number in range(5)]
    spool.append(lines[:2])
    for one in lines[2:]:
        spool.append([one])
    assert spool.waiting().lines == tuple(lines)
    assert spool.count() == 5


def test_a_line_comes_back_as_it_was(spool: Spool) -> None:
    lines = [
        SpoolLine(key=new_key(), experiment="a study", opened=CELL),
        line(
            3, cell=CELL, params={"d": "6"}, metrics={"loss": 0.25, "seconds": 12.0}, artifacts={"a/b.json": "scores"}
        ),
        line(4, below="k" * 32, curves={"val_loss": ((1, 0.5), (2, 0.25)), "none": ()}, unless_logged=True),
        SpoolLine(
            key=new_key(), experiment="s", ended=SpooledEnd(cell=CELL, status="KILLED", extra_tags={"a": 'b"\n'})
        ),
        SpoolLine(key=new_key(), experiment="s", left_open=CELL),
    ]
    spool.append(lines)
    assert spool.waiting().lines == tuple(lines)


def test_numbers_that_json_does_not_have_come_back_as_nan(spool: Spool) -> None:
    spool.append([line(metrics={"loss": math.inf, "other": math.nan}, curves={"c": ((1, -math.inf), (2, 0.5))})])
    (found,) = spool.waiting().lines
    assert found.run is not None
    assert all(math.isnan(value) for value in found.run.metrics.values())
    assert [math.isnan(value) for _, value in found.run.curves["c"]] == [True, False]


def test_what_is_done_waits_no_longer_and_the_file_is_emptied_when_nothing_waits(spool: Spool) -> None:
    lines = [line(number) for number in range(3)]
    spool.append(lines)
    spool.done(lines[1].key)
    assert spool.waiting().lines == (lines[0], lines[2])
    spool.compact()
    assert spool.waiting().lines == (lines[0], lines[2])
    spool.done(lines[0].key)
    spool.done(lines[2].key)
    spool.compact()
    assert spool.path.stat().st_size == 0
    assert spool.waiting().lines == ()


def test_many_done_lines_are_removed_while_others_wait(spool: Spool) -> None:
    lines = [line(number) for number in range(520)]
    spool.append(lines)
    for one in lines[:510]:
        spool.done(one.key)
    before = spool.path.stat().st_size
    spool.compact()
    assert spool.path.stat().st_size < before / 10
    assert spool.waiting().lines == tuple(lines[510:])


@given(st.lists(st.sampled_from(["append", "done", "compact"]), max_size=30), st.randoms(use_true_random=False))
def test_whatever_is_appended_and_done_what_waits_is_the_rest(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], chance: random.Random
) -> None:
    spool, expected = Spool(tmp_path_factory.mktemp("spool")), []
    for step in steps:
        if step == "append":
            new = [line(number) for number in range(chance.randint(1, 3))]
            spool.append(new)
            expected.extend(new)
        elif step == "done" and expected:
            spool.done(expected.pop(chance.randrange(len(expected))).key)
        elif step == "compact":
            spool.compact()
    assert list(spool.waiting().lines) == expected


def test_a_torn_last_line_is_cut_by_the_next_process_and_kept_aside(spool: Spool) -> None:
    first, second = line(0), line(1)
    spool.append([first])
    with spool.path.open("ab") as stream:
        stream.write(b'{"key":"0123","experi')
    assert spool.waiting().lines == (first,)
    assert spool.append([second]) is True
    assert spool.append([line(2)]) is False
    assert spool.waiting().lines[:2] == (first, second)
    assert b'"0123"' in spool.path.with_name("spool.jsonl.torn").read_bytes()


def test_a_torn_mark_is_cut_before_the_next_mark(spool: Spool) -> None:
    lines = [line(0), line(1)]
    spool.append(lines)
    with spool.path.open("ab") as stream:
        stream.write(b'{"done":"' + lines[0].key.encode()[:10])
    spool.done(lines[0].key)
    assert spool.waiting().lines == (lines[1],)


@pytest.mark.parametrize(
    "damage", [b"nonsense", b'{"key":"0","experiment":7}', b'{"key":"1"}\xff', b'{"key":"2","version":9}', b"[]"]
)
def test_a_damaged_line_is_set_aside_with_its_reason_and_stops_no_other(damage: bytes, spool: Spool) -> None:
    first, last = line(0), line(1)
    spool.append([first])
    with spool.path.open("ab") as stream:
        stream.write(damage + b"\n")
    spool.append([last])
    found = spool.waiting()
    assert (found.lines, found.damaged) == ((first, last), 1)
    assert spool.waiting().damaged == 0
    assert "reason" in spool.refused.read_text()


def test_a_line_that_is_refused_waits_no_longer_and_is_kept_with_the_reason(spool: Spool) -> None:
    one = line(7)
    spool.append([one])
    spool.refuse(one, "a value is too long")
    assert spool.count() == 0
    assert "a value is too long" in spool.refused.read_text()
    assert "trial-007" in spool.refused.read_text()


def test_an_empty_folder_has_nothing_that_waits_and_is_not_made_by_reading(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "nowhere")
    assert spool.waiting().lines == ()
    assert spool.count() == 0
    spool.compact()
    assert not spool.folder.exists()


APPENDING = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from tests.artifacts.test_spool import line
    from tsladder.artifacts.spool import Spool
    spool = Spool(Path(sys.argv[1]))
    while True:
        new = [line(number) for number in range(1 + int(sys.argv[2]) % 2)]
        spool.append(new)
        for one in new:
            print(one.key, flush=True)
    """
)


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.mark.slow
def test_no_line_that_was_acknowledged_is_lost_whoever_is_killed_while_another_drains(
    spool: Spool, environment: dict[str, str], tmp_path: Path
) -> None:
    """Processes that append are killed at random instants; meanwhile this one marks and compacts."""
    rng, acknowledged, done = random.Random(5), set(), set()
    for kill in range(12):
        told = tmp_path / f"{kill}.txt"
        with told.open("w") as stream:
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", APPENDING, str(spool.folder), str(number)], env=environment, stdout=stream
                )
                for number in range(2)
            ]
        while told.stat().st_size == 0:
            time.sleep(0.01)
        until = time.monotonic() + rng.uniform(0.0, 0.4)
        while time.monotonic() < until:
            for one in spool.waiting().lines[:20]:
                spool.done(one.key)
                assert one.key not in done
                done.add(one.key)
            spool.compact()
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait()
        acknowledged |= set(told.read_text().split())
    left = [one.key for one in spool.waiting().lines]
    assert len(left) == len(set(left))
    assert not done & set(left)
    assert acknowledged - done - set(left) == set()
    assert len(acknowledged) > 50


@pytest.fixture
def holder(spool: Spool, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the right to drain."""
    program = "import sys, time; from pathlib import Path; from tsladder.artifacts.spool import Spool\n"
    program += "with Spool(Path(sys.argv[1])).draining('it') as turn: print(turn.name, flush=True); time.sleep(600)"
    command = [sys.executable, "-c", program, str(spool.folder)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "AFTER_ANOTHER\n"
    yield process
    process.kill()
    process.wait()


def test_one_process_drains_at_a_time_and_a_kill_frees_the_right(spool: Spool, holder: subprocess.Popen[str]) -> None:
    with spool.draining() as turn:
        assert turn is Turn.OF_ANOTHER
    spool.append([line()])
    assert spool.count() == 1
    holder.kill()
    holder.wait()
    for expected in (Turn.AFTER_ANOTHER, Turn.AGAIN):
        with spool.draining("me") as turn:
            assert turn is expected
