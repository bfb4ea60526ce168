"""Thermometers: temperature of the machine from the sensors of its system. A failed reading is UNKNOWN, never NORMAL.

Linux: hwmon through psutil. NVIDIA GPUs: NVML through the command `nvidia-smi`, which comes with every driver, so there
is no dependency, and a driver that hangs costs a timeout, not the process. macOS: `sudo -n powermetrics`, tested on
recorded output only. Other systems: UNKNOWN.
"""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel

ACCEPTABLE_FROM_CELSIUS = 70.0
WARNING_FROM_CELSIUS = 85.0
CRITICAL_FROM_CELSIUS = 95.0
_PLAUSIBLE_CELSIUS = (0.0, 150.0)

_COMMAND_SECONDS = 5.0
"""Time after which a sensor's command counts as hung; `powermetrics` is asked for a sample of a fifth of a second."""

_CPU_CHIPS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")
"""hwmon names of processors. If one answers, other sensors are ignored: unconnected pins of mainboards report arbitrary
temperatures."""


class Thermometer(Protocol):
    """One sensor, or several."""

    def read(self) -> TemperatureReading:
        """Return the hottest reading. A failure is an UNKNOWN reading that says why, not an exception."""
        ...


def thermal_level(celsius: float | None) -> ThermalLevel:
    """Return the level of a temperature. A failed reading (None, or the -1 and 0 that broken sensors give) is
    UNKNOWN."""
    low, high = _PLAUSIBLE_CELSIUS
    if celsius is None or not low < celsius < high:
        return ThermalLevel.UNKNOWN
    if celsius >= CRITICAL_FROM_CELSIUS:
        return ThermalLevel.CRITICAL
    if celsius >= WARNING_FROM_CELSIUS:
        return ThermalLevel.WARNING
    return ThermalLevel.ACCEPTABLE if celsius >= ACCEPTABLE_FROM_CELSIUS else ThermalLevel.NORMAL


def reading_of(celsius: float, source: str) -> TemperatureReading:
    """Build a reading in degrees Celsius; an implausible one is UNKNOWN and keeps no number."""
    level = thermal_level(celsius)
    if level is ThermalLevel.UNKNOWN:
        return unknown_reading(f"{source} reports {celsius:g} °C, which is implausible")
    return TemperatureReading(level=level, celsius=celsius, source=source)


def unknown_reading(why: str) -> TemperatureReading:
    return TemperatureReading(level=ThermalLevel.UNKNOWN, celsius=None, source=why)


def hottest(readings: Iterable[TemperatureReading], otherwise: str) -> TemperatureReading:
    """Return the most severe of `readings`, and the highest among equals; UNKNOWN with the reason `otherwise` if there
    is none."""
    return max(readings, key=lambda r: (r.level.severity, r.celsius or 0.0), default=unknown_reading(otherwise))


class Hwmon:
    """Temperature sensors of the processor as psutil reads them (Linux hwmon); all sensors if the processor has
    none."""

    def read(self) -> TemperatureReading:
        import psutil

        sensors = getattr(psutil, "sensors_temperatures", None)
        if sensors is None:
            return unknown_reading(f"psutil reads no sensor on {platform.system()}")
        try:
            found = sensors()
        except (OSError, ValueError) as error:
            return unknown_reading(f"hwmon: {error}")
        chips = {chip: found[chip] for chip in found if chip in _CPU_CHIPS} or found
        return hottest(
            (
                reading_of(sensor.current, f"{chip} {sensor.label}".strip())
                for chip, entries in chips.items()
                for sensor in entries
                if sensor.current is not None
            ),
            otherwise="the system offers no sensor",
        )


class NvidiaSmi:
    """GPU temperatures through the command line of NVML: the hottest GPU of the machine counts, since they share a
    case."""

    COMMAND = ("nvidia-smi", "--query-gpu=index,temperature.gpu", "--format=csv,noheader,nounits")

    def read(self) -> TemperatureReading:
        reading = _output(self.COMMAND)
        return reading if isinstance(reading, TemperatureReading) else parse_nvidia_smi(reading)


