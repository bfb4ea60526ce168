"""Memory guard: watch the resident memory of workers and the machine's swap, and detect out-of-memory kills by the
kernel.

Training on a machine that swaps makes no progress, so a worker above its share is ended before it comes to that. Memory
is read on a timer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.planning.memory import GIB

READ_EVERY_SECONDS = 1.0
SWAPPED_GIB = 0.5
"""Growth of the used swap since the watch began above which, with memory nearly used up, thrashing is about to
start."""

_SCARCE = 0.05
"""Share of the machine's memory below which the available memory counts as nearly used up."""

VMSTAT = Path("/proc/vmstat")
CGROUP_EVENTS = Path("/sys/fs/cgroup/memory.events")


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineMemory:
    """Memory of the whole machine, in GiB."""

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
    """Return the resident memory of a process in GiB, shared pages included; None if the process is gone."""
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss / GIB)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None


class MemoryWatch:
    """Watch on the memory of workers and on the machine's swap."""

    def __init__(
        self,
        *,
        resident_gib: Callable[[int], float | None] = read_resident_gib,
        machine: Callable[[], MachineMemory] = read_machine,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resident = resident_gib
        self._machine = machine
        self._clock = clock
        self._next = clock()
        self._swapped_before = machine().swapped
        self._held: Mapping[int, float] = {}

    @property
    def held_gib(self) -> Mapping[int, float]:
        """Worker -> its resident memory at the last reading, in GiB."""
        return self._held

    def overuse(self, workers: Mapping[int, int], limits_gib: Mapping[int, float]) -> dict[int, str]:
        """Return worker -> reason why it must be ended, for `workers` (number -> process id). Empty between two
        readings. `limits_gib`: the share of each worker in GiB; one without a share only has to leave the machine's
        swap alone."""
        now = self._clock()
        if not workers or now < self._next:
            return {}
        self._next = now + READ_EVERY_SECONDS
        read = {number: self._resident(pid) for number, pid in workers.items()}
        self._held = held = {number: gib for number, gib in read.items() if gib is not None}
        over = {number: gib for number, gib in held.items() if number in limits_gib and gib > limits_gib[number]}
        if over:
            return {
                n: f"it used {gib:.2f} GiB, more than its share of {limits_gib[n]:.2f} GiB" for n, gib in over.items()
            }
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
    """Counter of the processes that the kernel has killed for want of memory, as far as the kernel reports them."""

    def __init__(self, files: tuple[Path, ...] = (CGROUP_EVENTS, VMSTAT)) -> None:
        self._files = files
        self._known = self._count()

    def has_new_kill(self) -> bool:
        """Check whether there was a kill that no earlier call has reported. Each kill is reported once."""
        if self._count() <= self._known:
            return False
        self._known += 1
        return True

    def _count(self) -> int:
        """Read the cgroup's counter if there is one, since the machine's counter includes other users' processes."""
        for path in self._files:
            if path.exists():
                fields = dict(line.split(maxsplit=1) for line in path.read_text().splitlines())
                if "oom_kill" in fields:
                    return int(fields["oom_kill"])
        return 0
