"""`tsladder run` and `tsladder watch` as somebody at a terminal meets them, with a stand-in for DVC."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.studies import ROOT, environment, make_study
from tests.terminal import CTRL_C, CTRL_Z, Terminal

from tsladder.console.run_log import RunLog
from tsladder.locks import is_locked
from tsladder.places import Places

pytestmark = pytest.mark.slow

# Works until the file `finish` is there. A first SIGINT is obeyed at once, or where `stubborn` is there only noted.
STAND_IN = """
import signal, sys, time
from pathlib import Path

from tsladder.log_file import current_log

stops = 0

def stop(*_):
    global stops
    stops += 1
    print(f"asked to stop {stops}", flush=True)
    if stops == 2 or not Path("stubborn").exists():
        print("tsladder: 12k-h1: stopped with 3 of 7 trials done", file=sys.stderr, flush=True)
        sys.exit(130)

signal.signal(signal.SIGINT, stop)
print(f"targets: {' '.join(sys.argv[1:])}")
print("Running stage 'hpo@12k-1':")
print("12k-h1: trial 1/7: val_loss 0.5")
current_log().write_unprinted("12k-h1: trial 2/7 epoch 1/20: val_loss 0.6")
while not Path("finish").exists():
    time.sleep(0.02)
if Path("fail").exists():
    print("tsladder: the disk is full: make room", file=sys.stderr)
    print("ERROR: failed to reproduce 'hpo@12k-1'", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = make_study(tmp_path, ladder=["12k", "30k"], budget="12k", horizons=[1, 3])
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "dvc.py").write_text(STAND_IN)
    return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tsladder.cli", *arguments]


@pytest.fixture
def running(places: Places) -> Iterator[Terminal]:
    """A run whose table is shown."""
    with Terminal(command("run"), places.root, environment()) as terminal:
        terminal.until_written("stage hpo@12k-1")
        terminal.until("keys are read", lambda: terminal.takes_keys)
        yield terminal
        # What is still there has a session of its own, and would outlive the test.
        (places.root / "finish").touch()
        terminal.end()


def log_of(places: Places) -> list[str]:
    (path,) = places.logs.iterdir()
    return [line.text for line in RunLog(path).new_lines()]


def test_the_table_shows_cells_the_stage_of_dvc_and_its_messages(running: Terminal) -> None:
    running.until_written("12k-h1  pending")
    running.until_written("30k-h3  not planned")
    running.until_written("trial 1/7: val_loss 0.5")
    running.until_written("q  stop and keep what is done")
    assert "tsladder: log: mlruns/logs/run-" in running.plain


def test_what_the_log_alone_holds_is_in_the_runs_log_and_not_on_the_terminal(running: Terminal, places: Places) -> None:
    running.until_written("trial 1/7: val_loss 0.5")
    assert "| 12k-h1: trial 2/7 epoch 1/20: val_loss 0.6" in log_of(places)
    (places.root / "fail").touch()
    (places.root / "finish").touch()
    assert running.end() == 1
    assert "epoch 1/20" not in running.plain


def test_q_asks_dvc_once_to_stop_and_the_run_ends_with_130(running: Terminal, places: Places) -> None:
    running.press("q")
    assert running.end() == 130
    assert running.is_as_before
    log = log_of(places)
    assert log.count("asked to stop 1") == 1
    assert "asked to stop 2" not in log
    running.until_written("stopped with 3 of 7 trials done")
    assert "OPEN  12k-h1" in running.plain


def test_a_second_q_asks_once_more_which_ends_the_work_at_once(running: Terminal, places: Places) -> None:
    (places.root / "stubborn").touch()
    running.press("q")
    running.until_written("q  stop at once")
    running.until_written("asked to stop 1")
    assert running.process.poll() is None
    running.press("q")
    assert running.end() == 130
    assert "asked to stop 2" in log_of(places)
    assert running.is_as_before


def test_p_holds_the_lock_of_the_pause_until_it_is_pressed_again(running: Terminal, places: Places) -> None:
    running.press("p")
    running.until("the pause is held", lambda: is_locked(places.pause))
    running.until_written("p  resume")
    running.press("p")
    running.until("the pause is over", lambda: not is_locked(places.pause))


def test_a_run_that_is_killed_pauses_nothing_any_more_and_dvc_continues_to_its_end(
    running: Terminal, places: Places
) -> None:
    running.press("p")
    running.until("the pause is held", lambda: is_locked(places.pause))
    running.send(signal.SIGKILL)
    running.end()
    assert not is_locked(places.pause)
    (places.root / "fail").touch()
    (places.root / "finish").touch()
    running.until("DVC's last words are in the log", lambda: any("disk is full" in line for line in log_of(places)))


def test_q_during_a_pause_ends_the_pause_as_well(running: Terminal, places: Places) -> None:
    (places.root / "stubborn").touch()
    running.press("p")
    running.until("the pause is held", lambda: is_locked(places.pause))
    running.press("q")
    running.until("the pause is over", lambda: not is_locked(places.pause))


