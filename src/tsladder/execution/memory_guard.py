"""Watches the resident memory of workers and the machine's swap, and knows whether the kernel killed for memory.

A machine that swaps trains nothing: a worker above its share is ended before it gets there. Read on a timer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.planning.memory import GIB

READ_EVERY_SECONDS = 1.0
SWAPPED_GIB = 0.5
"""Of swap that filled up since the watch began, with memory nearly used up, is thrashing about to start."""

_SCARCE = 0.05
"""Share of the machine's memory below which what is left counts as nearly used up."""

VMSTAT = Path("/proc/vmstat")
CGROUP_EVENTS = Path("/sys/fs/cgroup/memory.events")


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineMemory:
    """GiB of the whole machine."""

    total: float
    available: float
    swapped: float


def read_machine() -> MachineMemory:
    import psutil

    memory = psutil.virtual_memory()
    return MachineMemory(
        total=memory.total / GIB, available=memory.available / GIB, swapped=psutil.swap_memory().used / GIB
    )


def read_resident_gib(pid: int) -> float | None:
    """Resident GiB of a process, pages that it shares with others included; None when it is gone."""
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss / GIB)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None


class MemoryWatch:
    """`limit_gib`: the share of each worker; None watches the machine's swap alone."""

    def __init__(
        self,
        limit_gib: float | None,
        *,
        resident_gib: Callable[[int], float | None] = read_resident_gib,
        machine: Callable[[], MachineMemory] = read_machine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit_gib
        self._resident = resident_gib
        self._machine = machine
        self._clock = clock
        self._next = clock()
        self._swapped_before = machine().swapped
        self._held: Mapping[int, float] = {}

    @property
    def held_gib(self) -> Mapping[int, float]:
        """Worker -> what it held at the last reading."""
        return self._held

    def overuse(self, workers: Mapping[int, int]) -> dict[int, str]:
        """Worker -> why it has to be ended, of `workers` (number -> process id). Empty between two readings."""
        now = self._clock()
        if not workers or now < self._next:
            return {}
        self._next = now + READ_EVERY_SECONDS
        read = {number: self._resident(pid) for number, pid in workers.items()}
        self._held = held = {number: gib for number, gib in read.items() if gib is not None}
        if self._limit is not None:
            over = {number: gib for number, gib in held.items() if gib > self._limit}
            if over:
                return {n: f"it held {gib:.2f} GiB of its {self._limit:.2f}" for n, gib in over.items()}
        machine = self._machine()
        swapped = machine.swapped - self._swapped_before
        if held and swapped > SWAPPED_GIB and machine.available < _SCARCE * machine.total:
            largest = max(held, key=lambda number: held[number])
            return {
                largest: f"the machine swapped {swapped:.1f} GiB and had {machine.available:.1f} GiB left; "
                f"it was the largest worker with {held[largest]:.2f} GiB"
            }
        return {}


class KernelKills:
    """Counts the processes that the kernel has killed for want of memory, as far as it says so."""

    def __init__(self, files: tuple[Path, ...] = (CGROUP_EVENTS, VMSTAT)) -> None:
        self._files = files
        self._known = self._count()

    def one_more(self) -> bool:
        """Has one been killed that was not asked about yet? Each is answered for once."""
        if self._count() <= self._known:
            return False
        self._known += 1
        return True

    def _count(self) -> int:
        """The cgroup's counter where there is one: the machine's also counts the processes of others."""
        for path in self._files:
            if path.exists():
                fields = dict(line.split(maxsplit=1) for line in path.read_text().splitlines())
                if "oom_kill" in fields:
                    return int(fields["oom_kill"])
        return 0
