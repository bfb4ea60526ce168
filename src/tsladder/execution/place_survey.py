"""Survey a place: its machine, the code and the libraries there, and the kind of places whose numbers equal its own."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import platform
import socket
from pathlib import Path

import tsladder
from tsladder.execution.place_messages import PlaceDescription
from tsladder.params import HardwareParams
from tsladder.planning.machine import Machine, survey
from tsladder.planning.place_kinds import in_steps, kind_of

LIBRARIES = ("torch", "numpy")
"""Libraries that compute, whose versions must be the same everywhere."""


def describe_machine(
    hardware: HardwareParams, calibration_file: Path | None = None, *, cores: int | None = None
) -> PlaceDescription:
    """Describe the machine of this process as a place. `cores`: how many it may use at most; None: all that the process
    may.

    Memory is that of `hardware`, or what is free, in steps of a sixteenth: places that differ by a few programs in
    memory then lay out a training alike. Raises BadInput, WorkFailed as `survey` does.
    """
    machine = survey(hardware, calibration_file)
    if cores is not None:
        machine = dataclasses.replace(machine, cores=max(1, min(cores, machine.cores)))
    if hardware.memory_gib is None:
        machine = dataclasses.replace(machine, memory_gib=in_steps(machine.memory_gib))
    return description_of(machine)


def description_of(machine: Machine) -> PlaceDescription:
    """Describe `machine`, which is this process's own."""
    return PlaceDescription(
        machine=machine,
        kind=kind_of(machine),
        code=code_fingerprint(),
        versions=versions(),
        host=socket.gethostname(),
    )


def versions() -> dict[str, str]:
    """Return the versions of Python and of what computes, without the part that names a build for a device."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        found[name] = importlib.metadata.version(name).partition("+")[0]
    return found


def code_fingerprint() -> str:
    """Return the hash of the code of tsladder that this process runs."""
    package = Path(tsladder.__file__).parent
    content = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.json")]):
        content.update(f"{path.relative_to(package).as_posix()}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()