def test_letters_of_an_arrow_or_a_function_key_are_not_taken_for_keys(running: Terminal, places: Places) -> None:
    running.press("\x1bOP")  # F1
    running.press("\x1b[A")
    time.sleep(1.0)
    assert not is_locked(places.pause)
    assert running.process.poll() is None


@pytest.mark.parametrize("how", ["Ctrl-C", "TERM", "HUP"])
def test_however_it_is_stopped_the_terminal_is_given_back(how: str, running: Terminal, places: Places) -> None:
    if how == "Ctrl-C":
        running.press(CTRL_C)
    else:
        running.send(signal.Signals[f"SIG{how}"])
    assert running.end() == 130
    assert running.is_as_before
    assert log_of(places).count("asked to stop 1") == 1


def test_the_last_words_of_a_failing_stage_stay_on_the_terminal(running: Terminal, places: Places) -> None:
    (places.root / "fail").touch()
    (places.root / "finish").touch()
    assert running.end() == 1
    end = running.plain[running.plain.rindex("now: ") :]
    assert "tsladder: the disk is full: make room" in end
    assert end.index("ERROR: failed to reproduce") < end.index("OPEN  12k-h1")
    assert "tsladder: log: mlruns/logs/run-" in end
    assert running.is_as_before


def test_a_run_that_ends_well_says_so_and_leaves_no_table(running: Terminal, places: Places) -> None:
    (places.root / "finish").touch()
    assert running.end() == 0
    end = running.plain[running.plain.rindex("q  stop") :]
    assert "no verdict yet" in end
    assert "30k-h3  not planned" in end
    assert running.is_as_before
    assert log_of(places)[-1] == "ended with 0"


def test_a_broken_display_leaves_the_terminal_as_it_was_and_stops_dvc_in_order(places: Places) -> None:
    # Breaks once DVC's stand-in has said that it works: asked earlier to stop, it has no handler yet that would say so.
    breaking = """
from pathlib import Path
import tsladder.console.run_dvc as module
whole = module.render
module.render = lambda *a, **k: 1 / 0 if Path("break").exists() else whole(*a, **k)
"""
    program = f"{breaking}from tsladder.cli import main\nmain(['run'])"
    with Terminal([sys.executable, "-c", program], places.root, environment()) as terminal:
        terminal.until_written("stage hpo@12k-1")
        (places.root / "break").touch()
        assert terminal.end() == 1
        assert "ZeroDivisionError" in terminal.plain
        assert terminal.is_as_before
        assert "asked to stop 1" in log_of(places)


# A shell with job control: says whether the terminal is as it was when its job was stopped, and, told to, lets the job
# go on behind ("bg") or in front.
SHELL = """
import os, signal, sys, termios
before = termios.tcgetattr(0)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpid())
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
    print("job stopped, terminal", "restored" if termios.tcgetattr(0) == before else "LEFT BEHIND", flush=True)
    if sys.stdin.readline().strip() != "bg":
        os.tcsetpgrp(0, job)
    os.kill(job, signal.SIGCONT)
"""


@pytest.fixture
def job(places: Places) -> Iterator[Terminal]:
    with Terminal([sys.executable, "-c", SHELL, *command("run")], places.root, environment()) as terminal:
        terminal.until_written("stage hpo@12k-1")
        terminal.until("keys are read", lambda: terminal.takes_keys)
        yield terminal
        (places.root / "finish").touch()
        terminal.end()


def test_ctrl_z_gives_the_terminal_back_and_in_front_again_the_table_and_the_keys_are_there(job: Terminal) -> None:
    job.press(CTRL_Z)
    job.until_written("job stopped, terminal restored")
    job.forget()
    job.press("fg\n")
    job.until_written("stage hpo@12k-1")
    job.until("keys are read", lambda: job.takes_keys)
    job.press("q")
    assert job.end() == 130
    assert job.is_as_before


def test_in_the_background_it_continues_without_touching_the_terminal(job: Terminal, places: Places) -> None:
    job.press(CTRL_Z)
    job.until_written("job stopped, terminal restored")
    job.forget()
    job.press("bg\n")
    time.sleep(1.5)
    job.read(0.2)
    assert "stage hpo" not in job.plain
    assert job.is_as_before
    (places.root / "finish").touch()
    assert job.end() == 0
    assert "no verdict yet" in job.plain
    assert "job stopped" not in job.plain


# ----------------------------------------------------------------------------------------------- no terminal to draw on


def test_a_terminal_that_can_only_print_gets_the_plain_log(places: Places) -> None:
    (places.root / "finish").touch()
    with Terminal(command("run"), places.root, environment(), kind="dumb") as terminal:
        assert terminal.end() == 0
        assert "\x1b" not in terminal.written
        assert "Running stage 'hpo@12k-1':\r\n12k-h1: trial 1/7" in terminal.written


def piped(places: Places, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=places.root, env=environment(), capture_output=True, text=True, check=False
    )


