"""Measure what a trial takes on a place, reached through messages and through Ray, beside a worker of this machine.

    python benchmarks/places.py --trials 20 [--ray]

One short trial at a time, in turns on each crew; the median seconds from its start to its end are printed. `--ray`
needs Ray (requirements-ray.lock).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.building import job, settings, windows
from tests.execution.places import MACHINE, ThreadFleet, crew_on, real_place

from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Crew, Ended, JobOrder
from tsladder.execution.local_crew import LocalCrew
from tsladder.params import HardwareParams


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--ray", action="store_true", help="also on a Ray of this machine")
    options = parser.parse_args()
    fold = FoldWindows(train=windows(100, seed=1), validation=windows(60, seed=2))
    with ExitStack() as ended:
        crews: dict[str, Crew] = {
            "local": LocalCrew(MACHINE),
            "place": crew_on(ThreadFleet({"a": real_place(MACHINE)})),
        }
        if options.ray:
            from tsladder.execution.ray_crew import open_ray_crew

            hardware = HardwareParams(device="cpu", memory_gib=8.0, workers="auto", executor="ray")
            remote = open_ray_crew(hardware, Path("no-calibration"), print)
            remote.wait_for_places(120.0)
            crews["ray"] = remote
        for crew in crews.values():
            ended.callback(crew.end_now)
            crew.hold([fold])
        seconds: dict[str, list[float]] = {name: [] for name in crews}
        for number in range(options.trials):
            for name, crew in crews.items():
                seconds[name].append(trial(crew, number))
    for name, found in seconds.items():
        # The first one starts what the others find.
        print(f"{name}: {statistics.median(found[1:]):.3f} s, from {min(found[1:]):.3f} to {max(found[1:]):.3f}")


def trial(crew: Crew, number: int) -> float:
    began = time.perf_counter()
    crew.start(JobOrder(number=number, job=job(settings=settings(epochs=2))), crew.free(2)[0])
    while True:
        if any(isinstance(event, Ended) for event in crew.events(timeout=0.5)):
            return time.perf_counter() - began


if __name__ == "__main__":
    main()
