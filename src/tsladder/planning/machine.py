"""What the machine at hand offers, and how a cell is laid out on it. None of it belongs to the question."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tsladder.errors import BadInput
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.memory import GIB

RESERVE_GIB = 1.0
SIDE_BY_SIDE_BELOW = 5_000_000
"""Models smaller than this train fastest one a core, on one thread each; larger ones take every core."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Cores and memory that this process may use, and the device that trains."""

    cores: int
    memory_gib: float
    device: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionPlan:
    """How many training processes side by side, how many threads and how much memory each."""

    device: str
    workers: int
    threads: int
    memory_gib_each: float


def survey(hardware: HardwareParams) -> Machine:
    """Read the machine and the wishes of params.yaml. Raises BadInput when a wish exceeds the machine."""
    offered = _offered_gib()
    wished = hardware.memory_gib
    if wished is not None and wished > offered:
        raise BadInput(
            f"hardware.memory_gib must not exceed what this machine offers ({offered:.1f} GiB), got {wished:g}: "
            "lower it, or set null to take what is there"
        )
    memory = wished if wished is not None else max(offered - RESERVE_GIB, offered / 2)
    return Machine(cores=len(os.sched_getaffinity(0)), memory_gib=memory, device=_device(hardware.device))


def lay_out(spec: ModelSpec, machine: Machine, hardware: HardwareParams) -> ExecutionPlan:
    """Small models side by side on one thread each; a large one, or a GPU's, alone."""
    if hardware.workers != "auto":
        workers = hardware.workers
    elif machine.device == "cpu" and spec.n_params < SIDE_BY_SIDE_BELOW:
        workers = machine.cores
    else:
        workers = 1
    return ExecutionPlan(
        device=machine.device,
        workers=workers,
        threads=max(1, machine.cores // workers),
        memory_gib_each=machine.memory_gib / workers,
    )


def _offered_gib() -> float:
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        if path.exists():
            text = path.read_text().strip()
            if text.isdigit():
                limits.append(int(text))
    return min(limits) / GIB


def _device(wished: str) -> str:
    """Ask torch only where a GPU can be present at all: importing it takes seconds."""
    if wished == "cpu":
        return "cpu"
    has_driver = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    if wished == "auto" and not has_driver:
        return "cpu"
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wished == "auto":
        return "cuda" if present["cuda"] else "cpu"
    if not present[wished]:
        raise BadInput(f"hardware.device is {wished}, and torch {torch.__version__} finds none here: set auto or cpu")
    return wished