def test_into_pipes_what_dvc_prints_comes_through_unchanged_each_to_its_own(places: Places) -> None:
    (places.root / "fail").touch()
    (places.root / "finish").touch()
    done = piped(places, "run")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "targets: repro plan features splits\n"
        "Running stage 'hpo@12k-1':\n12k-h1: trial 1/7: val_loss 0.5\n\nOPEN  12k-h1"
    )
    first, memory, *said = done.stderr.splitlines()
    path = first.removeprefix("tsladder: log: ")
    assert memory.startswith("tsladder: memory: ")
    assert said == [
        "tsladder: the disk is full: make room",
        "ERROR: failed to reproduce 'hpo@12k-1'",
        f"tsladder: log: {path}",
    ]
    log = [line.text for line in RunLog(places.root / path).new_lines()]
    assert set(done.stdout.splitlines()[:3]) <= set(log)
    assert "tsladder: the disk is full: make room" in log


def test_a_run_that_can_keep_no_log_says_so_once_and_runs(places: Places) -> None:
    (places.root / "finish").touch()
    places.mlruns.mkdir()
    places.logs.write_text("in the way")
    done = piped(places, "run")
    assert done.returncode == 0
    assert done.stderr.count("cannot be written") == 1
    assert "12k-h1: trial 1/7: val_loss 0.5" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        (("--only", "12k-h3"), "evaluate@12k-3"),
        (("--from", "12k-h1"), "evaluate@12k-1 evaluate@12k-3"),
    ],
)
def test_a_part_of_the_study_asks_dvc_for_its_cells_and_says_what_is_missing(
    arguments: tuple[str, ...], targets: str, places: Places
) -> None:
    (places.root / "finish").touch()
    done = piped(places, "run", *arguments)
    assert done.returncode == 0
    assert f"targets: repro {targets}\n" in done.stdout
    assert "The law and the report were not built: `tsladder run`" in done.stdout
    assert ("12k-h1 " in done.stdout.partition("OPEN")[2]) == ("12k-1" in targets)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--only", "12k-h1", "12k-h2"), "12k-h1"),
        (("--from", "30k-h1"), "not planned"),
        (("--from", "12k-h1", "--only", "12k-h1"), "--only"),
    ],
)
def test_a_part_that_is_not_there_is_refused_before_anything_runs(
    arguments: tuple[str, ...], word: str, places: Places
) -> None:
    done = piped(places, "run", *arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert done.stdout == ""
    assert not places.mlruns.exists()


# ---------------------------------------------------------------------------------------------------------------- watch


@pytest.fixture
def watching(places: Places) -> Iterator[Terminal]:
    with Terminal(command("watch", "--interval", "0.2"), places.root, environment()) as terminal:
        terminal.until_written("12k-h1  pending")
        terminal.until("keys are read", lambda: terminal.takes_keys)
        yield terminal


@pytest.mark.parametrize("key", ["q", CTRL_C])
def test_watching_ends_well_when_its_user_ends_it(key: str, watching: Terminal) -> None:
    watching.press(key)
    assert watching.end() == 0
    assert watching.is_as_before


def test_watching_ends_well_when_it_is_terminated(watching: Terminal) -> None:
    watching.send(signal.SIGTERM)
    assert watching.end() == 0
    assert watching.is_as_before


def test_a_damaged_file_is_a_note_while_it_is_damaged(watching: Terminal, places: Places) -> None:
    good = places.params.read_text()
    places.params.write_text("budget: [")
    watching.until_written("params.yaml")
    watching.forget()
    watching.until_written("12k-h1  pending")
    places.params.write_text(good)
    (places.root / "dvc.lock").write_text("stages: {")
    watching.until_written("dvc.lock is damaged")
    (places.root / "dvc.lock").unlink()
    watching.until(
        "a picture without the note",
        lambda: (
            "12k-h1  pending" in (last := watching.plain.rpartition("cell  ")[2])
            and "q  quit" in last
            and "damaged" not in last
        ),
    )
    watching.press("q")
    assert watching.end() == 0


def test_watching_without_a_terminal_prints_the_status_at_first_and_when_something_has_changed(places: Places) -> None:
    printed = places.root / "printed"

    def count(start: str) -> int:
        return sum(line.startswith(start) for line in printed.read_text().splitlines())

    def wait_for(start: str) -> None:
        deadline = time.monotonic() + 60
        while not count(start):
            assert process.poll() is None
            assert time.monotonic() < deadline, printed.read_text()
            time.sleep(0.05)

    with printed.open("w") as stream:
        process = subprocess.Popen(
            command("watch", "--interval", "0.1"), cwd=places.root, env=environment(), stdout=stream
        )
    try:
        wait_for("12k-h1  pending")
        time.sleep(1.0)
        assert count("12k-h1 ") == 1
        places.params.write_text(places.params.read_text().replace("budget: 12k", "budget: 30k"))
        wait_for("30k-h1  pending")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
    assert count("12k-h1 ") == 2
    assert "\x1b" not in printed.read_text()


@pytest.mark.parametrize("interval", ["0", "-1", "nan"])
def test_an_interval_that_is_none_is_refused(interval: str, places: Places) -> None:
    done = piped(places, "watch", "--interval", interval)
    assert done.returncode == 2
    assert "--interval" in done.stderr
