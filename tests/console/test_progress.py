"""Bars for people at a terminal: seen through a pseudo-terminal, and not at all through a pipe."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.studies import environment

from tsladder.console.progress import progress
from tsladder.law.table import fit_table

COLOUR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")

WORK = """
import sys, time
from tsladder.console.progress import progress
quiet, steps, seconds = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
with progress("measuring the sea", quiet_seconds=quiet) as on_step:
    for number in range(1, steps + 1):
        on_step(f"wave {number}", number, steps)
        time.sleep(seconds)
    print('{"waves": %d}' % steps)
"""


def at_a_terminal(arguments: Sequence[str], **variables: str) -> tuple[str, str]:
    """(stdout in a file, what the terminal on stderr showed)."""
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in environment().items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    # A file, because a pipe that nobody reads meanwhile would hold up what prints much.
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            [sys.executable, *arguments],
            stdout=printed,
            stderr=theirs,
            env=plain | {"TERM": "xterm-256color", "COLUMNS": "100"} | variables,
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        # At its end a terminal whose other side has closed gives an error in place of nothing.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65_536):
                shown += chunk
        process.wait()
        printed.seek(0)
        out = printed.read()
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return out, shown.decode()


def test_long_work_shows_its_steps_a_bar_and_its_time_on_stderr_alone() -> None:
    out, shown = at_a_terminal(["-c", WORK, "0.3", "6", "0.15"])
    assert json.loads(out) == {"waves": 6}
    assert "wave 6" in shown
    assert "wave 1 " not in shown
    assert "0:00:00" in shown
    assert "━" in shown
    assert COLOUR.search(shown)


def test_nothing_stays_when_the_work_has_ended() -> None:
    _, shown = at_a_terminal(["-c", WORK, "0.2", "5", "0.15"])
    after = shown.rpartition("\x1b[2K")[2]
    assert "wave" not in after
    assert "\x1b[?25h" in shown, "the cursor was not given back"


def test_quick_work_shows_nothing() -> None:
    out, shown = at_a_terminal(["-c", WORK, "30", "3", "0.01"])
    assert shown == ""
    assert json.loads(out) == {"waves": 3}


def test_without_colours_where_they_are_not_wanted() -> None:
    _, shown = at_a_terminal(["-c", WORK, "0.2", "5", "0.15"], NO_COLOR="1")
    assert "wave 5" in shown
    assert not COLOUR.search(shown)


def test_a_terminal_that_cannot_move_its_cursor_gets_nothing() -> None:
    assert at_a_terminal(["-c", WORK, "0.01", "4", "0.02"], TERM="dumb")[1] == ""


@pytest.mark.parametrize("forced", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_through_a_pipe_there_is_nothing_at_all(forced: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK, "0.01", "3", "0.02"],
        env=environment() | forced,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_work_that_fails_leaves_the_terminal_as_it_was() -> None:
    failing = WORK.replace("print(", "sys.exit(0) if steps == 1 else print(").replace(
        "        time.sleep(seconds)\n", "        time.sleep(seconds)\n        if number == 4: raise KeyError('no')\n"
    )
    program = f"try:\n    exec({failing!r})\nexcept KeyError:\n    print('caught')\n"
    out, shown = at_a_terminal(["-c", program, "0.2", "9", "0.15"])
    assert out == "caught\n"
    assert shown.rindex("\x1b[?25h") > shown.rindex("wave")


def test_a_bar_that_is_due_when_the_work_ends_does_not_appear_afterwards() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for _ in range(20):
        stream = Terminal()
        with progress("ending", quiet_seconds=0.001, stream=stream):
            pass
        written = stream.getvalue()
        time.sleep(0.01)
        assert stream.getvalue() == written


def test_fit_tells_each_group_before_it_is_fitted(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    rows = [f"{n},{0.4 * n**-0.03},{group}" for group in "cab" for n in (1e5, 1e6, 1e7)]
    path.write_text("n_params,loss,group\n" + "\n".join(rows) + "\n")
    steps: list[tuple[str, int, int]] = []
    record = fit_table(path, draws=20, on_step=lambda *step: steps.append(step))
    assert steps == [("fitting a", 1, 3), ("fitting b", 2, 3), ("fitting c", 3, 3)]
    assert record == fit_table(path, draws=20)


@pytest.mark.slow
def test_json_of_a_long_fit_stays_alone_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    rows = [f"{n},{0.4 * n**-0.03 * (1 + 0.001 * k)},g{k}" for k in range(8) for n in (1e5, 1e6, 1e7, 1e8, 1e9)]
    path.write_text("n_params,loss,group\n" + "\n".join(rows) + "\n")
    out, shown = at_a_terminal(["-m", "tsladder.cli", "fit", str(path), "--json"])
    assert set(json.loads(out)["groups"]) == {f"g{k}" for k in range(8)}
    assert '"groups"' not in shown
