"""Sensors: what each says in its own format, and that none of their failures is taken for a temperature."""

from __future__ import annotations

import math
import os
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.execution.thermometer import (
    CombinedThermometer,
    Hwmon,
    NvidiaSmi,
    Powermetrics,
    Thermometer,
    parse_nvidia_smi,
    parse_powermetrics,
    reading_of,
    thermal_level,
    thermometer_for,
    unknown_reading,
)

# As `sudo powermetrics --samplers smc -n 1` prints on an Intel Mac.
INTEL = """Machine model: iMac19,1
OS version: 20D91
Boot time: Fri Apr  2 15:20:37 2021

*** Sampled system activity (Wed Apr  7 21:22:39 2021 -0400) (204.16ms elapsed) ***

**** SMC sensors ****

CPU Thermal level: 68
GPU Thermal level: 0
Fan: 1198 rpm
CPU die temperature: 87.42 C
GPU die temperature: 41.00 C
CPU Plimit: 0.00
Number of prochots: 0
"""
# As `sudo powermetrics --samplers thermal -n 1` prints on Apple silicon.
APPLE_SILICON = """Machine model: Mac14,2
OS version: 23F79

*** Sampled system activity (Mon Jul  1 10:00:00 2024 +0200) (205.02ms elapsed) ***


**** Thermal pressure ****

Current pressure level: {level}
"""


class FixedThermometer:
    """A thermometer that always says the same."""

    def __init__(self, reading: TemperatureReading) -> None:
        self._reading = reading

    def read(self) -> TemperatureReading:
        return self._reading


@pytest.mark.parametrize(
    ("celsius", "level"),
    [
        (20.0, ThermalLevel.NORMAL),
        (69.9, ThermalLevel.NORMAL),
        (70.0, ThermalLevel.ACCEPTABLE),
        (84.9, ThermalLevel.ACCEPTABLE),
        (85.0, ThermalLevel.WARNING),
        (94.9, ThermalLevel.WARNING),
        (95.0, ThermalLevel.CRITICAL),
        (110.0, ThermalLevel.CRITICAL),
    ],
)
def test_a_reading_has_the_level_of_its_range(celsius: float, level: ThermalLevel) -> None:
    assert thermal_level(celsius) is level
    assert reading_of(celsius, "here") == TemperatureReading(level=level, celsius=celsius, source="here")


@pytest.mark.parametrize("celsius", [-1.0, 0.0, math.nan, math.inf, 4000.0])
def test_a_failed_reading_is_unknown_and_never_normal(celsius: float) -> None:
    assert thermal_level(celsius) is thermal_level(None) is ThermalLevel.UNKNOWN
    assert reading_of(celsius, "here").celsius is None


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_this_machine_gives_a_plausible_reading_or_says_why_not(device: str) -> None:
    reading = thermometer_for(device).read()
    assert reading.source
    assert (reading.level is ThermalLevel.UNKNOWN) == (reading.celsius is None)


def hwmon(monkeypatch: pytest.MonkeyPatch, **chips: list[float | None]) -> TemperatureReading:
    """What is read where hwmon offers these sensors."""
    entries = {
        chip: [SimpleNamespace(label=f"Core {number}", current=celsius) for number, celsius in enumerate(found)]
        for chip, found in chips.items()
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: entries, raising=False)
    return Hwmon().read()


def test_the_hottest_core_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hwmon(monkeypatch, coretemp=[60.0, 71.5, None, 64.0]) == reading_of(71.5, "coretemp Core 1")


def test_a_loose_pin_of_the_mainboard_does_not_count_beside_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hwmon(monkeypatch, nct6775=[127.0], k10temp=[55.0]).celsius == 55.0
    assert hwmon(monkeypatch, acpitz=[48.0]).celsius == 48.0


