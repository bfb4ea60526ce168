"""Thermal guard: decide from the machine's temperature whether training goes on, pauses until it is cooler, or stops.

`step` is the rule, a pure function; `ThermalWatch` reads a thermometer on a timer, never per batch, adds the pause that
the user asks for by hand, and keeps the heat record of each job.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from tsladder.artifacts.heat import NO_HEAT, Heat, TemperatureReading, ThermalLevel
from tsladder.execution.thermometer import WARNING_FROM_CELSIUS, Thermometer

READ_EVERY_SECONDS = 10.0

RESUME_BELOW_CELSIUS = WARNING_FROM_CELSIUS - 5.0
"""Temperature below which a pause ends. It is lower than the warning level because a processor cools by several degrees
within seconds of a pause, and training would otherwise flutter around the limit."""

LONGEST_WAIT_SECONDS = 300.0
"""Longest time for which a pause goes on without any reading, and for which work that has not begun waits at the
critical level."""

_REMIND_SECONDS = 600.0


class Action(StrEnum):
    """Action on the workers: let them run, suspend them where they stand, or end them."""

    GO = "go"
    PAUSE = "pause"
    STOP = "stop"


class Pause(StrEnum):
    """Reason of a pause. MANUAL takes precedence over HEAT, so that a user who asks for a pause sees the request
    confirmed."""

    HEAT = "heat"
    MANUAL = "by hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardState:
    """State of the thermal guard: the current action, and two instants (seconds of the caller's clock) that limit its
    duration.

    `known_at`: time of the last reading with a known level. `critical_since`: time at which a critical level was first
    read with no worker running; None: it is not critical.
    """

    action: Action = Action.GO
    known_at: float | None = None
    critical_since: float | None = None


def step(state: GuardState, reading: TemperatureReading, now: float, *, working: bool) -> GuardState:
    """Return the state after `reading` at time `now`. `working`: one of our workers exists, running or suspended.

    A critical level ends the work; if no work has begun, the heat is not ours, so the guard waits. A warning level
    pauses. An unknown level is a sign neither of heat nor of cooling and changes nothing for a while; a pause whose
    sensor stays silent then ends, since its workers have long stood still.
    """
    level = reading.level
    if level is ThermalLevel.UNKNOWN:
        silent = state.known_at is None or now - state.known_at >= LONGEST_WAIT_SECONDS
        return replace(state, action=Action.GO if silent else state.action)
    if level is ThermalLevel.CRITICAL:
        since = None if working else now if state.critical_since is None else state.critical_since
        patient = since is not None and now - since < LONGEST_WAIT_SECONDS
        return GuardState(action=Action.PAUSE if patient else Action.STOP, known_at=now, critical_since=since)
    hot = level is ThermalLevel.WARNING
    still_warm = reading.celsius is not None and reading.celsius >= RESUME_BELOW_CELSIUS
    pause = hot or (still_warm and state.action is Action.PAUSE)
    return GuardState(action=Action.PAUSE if pause else Action.GO, known_at=now)


class ThermalWatch:
    """Thermal watch on the jobs of a crew: it reads `thermometer` every READ_EVERY_SECONDS of `clock` (seconds) and
    reports pauses and their ends to `say`."""

    def __init__(
        self, thermometer: Thermometer, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._thermometer = thermometer
        self._say = say
        self._clock = clock
        self._state = GuardState()
        self._reading: TemperatureReading | None = None
        self._next_reading = self._last_update = clock()
        self._pause: Pause | None = None
        self._paused_at = self._reminded_at = 0.0
        self._unknown_reported = False
        self._heats: dict[int, Heat] = {}

    @property
    def reading(self) -> TemperatureReading | None:
        """Last temperature reading; None before the first one."""
        return self._reading

    @property
    def pause(self) -> Pause | None:
        """Reason of the pause that the last call of `update` asked for; None if it asked for none."""
        return self._pause

    def update(self, running: Collection[int], *, stopping: bool = False, pause_requested: bool = False) -> Action:
        """Return the action on the jobs `running`, to be carried out until the next call; the time since the last call
        counts as paused if that call asked for a pause.

        `pause_requested`: the user wants the jobs paused. `stopping`: they are about to end anyway, so they are not
        paused; a critical temperature ends them in either case.
        """
        now = self._clock()
        if self._pause is not None:
            self._count_pause(running, now - self._last_update)
        self._last_update = now
        state = self._state
        if self._reading is None or now >= self._next_reading:
            self._next_reading = now + READ_EVERY_SECONDS
            self._reading = self._thermometer.read()
            state = step(state, self._reading, now, working=bool(running))
            for number in running:
                self._heats[number] = self._heat(number).read(self._reading)
        if stopping and state.action is Action.PAUSE:
            state = replace(state, action=Action.GO)
        self._state = state
        self._set_pause(
            self._requested_pause(pause_requested=pause_requested and not stopping), self._reading, now, running
        )
        return state.action if self._pause is None else Action.PAUSE

    def _requested_pause(self, *, pause_requested: bool) -> Pause | None:
        if self._state.action is Action.STOP:
            return None
        if pause_requested:
            return Pause.MANUAL
        return Pause.HEAT if self._state.action is Action.PAUSE else None

    def begin(self, number: int) -> None:
        """Begin the heat record of job `number`, which starts now; the last reading is at most READ_EVERY_SECONDS
        old."""
        self._heats[number] = self._heat(number)

    def end(self, number: int) -> Heat:
        """Return the heat record of job `number`, which has ended."""
        heat = self._heat(number)
        self._heats.pop(number, None)
        return heat

    def _heat(self, number: int) -> Heat:
        if number in self._heats:
            return self._heats[number]
        return NO_HEAT if self._reading is None else NO_HEAT.read(self._reading)

    def _count_pause(self, running: Collection[int], seconds: float) -> None:
        for number in running:
            heat = self._heat(number)
            self._heats[number] = replace(heat, paused_seconds=heat.paused_seconds + seconds)

    def _set_pause(
        self, pause: Pause | None, reading: TemperatureReading, now: float, running: Collection[int]
    ) -> None:
        before, self._pause = self._pause, pause
        if reading.level is ThermalLevel.UNKNOWN and not self._unknown_reported:
            self._unknown_reported = True
            self._say(f"{reading}: training is not paused or stopped for heat until the temperature can be read")
        if before is None and pause is not None:
            self._paused_at = now
            for number in running:
                heat = self._heat(number)
                self._heats[number] = replace(heat, pauses=heat.pauses + 1)
        lasted = f"{now - self._paused_at:.0f} s"
        if pause is Pause.MANUAL and before is not Pause.MANUAL:
            self._say("paused by hand")
        elif pause is Pause.HEAT and before is not Pause.HEAT:
            self._reminded_at = now
            self._say(f"{reading}: paused until it is cooler")
        elif pause is Pause.HEAT and now - self._reminded_at >= _REMIND_SECONDS:
            self._reminded_at = now
            self._say(f"{reading}: still paused, for {lasted} now")
        elif pause is None and before is Pause.HEAT and self._state.action is Action.GO:
            self._say(f"{reading}: resumed after a pause of {lasted}")
        elif pause is None and before is Pause.MANUAL and self._state.action is Action.GO:
            self._say(f"resumed after a pause of {lasted}")
