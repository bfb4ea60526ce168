"""Seconds of what a user does all day on a finished study: a no-op `dvc repro`, `tsladder status`, `tsladder plan`.

Run in the folder of a finished study: ``python benchmarks/everyday.py``. Commands alternate, medians are printed.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
COMMANDS = {
    "no-op dvc repro": [sys.executable, "-m", "dvc", "repro"],
    "tsladder status": [sys.executable, "-m", "tsladder.cli", "status"],
    "tsladder plan": [sys.executable, "-m", "tsladder.cli", "plan"],
}


def main() -> int:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            seconds[name].append(time.perf_counter() - started)
            if done.returncode != 0:
                print(f"{name} failed:\n{done.stderr}", file=sys.stderr)
                return 1
            if name == "no-op dvc repro" and "up to date" not in done.stdout + done.stderr:
                print("the study is not finished: dvc repro had something to do", file=sys.stderr)
                return 2
    print(f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}")
    for name, values in seconds.items():
        print(f"{name:<16} median {statistics.median(values):.2f} s, {min(values):.2f} to {max(values):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
