"""Fakes of what the thermal guard looks at: a thermometer that follows a script, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tsladder.execution.thermometer import TemperatureReading, reading_of, unknown_reading


def said(value: float | None) -> TemperatureReading:
    return unknown_reading("the sensor is dead") if value is None else reading_of(value, "script")


class Script:
    """A thermometer that says one value of `celsius` a reading (None: it fails), and the last one for ever.

    `on_read` is called at every reading.
    """

    def __init__(self, *celsius: float | None, on_read: Callable[[Script], None] | None = None) -> None:
        self._left: Iterator[float | None] = iter(celsius)
        self._last = celsius[-1]
        self._on_read = on_read
        self.asked = 0

    def read(self) -> TemperatureReading:
        self.asked += 1
        if self._on_read is not None:
            self._on_read(self)
        return said(next(self._left, self._last))


class Clock:
    """Seconds that pass when `advance` says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Lines:
    """Where a guard says what it says."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, text: str) -> None:
        self.said.append(text)

    def naming(self, word: str) -> Sequence[str]:
        return [line for line in self.said if word in line]
