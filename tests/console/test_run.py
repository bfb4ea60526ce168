"""`tsladder run` and the signals it is sent, with a stand-in for DVC."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tsladder.console.run import stage_stopped_by_heat
from tsladder.places import Places
from tsladder.records import write_json
from tsladder.vocabulary import Cell

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
from tsladder.console.drive import drive
from tsladder.console.run_log import RunLog, Timeline
from tsladder.places import Places
{ignore}
places = Places(root=Path.cwd(), home=Path.cwd())
driven = drive(places, ("repro",), RunLog.create(places), Timeline(), None)
raise SystemExit(driven.code if driven.stopped else "it was not stopped")
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ignore", ["", "signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell's background job"])
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


@pytest.mark.parametrize(
    ("choice", "status", "stage"),
    [
        ({"status": "failed", "stop_reason": "thermal"}, {"status": "failed"}, "hpo"),
        ({"status": "done"}, {"status": "failed", "stop_reason": "thermal"}, "train"),
        ({"status": "failed", "reason": "does not fit"}, {"status": "failed"}, None),
        ({"status": "done"}, {"status": "done"}, None),
        (None, None, None),
    ],
)
def test_a_cell_stopped_for_heat_is_known_by_the_stage_that_goes_on(
    choice: dict[str, str] | None, status: dict[str, str] | None, stage: str | None, tmp_path: Path
) -> None:
    places, cell = Places(tmp_path, tmp_path), Cell("12k", 1)
    for path, record in ((places.choice(cell), choice), (places.models(cell) / "status.json", status)):
        if record is not None:
            write_json(path, record)
    assert stage_stopped_by_heat(places, cell) == stage
