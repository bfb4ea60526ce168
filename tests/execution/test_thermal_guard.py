"""The rule of the thermal guard through all levels and through failure, without a clock, a sensor or a worker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.execution.thermal import Clock, Lines, Script, reading_for

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.execution.thermal_guard import (
    LONGEST_WAIT_SECONDS,
    READ_EVERY_SECONDS,
    Action,
    GuardState,
    Heat,
    ThermalWatch,
    step,
)

GO, PAUSE, STOP = Action.GO, Action.PAUSE, Action.STOP


def actions(*celsius: float | None, working: bool = True, every: float = 10.0) -> list[Action]:
    """What is done after each of these readings."""
    state, done = GuardState(), []
    for number, value in enumerate(celsius):
        state = step(state, reading_for(value), number * every, working=working)
        done.append(state.action)
    return done


def test_all_four_levels() -> None:
    assert actions(50.0, 69.9, 70.0, 84.9, 85.0, 94.9, 95.0) == [GO, GO, GO, GO, PAUSE, PAUSE, STOP]


def test_a_pause_ends_when_it_is_clearly_cooler_and_not_at_the_limit() -> None:
    assert actions(85.0, 84.0, 80.0, 79.9, 84.0, 85.0) == [PAUSE, PAUSE, PAUSE, GO, GO, PAUSE]


def test_a_sensor_that_never_answers_pauses_nothing() -> None:
    assert actions(None, None, None) == [GO, GO, GO]


def test_a_failed_reading_neither_begins_nor_ends_a_pause() -> None:
    assert actions(60.0, None, 86.0, None, None, 70.0) == [GO, GO, PAUSE, PAUSE, PAUSE, GO]


def test_a_pause_whose_sensor_died_ends_after_a_while() -> None:
    assert actions(86.0, None, None, every=LONGEST_WAIT_SECONDS / 2) == [PAUSE, PAUSE, GO]


def test_a_critical_temperature_stops_also_what_is_paused() -> None:
    assert actions(86.0, 96.0) == [PAUSE, STOP]


def test_work_that_has_not_begun_waits_for_a_machine_that_others_heated_and_not_for_ever() -> None:
    assert actions(96.0, 97.0, 84.0, 79.0, working=False) == [PAUSE, PAUSE, PAUSE, GO]
    assert actions(96.0, 96.0, 96.0, working=False, every=LONGEST_WAIT_SECONDS / 2) == [PAUSE, PAUSE, STOP]


def test_a_level_without_degrees_pauses_and_resumes_too() -> None:
    heavy = TemperatureReading(level=ThermalLevel.WARNING, celsius=None, source="thermal pressure Heavy")
    moderate = TemperatureReading(level=ThermalLevel.ACCEPTABLE, celsius=None, source="thermal pressure Moderate")
    paused = step(GuardState(), heavy, 0.0, working=True)
    assert (paused.action, step(paused, moderate, 10.0, working=True).action) == (PAUSE, GO)


@given(st.lists(st.one_of(st.none(), st.floats(min_value=-50.0, max_value=200.0))))
def test_only_a_known_reading_above_the_limits_pauses_or_stops(script: list[float | None]) -> None:
    state = GuardState()
    for number, value in enumerate(script):
        before, state = state, step(state, reading_for(value), 10.0 * number, working=True)
        known = value is not None and 0.0 < value < 150.0
        if state.action is not before.action and state.action is not GO:
            assert known
            assert value is not None
            assert value >= (85.0 if state.action is PAUSE else 95.0)
        if known and value is not None:
            assert (state.action is STOP) == (value >= 95.0)
            assert value < 85.0 or state.action is not GO


def watched(*celsius: float | None) -> tuple[ThermalWatch, Script, Clock, Lines]:
    script, clock, lines = Script(*celsius), Clock(), Lines()
    return ThermalWatch(script, lines, clock=clock), script, clock, lines


def test_the_thermometer_is_read_on_a_timer_however_often_one_looks() -> None:
    watch, script, clock, _ = watched(50.0)
    for _ in range(1000):
        watch.update([0])
        clock.advance(0.1)
    assert script.reads == 100.0 / READ_EVERY_SECONDS


def test_every_job_keeps_what_it_went_through() -> None:
    watch, _, clock, _ = watched(50.0, 88.0, 92.0, 75.0, 76.0)
    watch.update([])
    watch.begin(0)
    for action in (PAUSE, PAUSE, GO):
        clock.advance(10.0)
        assert watch.update([0]) is action
    watch.begin(1)
    clock.advance(10.0)
    watch.update([0, 1])
    assert watch.end(0) == Heat(level=ThermalLevel.WARNING, max_celsius=92.0, pauses=1, paused_seconds=20.0)
    assert watch.end(1) == Heat(level=ThermalLevel.ACCEPTABLE, max_celsius=76.0)


def test_a_job_shorter_than_the_timer_has_the_reading_that_it_began_with() -> None:
    watch, _, clock, _ = watched(71.0)
    watch.update([])
    clock.advance(1.0)
    watch.begin(0)
    assert watch.end(0) == Heat(level=ThermalLevel.ACCEPTABLE, max_celsius=71.0)


def test_what_is_not_known_is_reported_once_and_recorded_as_unknown() -> None:
    watch, _, clock, lines = watched(None)
    watch.begin(0)
    for _ in range(5):
        assert watch.update([0]) is GO
        clock.advance(10.0)
    assert len(lines.messages) == 1
    assert lines.naming("the sensor is dead")
    assert watch.end(0) == Heat(level=ThermalLevel.UNKNOWN, max_celsius=None, pauses=0, paused_seconds=0.0)


def test_a_pause_and_its_end_are_reported_with_the_reading_and_a_long_one_again_and_again() -> None:
    watch, _, clock, lines = watched(*[86.0] * 130, 60.0)
    for _ in range(131):
        watch.update([0])
        clock.advance(10.0)
    assert len(lines.naming("86 °C (script)")) == 3
    assert lines.naming("60 °C")[0].endswith("1300 s")


def test_what_was_asked_to_stop_is_paused_no_longer_and_a_critical_temperature_still_ends_it() -> None:
    watch, _, clock, lines = watched(86.0, 87.0, 96.0)
    assert watch.update([0]) is PAUSE
    clock.advance(1.0)
    assert watch.update([0], stopping=True) is GO
    clock.advance(10.0)
    assert watch.update([0], stopping=True) is GO
    clock.advance(10.0)
    assert watch.update([0], stopping=True) is STOP
    assert watch.end(0) == Heat(level=ThermalLevel.CRITICAL, max_celsius=96.0, pauses=1, paused_seconds=1.0)
    assert len(lines.naming("paused until")) == 1
