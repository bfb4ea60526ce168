"""Kill -9 at random instants, drawn by a seed, so that a failure can be repeated."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

from tests import warm_python
from tests.studies import start_stage

from tsladder.places import Places


def kill_at_a_random_instant(
    places: Places, stage: str, *arguments: str, trials: int, seed: int, warm: bool = False
) -> bool:
    """Start `stage`, a search of `trials` trials, and kill its whole process group; False when it finished first.

    Half of the instants are drawn from the start of the process (imports, locks, journals being opened), the others
    are a random fraction of a second after a random number of further trials has ended, before the last two have. A
    `warm` process (tests/warm_python.py) has imported its libraries before.
    """
    rng = random.Random(seed)
    process = (warm_python.start_stage if warm else start_stage)(places, stage, *arguments)
    if rng.random() < 0.5:
        time.sleep(rng.uniform(0.0, 2.0 if warm else 6.0))
    else:
        ended = _ended(places)
        _wait_until_ended(places, rng.randint(min(ended, trials - 2), trials - 2), process)
        time.sleep(rng.uniform(0.0, 0.2))
    if process.poll() is not None:
        error = process.communicate()[1]
        assert process.returncode == 0, error
        return False
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def _wait_until_ended(places: Places, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120.0
    while process.poll() is None and _ended(places) < count:
        assert time.monotonic() < deadline, f"no {count} trials within two minutes"
        time.sleep(0.01)


def _ended(places: Places) -> int:
    return sum(path.read_bytes().count(b"\n") for path in places.studies.glob("*/trials.jsonl"))
