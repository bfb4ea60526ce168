"""`status` and `why` answer at once: no library that takes a second to load, and nothing painted for a pipe."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contracts.test_imports_are_light import HEAVY
from tests.studies import ROOT, make_study

from tsladder.artifacts.store import write_json
from tsladder.vocabulary import Cell

COMMANDS = (["status"], ["status", "--json"], ["status", "--csv"], ["why", "12k-h1"], ["why", "12k-h1", "--json"])
PROGRAM = """
import json, sys
from tsladder.cli import main
loaded = {}
for command in json.loads(sys.argv[1]):
    code = main(command)
    loaded[" ".join(command)] = [code, sorted(sys.modules)]
print(json.dumps(loaded), file=sys.stderr)
"""


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DVC_ROOT", "NO_COLOR", "FORCE_COLOR")}
    return kept | {"PYTHONPATH": str(ROOT / "src")} | more


def test_no_heavy_library_is_loaded_by_any_of_the_commands(tmp_path: Path) -> None:
    """One process runs all of them, so that its modules are those of each and more."""
    make_study(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(COMMANDS)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = json.loads(done.stderr.splitlines()[-1])
    assert len(loaded) == len(COMMANDS)
    for command, (code, modules) in loaded.items():
        assert code == 0, command
        assert (HEAVY | {"rich", "multiprocessing.forkserver"}).intersection(modules) == set(), command


def on_a_terminal(folder: Path, **more: str) -> str:
    """What `tsladder status` writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tsladder.cli", "status"]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(TERM="xterm-256color", COLUMNS="80", **more), stdout=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return written.decode()


@pytest.mark.slow
def test_states_are_coloured_on_a_terminal_and_not_with_no_color(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    write_json(study.choice(Cell("12k", 1)), {"status": "done"})
    assert "\x1b[33mstale\x1b[0m" in on_a_terminal(tmp_path)
    plain = on_a_terminal(tmp_path, NO_COLOR="1")
    assert "stale" in plain
    assert "\x1b[3" not in plain
