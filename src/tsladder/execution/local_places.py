"""Places of this machine: one for each GPU that is visible, or one for its cores."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from tsladder.artifacts.trials import HERE
from tsladder.planning.free_memory import AvailableMemory
from tsladder.planning.machine import Machine, less_reserve
from tsladder.planning.memory import GIB
from tsladder.planning.place_kinds import in_steps, kind_of

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalPlace:
    """A place of this machine. `environment`: variables that a worker sets before it asks for a device. `kind`: as in
    `Slot`."""

    name: str
    machine: Machine
    kind: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def local_places(machine: Machine) -> tuple[LocalPlace, ...]:
    """Return the places of this machine, which `machine` describes: itself, or its GPUs where it has several."""
    visible = visible_gpus() if machine.device == "cuda" else []
    if len(visible) < 2:
        return (LocalPlace(name=HERE, machine=machine),)
    return tuple(_gpu(machine, number, name, count=len(visible)) for number, name in enumerate(visible))


def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    import torch

    count = torch.cuda.device_count()
    chosen = [name.strip() for name in environment.get(VISIBLE, "").split(",") if name.strip()]
    return chosen[:count] if chosen else [str(number) for number in range(count)]


def _gpu(machine: Machine, number: int, name: str, *, count: int) -> LocalPlace:
    """Return the place of GPU `number`, with its share of the cores, and no more memory than `machine`."""
    import torch

    free, total = torch.cuda.mem_get_info(number)
    memory = in_steps(min(machine.memory_gib, less_reserve(free / GIB)))
    own = dataclasses.replace(
        machine,
        cores=max(1, machine.cores // count),
        memory_gib=memory,
        available=AvailableMemory(total_gib=total / GIB, free_gib=free / GIB),
    )
    return LocalPlace(
        name=f"gpu{name}",
        machine=own,
        kind=kind_of(own, torch.cuda.get_device_name(number)),
        environment={VISIBLE: name},
    )