def test_a_broken_core_beside_a_good_one_leaves_the_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hwmon(monkeypatch, coretemp=[-1.0, 50.0, 0.0]).celsius == 50.0
    assert hwmon(monkeypatch, coretemp=[-1.0]).level is ThermalLevel.UNKNOWN


def test_no_sensor_and_a_system_without_any_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hwmon(monkeypatch) == unknown_reading("the system offers no sensor")
    monkeypatch.delattr(psutil, "sensors_temperatures")
    assert Hwmon().read().level is ThermalLevel.UNKNOWN


def test_the_hottest_gpu_counts() -> None:
    assert parse_nvidia_smi("0, 45\n1, 88\n2, [N/A]\n") == reading_of(88.0, "GPU 1")
    assert parse_nvidia_smi("0, [N/A]\n").level is ThermalLevel.UNKNOWN


def test_a_mac_with_intel_says_degrees() -> None:
    assert parse_powermetrics(INTEL) == reading_of(87.42, "CPU die")


@pytest.mark.parametrize(
    ("pressure", "level"),
    [
        ("Nominal", ThermalLevel.NORMAL),
        ("Moderate", ThermalLevel.ACCEPTABLE),
        ("Heavy", ThermalLevel.WARNING),
        ("Trapping", ThermalLevel.CRITICAL),
        ("Sleeping", ThermalLevel.CRITICAL),
        ("Confused", ThermalLevel.UNKNOWN),
    ],
)
def test_a_mac_with_apple_silicon_says_a_pressure_and_no_degrees(pressure: str, level: ThermalLevel) -> None:
    reading = parse_powermetrics(APPLE_SILICON.format(level=pressure))
    assert (reading.level, reading.celsius) == (level, None)


def command(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of this name first on PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_apple_silicon_is_asked_for_its_pressure_when_it_knows_no_smc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recorded").write_text(APPLE_SILICON.format(level="Heavy"))
    knows = f'case "$*" in *thermal*) cat {tmp_path}/recorded;; *) echo "unrecognized sampler: smc" >&2; exit 64;; esac'
    command(tmp_path, "sudo", knows, monkeypatch)
    assert Powermetrics().read().level is ThermalLevel.WARNING


@pytest.mark.parametrize(
    ("name", "sensor", "script", "why"),
    [
        ("sudo", Powermetrics(), 'echo "sudo: a password is required" >&2; exit 1', "a password is required"),
        ("nvidia-smi", NvidiaSmi(), "echo NVIDIA-SMI has failed; exit 9", "NVIDIA-SMI has failed"),
        ("nvidia-smi", NvidiaSmi(), "exit 3", "exit code 3"),
        ("nvidia-smi", NvidiaSmi(), "exec sleep 30", "timed out"),
    ],
)
def test_a_command_that_fails_or_hangs_is_unknown_and_says_why(
    name: str, sensor: Thermometer, script: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsladder.execution.thermometer._COMMAND_SECONDS", 0.5)
    command(tmp_path, name, script, monkeypatch)
    reading = sensor.read()
    assert reading.level is ThermalLevel.UNKNOWN
    assert why in reading.source


def test_a_command_that_is_not_there_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert NvidiaSmi().read().level is ThermalLevel.UNKNOWN


def test_what_the_gpu_cannot_say_is_not_known_from_the_processor() -> None:
    cool, hot, silent = reading_of(40.0, "CPU"), reading_of(96.0, "CPU"), unknown_reading("no GPU sensor")
    gpu = reading_of(72.0, "GPU 0")
    assert CombinedThermometer(FixedThermometer(silent), FixedThermometer(cool)).read() == silent
    assert CombinedThermometer(FixedThermometer(silent), FixedThermometer(hot)).read() == hot
    assert CombinedThermometer(FixedThermometer(gpu), FixedThermometer(hot)).read() == hot
    assert CombinedThermometer(FixedThermometer(gpu), FixedThermometer(cool)).read() == gpu
    assert CombinedThermometer(FixedThermometer(gpu), FixedThermometer(silent)).read() == gpu