def parse_nvidia_smi(text: str) -> TemperatureReading:
    """Parse lines of the form `index, degrees`; a GPU without a sensor has [N/A] in place of degrees."""
    found = re.findall(r"^(\d+), *(\d+)$", text, flags=re.MULTILINE)
    return hottest((reading_of(float(c), f"GPU {index}") for index, c in found), otherwise="nvidia-smi names no sensor")


class Powermetrics:
    """macOS sensors: die temperatures (Intel), else the thermal pressure (Apple silicon, which reports no degrees).

    Needs a sudo rule without password for /usr/bin/powermetrics. Tested on recorded output only.
    """

    SAMPLERS = ("smc", "thermal")

    def read(self) -> TemperatureReading:
        reading: TemperatureReading = unknown_reading("powermetrics was not asked")
        for sampler in self.SAMPLERS:
            text = _output(("sudo", "-n", "powermetrics", "--samplers", sampler, "-i", "200", "-n", "1"))
            reading = text if isinstance(text, TemperatureReading) else parse_powermetrics(text)
            if reading.level is not ThermalLevel.UNKNOWN:
                break
        return reading


_PRESSURE = {
    "Nominal": ThermalLevel.NORMAL,
    "Moderate": ThermalLevel.ACCEPTABLE,
    "Heavy": ThermalLevel.WARNING,
    "Trapping": ThermalLevel.CRITICAL,
    "Sleeping": ThermalLevel.CRITICAL,
}
"""Thermal pressure levels of macOS: at Heavy the system throttles, at Trapping it is about to go to sleep."""


def parse_powermetrics(text: str) -> TemperatureReading:
    """Parse lines of the form `CPU die temperature: 47.42 C` (sampler smc) and `Current pressure level: Heavy`
    (thermal)."""
    dies = re.findall(r"^(CPU|GPU) die temperature: (-?\d+(?:\.\d+)?) C\b", text, flags=re.MULTILINE)
    pressures = re.findall(r"^Current pressure level: (\w+)$", text, flags=re.MULTILINE)
    readings = [reading_of(float(celsius), f"{die} die") for die, celsius in dies]
    for pressure in pressures:
        level = _PRESSURE.get(pressure, ThermalLevel.UNKNOWN)
        readings.append(TemperatureReading(level=level, celsius=None, source=f"thermal pressure {pressure}"))
    return hottest(readings, otherwise="powermetrics names no temperature")


@dataclass(frozen=True, slots=True)
class CombinedThermometer:
    """Sensor of the device that trains, with another one beside it that counts only if it is too hot. If the device's
    own sensor fails, a normal reading of the other does not replace it."""

    own: Thermometer
    other: Thermometer

    def read(self) -> TemperatureReading:
        own, other = self.own.read(), self.other.read()
        worse = other.level.severity > own.level.severity
        return other if worse and other.level.severity >= ThermalLevel.WARNING.severity else own


class NoThermometer:
    """Thermometer of a system whose sensors tsladder does not read."""

    def read(self) -> TemperatureReading:
        return unknown_reading(f"tsladder reads no sensor on {platform.system()}")


def thermometer_for(device: str) -> Thermometer:
    """Return the sensors to watch while `device` (cpu, cuda or mps) trains on this system."""
    known: dict[str, Thermometer] = {"Linux": Hwmon(), "Darwin": Powermetrics()}
    system = known.get(platform.system(), NoThermometer())
    return CombinedThermometer(NvidiaSmi(), system) if device == "cuda" else system


def _output(command: Sequence[str]) -> str | TemperatureReading:
    """Return the output of `command`, or an UNKNOWN reading if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return unknown_reading(f"{command[0]}: {error}")
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        return unknown_reading(f"{' '.join(command[:3])}: {lines[0] if lines else f'exit code {done.returncode}'}")
    return done.stdout
