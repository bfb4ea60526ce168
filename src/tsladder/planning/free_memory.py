"""Memory that this process may take: what the machine and its cgroups own of it, and what of that is free now.

Linux's own files are read where they are, psutil elsewhere. File cache that the kernel gives back when it is asked to
counts as free: of the machine the kernel says so itself (MemAvailable), of a cgroup it is the inactive part.
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
"""Files of the limit and of the usage, and the field of memory.stat with the cache that can be given back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryAtHand:
    """GiB owned, and free at the moment of reading; `free_gib` never exceeds `total_gib`."""

    total_gib: float
    free_gib: float


def read_free_memory() -> MemoryAtHand:
    """Of the machine and of every cgroup around this process, whichever leaves least."""
    total, free = _machine()
    for limit, taken in _cgroup_limits():
        total, free = min(total, limit), min(free, limit - taken)
    return MemoryAtHand(total_gib=total / GIB, free_gib=min(max(free, 0), total) / GIB)


def _machine() -> tuple[int, int]:
    """Bytes (total, available)."""
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
    """Bytes (limit, taken and not given back on demand) of every cgroup around this process that has a limit."""
    for folder, (limit_file, usage_file, cache_field) in _own_cgroups():
        limit = folder / limit_file
        text = limit.read_text(encoding="ascii").strip() if limit.exists() else ""
        if text.isdigit():
            usage, stat = folder / usage_file, folder / "memory.stat"
            taken = int(usage.read_text(encoding="ascii")) if usage.exists() else 0
            cache = _field(stat.read_text(encoding="ascii"), cache_field) if stat.exists() else 0
            yield int(text), max(0, taken - cache)


def _own_cgroups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The folder of this process's cgroup and of all above it, in either version of the interface.

    In a container the path may be that of the host, which is not there: the mounted root is the container's own then.
    """
    for mounted, files, controller in ((CGROUPS, _V2, ""), (CGROUPS / "memory", _V1, "memory")):
        parts = _own_path(controller)
        for depth in range(len(parts), -1, -1):
            folder = mounted.joinpath(*parts[:depth])
            if folder.is_dir():
                yield folder, files


def _own_path(controller: str) -> tuple[str, ...]:
    """Parts of the path of this process's cgroup; none where it is the root, or not below what can be seen."""
    lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines() if OWN_CGROUPS.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", maxsplit=2)
        if controller in controllers.split(","):
            parts = tuple(part for part in path.split("/") if part)
            return () if ".." in parts else parts
    return ()


def _field(text: str, name: str) -> int:
    """Of lines `name value`; 0 where it is not listed."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == name:
            return int(words[1])
    return 0
