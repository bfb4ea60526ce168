"""Temperature of the machine during training: thermometer readings, and the heat record of a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class ThermalLevel(StrEnum):
    """Thermal level of the machine, in order of severity. UNKNOWN if no sensor answered."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    ACCEPTABLE = "acceptable"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        return list(ThermalLevel).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemperatureReading:
    """One reading of a thermometer.

    `celsius` is None if the thermometer gave only a level, or nothing; `source` names the sensor, or says why none
    answered.
    """

    level: ThermalLevel
    celsius: float | None
    source: str

    def __str__(self) -> str:
        if self.level is ThermalLevel.UNKNOWN:
            return f"unknown temperature ({self.source})"
        return f"{self.level if self.celsius is None else f'{self.celsius:.0f} °C'} ({self.source})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heat:
    """Thermal record of a job.

    `level` and `max_celsius` are the highest read while the job ran (UNKNOWN and None if no sensor answered); `pauses`
    counts its pauses, for heat or by hand, and `paused_seconds` is their total length.
    """

    level: ThermalLevel = ThermalLevel.UNKNOWN
    max_celsius: float | None = None
    pauses: int = 0
    paused_seconds: float = 0.0

    def read(self, reading: TemperatureReading) -> Heat:
        known = [celsius for celsius in (self.max_celsius, reading.celsius) if celsius is not None]
        level = max(self.level, reading.level, key=lambda level: level.severity)
        return replace(self, level=level, max_celsius=max(known, default=None))

    def with_that_of(self, other: Heat) -> Heat:
        """Return the record of a job of which both are records, of its place and of its driver."""
        hotter = self.read(TemperatureReading(level=other.level, celsius=other.max_celsius, source=""))
        return replace(
            hotter, pauses=self.pauses + other.pauses, paused_seconds=self.paused_seconds + other.paused_seconds
        )


NO_HEAT = Heat()
"""Record of a job for which nothing was read."""
