"""Fakes of what the thermal guard looks at: a thermometer that follows a script, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tsladder.execution.thermometer import TemperatureReading, reading_of, unknown_reading


def reading_for(value: float | None) -> TemperatureReading:
    return unknown_reading("the sensor is dead") if value is None else reading_of(value, "script")


class Script:
    """A thermometer that says one value of `celsius` a reading (None: it fails), and the last one for ever.

    `on_read` is called at every reading.
    """

    def __init__(self, *celsius: float | None, on_read: Callable[[Script], None] | None = None) -> None:
        self._left: Iterator[float | None] = iter(celsius)
        self._last = celsius[-1]
        self._on_read = on_read
        self.reads = 0

    def read(self) -> TemperatureReading:
        self.reads += 1
        if self._on_read is not None:
            self._on_read(self)
        return reading_for(next(self._left, self._last))


class Clock:
    """Clock that moves only by `advance`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Lines:
    """Collector of the messages of a guard."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, text: str) -> None:
        self.messages.append(text)

    def naming(self, word: str) -> Sequence[str]:
        return [line for line in self.messages if word in line]
