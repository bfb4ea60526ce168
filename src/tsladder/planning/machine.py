"""Survey the machine at hand, and lay out a cell's trainings on it. Nothing here belongs to the question."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.errors import BadInput
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.calibration import machine_identity, read_calibration
from tsladder.planning.duration import DEFAULT_RATES, Rates
from tsladder.planning.free_memory import AvailableMemory, read_free_memory
from tsladder.planning.memory import (
    DEFAULT_CALIBRATION,
    GIB,
    HEADROOM,
    NO_PANEL,
    Calibration,
    HeldPanel,
    resting_memory_gib,
)

CPUINFO = Path("/proc/cpuinfo")
RESERVE_GIB = 1.0
"""Memory left to the stage itself and to other programs that grow while it trains; never more than half of the
memory."""

SIDE_BY_SIDE_BELOW = 50_000_000
"""Parameter count below which models train fastest one per core on a CPU, each on one thread; larger ones take every
core."""

_WORKING_SET_GIB = 0.5
"""Least room in GiB for the activations of each worker beside others: more workers than have that room do not help."""

SHARE_A_GPU_BELOW = 5_000_000
SMALL_MODELS_A_GPU = 4
"""Number of small models that share a GPU, which each alone would leave idle between kernels. Not measured yet:
docs/decisions.md."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Cores and memory that this process may use, and the device that trains.

    `memory_gib`: memory of the device to plan with; `held_by_others_gib`: how much more it would be if nothing else
    held memory now. `available`: total and free memory of the device; None: not read. `fast_bf16`: whether the device
    multiplies bf16 faster than fp32; None: unknown. `calibration`: measured on this machine, or the defaults; likewise
    `rates` on a CPU. On other devices `rates` is None until measured, and there is no forecast of time.
    """

    cores: int
    memory_gib: float
    device: str
    held_by_others_gib: float = 0.0
    available: AvailableMemory | None = None
    fast_bf16: bool | None = None
    calibration: Calibration = DEFAULT_CALIBRATION
    rates: Rates | None = None

    def share(self, workers: int, threads: int) -> float:
        """Return the share of one of `workers` trainings side by side: its `threads` on a CPU, elsewhere its fraction
        of the device."""
        return threads if self.device == "cpu" else 1.0 / workers

    @property
    def idle_gib(self) -> float:
        """Memory in GiB that would be planned with if nothing else held memory."""
        return self.memory_gib + self.held_by_others_gib


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionPlan:
    """Execution of trainings on a device: how many processes run side by side, with how many threads and how much
    memory each."""

    device: str
    workers: int
    threads: int
    memory_gib_each: float


def survey(hardware: HardwareParams, calibration_file: Path | None = None, *, ours_gib: float = 0.0) -> Machine:
    """Survey the machine under the hardware settings of params.yaml. A calibration of another machine is ignored.

    Memory is planned from what is free at this moment. `ours_gib`: what trainings of this project hold of a CPU's
    memory now; it counts as free, since they release it before others begin.

    Raises BadInput when a setting exceeds the machine, WorkFailed when `calibration_file` is damaged.
    """
    device = _device(hardware)
    available = _available_memory(device, ours_gib)
    requested = hardware.memory_gib
    if requested is not None and requested > available.total_gib:
        raise BadInput(
            f"hardware.memory_gib must not exceed what this machine offers ({available.total_gib:.1f} GiB), got "
            f"{requested:g}: lower it, or set null to take what is free"
        )
    memory = requested if requested is not None else less_reserve(available.free_gib)
    calibrated = None if calibration_file is None else read_calibration(calibration_file)
    own = calibrated if calibrated is not None and calibrated.machine == identity(device) else None
    return Machine(
        cores=usable_cores(),
        memory_gib=memory,
        held_by_others_gib=0.0 if requested is not None else less_reserve(available.total_gib) - memory,
        available=available,
        device=device,
        fast_bf16=_fast_bf16(device),
        calibration=own.memory if own is not None else DEFAULT_CALIBRATION,
        rates=own.rates if own is not None else DEFAULT_RATES if device == "cpu" else None,
    )


def identity(device: str) -> dict[str, Any]:
    """Return the identity by which a calibration of this machine is recognised."""
    return machine_identity(_processor(device), device)


def lay_out(
    spec: ModelSpec, machine: Machine, hardware: HardwareParams, *, panel: HeldPanel = NO_PANEL
) -> ExecutionPlan:
    """Lay out trainings of `spec` on `panel`: small models side by side, on one thread each or sharing a GPU; a large
    one alone on all there is.

    The number of workers decides what a search has seen when it draws, so it follows the machine's usual memory. Fewer
    train side by side only where the memory that is free now cannot hold them at the smallest micro-batch.
    """
    if hardware.workers != "auto":
        workers = hardware.workers
    elif machine.device == "cpu" and spec.n_params < SIDE_BY_SIDE_BELOW:
        resting = resting_memory_gib(spec, machine.calibration, panel=panel)
        room, carried = (
            int(machine.idle_gib / (resting + _WORKING_SET_GIB)),
            int(machine.memory_gib / (HEADROOM * resting)),
        )
        workers = max(1, min(machine.cores, room, carried))
    elif machine.device == "cuda" and spec.n_params < SHARE_A_GPU_BELOW:
        workers = min(SMALL_MODELS_A_GPU, machine.cores)
    else:
        workers = 1
    return ExecutionPlan(
        device=machine.device,
        workers=workers,
        threads=max(1, machine.cores // workers),
        memory_gib_each=machine.memory_gib / workers,
    )


def describe_memory(machine: Machine) -> str | None:
    """Describe free and total memory, and how much is planned with; None where memory was not read."""
    available = machine.available
    if available is None:
        return None
    where = "of the GPU's memory" if machine.device == "cuda" else "of memory"
    return (
        f"{available.free_gib:.1f} GiB free of {available.total_gib:.1f} GiB {where}; planned with "
        f"{machine.memory_gib:.1f} GiB"
    )


def scarce_memory_note(machine: Machine) -> str | None:
    """Return a warning where hardware.memory_gib is more than what is free now; None elsewhere.

    Without that setting no more memory is planned with than is free.
    """
    available = machine.available
    if available is None or machine.memory_gib <= available.free_gib:
        return None
    return (
        f"{available.free_gib:.1f} GiB are free now: hardware.memory_gib is {machine.memory_gib:g}, so end what holds "
        "the rest before training, or set it to null to plan with what is free"
    )


def slow_bf16_note(machine: Machine, precision: str) -> str | None:
    """Return a note on what bf16 costs where it is slower than fp32, and how to ask for the law in fp32; None
    elsewhere."""
    if precision == "fp32" or machine.fast_bf16 is not False:
        return None
    return (
        f"this processor multiplies bf16 no faster than fp32 (no AMX), so {precision} takes longer here: 1.2 to 1.7 "
        "times as long from 2M to 200M (benchmarks/README.md). The precision belongs to the question and stays; to ask "
        "the whole law in fp32: dvc exp run -S training.precision=fp32"
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fast_bf16(device: str) -> bool | None:
    if device == "cuda":
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu" or not CPUINFO.exists() or platform.machine() not in ("x86_64", "AMD64"):
        return None
    # avx512_bf16 alone is not enough: its products took 1.7 times as long as those in fp32.
    return "amx_bf16" in CPUINFO.read_text(encoding="utf-8", errors="replace")


def _processor(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    if CPUINFO.exists():
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
        named = re.search(r"^model name\s*: (.+)$", text, flags=re.MULTILINE)
        if named is not None:
            return named.group(1)
    return platform.processor() or platform.machine()


def _available_memory(device: str, ours_gib: float) -> AvailableMemory:
    if device == "cuda":
        import torch

        free, total = torch.cuda.mem_get_info()
        return AvailableMemory(total_gib=total / GIB, free_gib=free / GIB)
    read = read_free_memory()
    return dataclasses.replace(read, free_gib=min(read.total_gib, read.free_gib + ours_gib))


def less_reserve(gib: float) -> float:
    """Return how much of `gib` that are free is planned with."""
    return max(gib - RESERVE_GIB, gib / 2)


def needs_torch(hardware: HardwareParams) -> bool:
    """Check whether torch must be imported to know the device: only where a GPU can be present at all, since that takes
    seconds."""
    if hardware.device == "auto":
        return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
    return hardware.device != "cpu"


def _device(hardware: HardwareParams) -> str:
    requested = hardware.device
    if not needs_torch(hardware):
        return "cpu"
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        return "cuda" if present["cuda"] else "cpu"
    if not present[requested]:
        raise BadInput(
            f"hardware.device is {requested}, and torch {torch.__version__} finds none here: set auto or cpu"
        )
    return requested
