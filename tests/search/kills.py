"""Kill -9 at random instants, drawn by a seed, so that a failure can be repeated."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

from tests.studies import start_stage

from tsladder.places import Places


def kill_at_a_random_instant(places: Places, stage: str, *arguments: str, seed: int) -> bool:
    """Start `stage` and kill its whole process group; False when it finished first.

    Half of the instants are drawn from the start of the process (imports, locks, journals being opened), the others
    from the moment that its trials run.
    """
    rng = random.Random(seed)
    process = start_stage(places, stage, *arguments)
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0.0, 6.0))
    else:
        _wait_until_training(places, process)
        time.sleep(rng.uniform(0.0, 1.5))
    if process.poll() is not None:
        error = process.communicate()[1]
        assert process.returncode == 0, error
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def _wait_until_training(places: Places, process: subprocess.Popen[str]) -> None:
    """Until `process` has said what runs, or ended."""
    started = time.time()
    deadline = time.monotonic() + 60.0
    while process.poll() is None and time.monotonic() < deadline:
        for path in places.studies.glob("*/progress.json"):
            if path.stat().st_mtime > started:
                return
        time.sleep(0.01)
