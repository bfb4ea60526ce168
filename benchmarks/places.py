"""Measure what a trial takes on a place, reached through messages and through Ray, beside a worker of this machine.

    python benchmarks/places.py overhead --trials 20 [--ray]
    python benchmarks/places.py throughput --slots 4 --seconds 10 --rounds 3 [--ray]

`overhead`: one short trial at a time, in turns on each crew; the median seconds from its start to its end.
`throughput`: two trials a slot, each of at least `--seconds`, in turns on each crew; the median seconds until all have
ended, and their ratio to those of this machine's crew. `--ray` needs Ray (requirements-ray.lock).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.building import job, settings, windows
from tests.execution.places import ThreadFleet, crew_on, real_place

from tsladder.data.windows import FoldWindows
from tsladder.execution.crew import Crew, Ended, JobOrder
from tsladder.execution.local_crew import LocalCrew
from tsladder.params import HardwareParams
from tsladder.planning.machine import Machine

SHORT_EPOCHS = 2
CALIBRATION_EPOCHS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "throughput"])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", action="store_true", help="also on a Ray of this machine")
    options = parser.parse_args()
    machine = Machine(cores=max(2, options.slots), memory_gib=8.0, device="cpu")
    count = 100 if options.what == "overhead" else 4_000
    fold = FoldWindows(train=windows(count, seed=1), validation=windows(60, seed=2))
    with ExitStack() as ended:
        crews: dict[str, Crew] = {
            "local": LocalCrew(machine),
            "place": crew_on(ThreadFleet({"a": real_place(machine)})),
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
        for crew in crews.values():
            run(crew, slots=1, epochs=SHORT_EPOCHS)  # starts what the next ones find
        if options.what == "overhead":
            measure_overhead(crews, options.trials)
        else:
            measure_throughput(crews, options.slots, options.seconds, options.rounds)


def measure_overhead(crews: Mapping[str, Crew], trials: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in crews}
    for _ in range(trials):
        for name, crew in crews.items():
            seconds[name].append(run(crew, slots=1, epochs=SHORT_EPOCHS))
    local = statistics.median(seconds["local"])
    for name, found in seconds.items():
        median = statistics.median(found)
        print(
            f"{name}: {median:.3f} s, from {min(found):.3f} to {max(found):.3f}; "
            f"{1000 * (median - local):+.0f} ms beside local"
        )


def measure_throughput(crews: Mapping[str, Crew], slots: int, seconds: float, rounds: int) -> None:
    short, longer = (run(crews["local"], slots=1, epochs=epochs) for epochs in (SHORT_EPOCHS, CALIBRATION_EPOCHS))
    an_epoch = (longer - short) / (CALIBRATION_EPOCHS - SHORT_EPOCHS)
    epochs = max(CALIBRATION_EPOCHS, round(1.1 * seconds / an_epoch))
    taken: dict[str, list[float]] = {name: [] for name in crews}
    for _ in range(rounds):
        for name, crew in crews.items():
            taken[name].append(run(crew, slots=slots, epochs=epochs, trials=2 * slots))
    local = statistics.median(taken["local"])
    print(f"{2 * slots} trials of {epochs} epochs in {slots} slots, {an_epoch * epochs:.1f} s of each alone")
    for name, found in taken.items():
        median = statistics.median(found)
        print(f"{name}: {median:.2f} s, from {min(found):.2f} to {max(found):.2f}; {median / local:.3f} of local")


def run(crew: Crew, *, slots: int, epochs: int, trials: int = 1) -> float:
    """Train `trials` equal trials in `slots` slots, and return the seconds until all have ended."""
    began, started, done = time.perf_counter(), 0, 0
    while done < trials:
        while started < trials and len(crew.running) < slots and (free := crew.free(slots)):
            crew.start(JobOrder(number=started, job=job(settings=settings(epochs=epochs))), free[0])
            started += 1
        done += sum(isinstance(event, Ended) for event in crew.events(timeout=0.5))
    return time.perf_counter() - began


def _forget_this_script() -> None:
    """Forget this file, which every worker of this process would run first: a stage's is small, and Ray's places have
    none."""
    script = sys.modules["__main__"]
    del script.__file__
    script.__spec__ = None


if __name__ == "__main__":
    _forget_this_script()
    main()
