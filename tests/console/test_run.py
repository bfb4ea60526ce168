"""`tsladder run` and the signals it is sent, with a stand-in for DVC."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STAND_IN = """
import signal, sys, time
from pathlib import Path
try:
    # Inside, for the signal may come before the file that asks for it is closed.
    Path("started").touch()
    time.sleep(60)
except KeyboardInterrupt:
    Path("stopped").touch()
    sys.exit(130)
"""
RUN = """
import signal
from pathlib import Path
from tsladder.console.run_dvc import run_dvc
from tsladder.console.run_log import RunLog, Timeline
from tsladder.places import Places
{ignore}
places = Places(root=Path.cwd(), home=Path.cwd())
driven = run_dvc(places, ("repro",), RunLog.create(places), Timeline(), None)
raise SystemExit(driven.code if driven.stopped else "it was not stopped")
"""
IGNORED = "signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell's background job"


@pytest.mark.parametrize(
    ("sent", "ignore"),
    [
        (signal.SIGINT, ""),
        (signal.SIGINT, IGNORED),
        *(
            pytest.param(number, ignore, marks=pytest.mark.slow)
            for number in (signal.SIGTERM, signal.SIGHUP)
            for ignore in ("", IGNORED)
        ),
    ],
)
def test_a_signal_reaches_dvc_also_where_the_run_was_started_in_the_background(
    sent: signal.Signals, ignore: str, tmp_path: Path
) -> None:
    (tmp_path / "dvc.py").write_text(STAND_IN)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen([sys.executable, "-c", RUN.format(ignore=ignore)], cwd=tmp_path, env=environment)
    try:
        deadline = time.monotonic() + 15
        while not (tmp_path / "started").exists():
            assert run.poll() is None, "the run ended by itself"
            assert time.monotonic() < deadline, "the stand-in for DVC did not start"
            time.sleep(0.02)
        run.send_signal(sent)
        assert run.wait(timeout=15) == 130
    finally:
        run.kill()
        run.wait()
    assert (tmp_path / "stopped").exists()
