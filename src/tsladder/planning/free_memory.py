"""Memory that this process may use: the total that the machine and its cgroups allow, and what is free of it now.

On Linux the kernel's own files are read, elsewhere psutil is asked. File cache that the kernel can reclaim counts as
free: for the machine the kernel reports it itself (MemAvailable), for a cgroup it is the inactive part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsladder.planning.memory import GIB

MEMINFO = Path("/proc/meminfo")
OWN_CGROUPS = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")

_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
"""Files of the limit and of the usage, and the field of memory.stat with the cache that can be reclaimed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AvailableMemory:
    """Total and free memory in GiB at the moment of reading; `free_gib` never exceeds `total_gib`."""

    total_gib: float
    free_gib: float


def read_free_memory() -> AvailableMemory:
    """Read total and free memory, each the smallest among the machine and every cgroup around this process."""
    total, free = _machine()
    for limit, taken in _cgroup_limits():
        total, free = min(total, limit), min(free, limit - taken)
    return AvailableMemory(total_gib=total / GIB, free_gib=min(max(free, 0), total) / GIB)


def _machine() -> tuple[int, int]:
    """Return the machine's memory in bytes (total, available)."""
    if MEMINFO.exists():
        lines = (line.split() for line in MEMINFO.read_text(encoding="ascii").splitlines())
        fields = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}
        # Kernels before 3.14 do not say what is available; psutil estimates it there.
        if "MemAvailable" in fields:
            return fields["MemTotal"], fields["MemAvailable"]
    import psutil

    memory = psutil.virtual_memory()
    return memory.total, memory.available


def _cgroup_limits() -> Iterator[tuple[int, int]]:
    """Yield the bytes (limit, used and not reclaimable) of every cgroup around this process that has a limit."""
    for folder, (limit_file, usage_file, cache_field) in _own_cgroups():
        limit = folder / limit_file
        text = limit.read_text(encoding="ascii").strip() if limit.exists() else ""
        if text.isdigit():
            usage, stat = folder / usage_file, folder / "memory.stat"
            taken = int(usage.read_text(encoding="ascii")) if usage.exists() else 0
            cache = _field(stat.read_text(encoding="ascii"), cache_field) if stat.exists() else 0
            yield int(text), max(0, taken - cache)


def _own_cgroups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Yield the folder of this process's cgroup and of every cgroup above it, in either version of the interface.

    In a container the path may be that of the host, which does not exist there: the mounted root is then the
    container's own cgroup.
    """
    for mounted, files, controller in ((CGROUPS, _V2, ""), (CGROUPS / "memory", _V1, "memory")):
        parts = _own_path(controller)
        for depth in range(len(parts), -1, -1):
            folder = mounted.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder, files


def _own_path(controller: str) -> tuple[str, ...]:
    """Return the parts of the path of this process's cgroup; none where it is the root or lies outside the mounted
    tree."""
    lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines() if OWN_CGROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", maxsplit=2)
        if controller in controllers.split(","):
            parts = tuple(part for part in path.split("/") if part)
            return () if ".." in parts else parts
    return ()


def _field(text: str, name: str) -> int:
    """Return the value in the line `name value` of `text`; 0 where there is no such line."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return int(words[1])
    return 0
