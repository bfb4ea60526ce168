from __future__ import annotations

import math

import pytest

from tsladder.training.guards import ThermalLevel, read_celsius, thermal_level


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


@pytest.mark.parametrize("celsius", [None, -1.0, 0.0, math.nan, math.inf, 4000.0])
def test_a_failed_reading_is_unknown_and_never_normal(celsius: float | None) -> None:
    assert thermal_level(celsius) is ThermalLevel.UNKNOWN


def test_this_machine_gives_a_plausible_reading_or_none() -> None:
    celsius = read_celsius()
    assert celsius is None or thermal_level(celsius) is not ThermalLevel.UNKNOWN
