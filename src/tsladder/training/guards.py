"""Sensors of the machine. What cannot be read is unknown; it is never taken for normal."""

from __future__ import annotations

from enum import StrEnum

ACCEPTABLE_FROM_CELSIUS = 70.0
WARNING_FROM_CELSIUS = 85.0
CRITICAL_FROM_CELSIUS = 95.0
_PLAUSIBLE_CELSIUS = (0.0, 150.0)


class ThermalLevel(StrEnum):
    """How hot the machine is. UNKNOWN where no sensor answered."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    ACCEPTABLE = "acceptable"
    WARNING = "warning"
    CRITICAL = "critical"


def thermal_level(celsius: float | None) -> ThermalLevel:
    """Level of a reading. A failed one (None, or the -1 and 0 that broken sensors give) is UNKNOWN."""
    low, high = _PLAUSIBLE_CELSIUS
    if celsius is None or not low < celsius < high:
        return ThermalLevel.UNKNOWN
    if celsius >= CRITICAL_FROM_CELSIUS:
        return ThermalLevel.CRITICAL
    if celsius >= WARNING_FROM_CELSIUS:
        return ThermalLevel.WARNING
    return ThermalLevel.ACCEPTABLE if celsius >= ACCEPTABLE_FROM_CELSIUS else ThermalLevel.NORMAL


def read_celsius() -> float | None:
    """The hottest plausible sensor that psutil reads (Linux hwmon), None where there is none."""
    import psutil

    sensors = getattr(psutil, "sensors_temperatures", None)
    if sensors is None:
        return None
    low, high = _PLAUSIBLE_CELSIUS
    readings = [entry.current for entries in sensors().values() for entry in entries]
    return max((celsius for celsius in readings if celsius is not None and low < celsius < high), default=None)
