"""Kinds of places: places of one kind lay out a training alike and compute it with the same device."""

from __future__ import annotations

import math

from tsladder.planning.machine import Machine, identity
from tsladder.planning.memory import DEFAULT_CALIBRATION

_STEPS_PER_DOUBLING = 16


def in_steps(gib: float) -> float:
    """Return `gib` rounded down to a sixteenth of the power of two below it: places that differ by a few programs in
    memory are then of one kind."""
    if gib <= 0:
        return gib
    step = 2.0 ** math.floor(math.log2(gib)) / _STEPS_PER_DOUBLING
    return math.floor(gib / step) * step


def kind_of(machine: Machine, device: str | None = None) -> str:
    """Return the kind of the place that `machine` is, in words. `device`: name of its device; None: that of this
    process."""
    words = [
        device or str(identity(machine.device)["processor"]),
        f"{machine.cores} core{'s' if machine.cores > 1 else ''}",
        f"{machine.memory_gib:g} GiB",
    ]
    if machine.calibration != DEFAULT_CALIBRATION:
        own = machine.calibration
        words.append(f"calibrated ({own.framework_gib:.3g} GiB, factor {own.activations:.3g})")
    return ", ".join(words)
