"""Temperature of the machine while a model trains: the values that are read and recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class ThermalLevel(StrEnum):
    """How hot the machine is, from least to most. UNKNOWN where no sensor answered."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    ACCEPTABLE = "acceptable"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        return list(ThermalLevel).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a thermometer said. `celsius` is None where it said a level alone, or nothing; `source` names the sensor, or
    why none answered."""

    level: ThermalLevel
    celsius: float | None
    source: str

    def __str__(self) -> str:
        if self.level is ThermalLevel.UNKNOWN:
            return f"unknown temperature ({self.source})"
        return f"{self.level if self.celsius is None else f'{self.celsius:.0f} °C'} ({self.source})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heat:
    """What a job went through: the highest level and temperature read while it ran (UNKNOWN and None where no sensor
    answered), how often it was paused, for heat or by hand, and for how many seconds in all."""

    level: ThermalLevel = ThermalLevel.UNKNOWN
    max_celsius: float | None = None
    pauses: int = 0
    paused_seconds: float = 0.0

    def read(self, reading: Reading) -> Heat:
        known = [celsius for celsius in (self.max_celsius, reading.celsius) if celsius is not None]
        level = max(self.level, reading.level, key=lambda level: level.severity)
        return replace(self, level=level, max_celsius=max(known, default=None))


NO_HEAT = Heat()
"""Of a job of which nothing was read."""
