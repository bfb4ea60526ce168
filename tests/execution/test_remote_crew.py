"""A crew of places that come, are refused, become hot, and die; the places compute in this process."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.building import job, settings, windows
from tests.execution.places import CODE, MACHINE, VERSIONS, InstantPlace, ThreadFleet, crew_on, description, soon

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.data.windows import FoldWindows
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Ended, Event, JobOrder, Lost, Progress
from tsladder.execution.place_messages import Answer, Hold, Pause, Release, Resume, Start
from tsladder.execution.remote_crew import PlaceState, RemoteCrew
from tsladder.vocabulary import StopReason

FOLD = FoldWindows(train=windows(40, seed=1), validation=windows(20, seed=2))
JOB = job(settings=settings(epochs=3))


class HotPlace(InstantPlace):
    """Reports `celsius` besides."""

    celsius = 97.0

    def step(self, commands: object, timeout: float) -> Answer:
        level = ThermalLevel.CRITICAL if self.celsius >= 95 else ThermalLevel.NORMAL
        reading = TemperatureReading(level=level, celsius=self.celsius, source="a sensor")
        answer = super().step(commands, timeout)  # type: ignore[arg-type]
        return dataclasses.replace(answer, reading=reading, hot=None if self.celsius < 95 else str(reading))


@pytest.fixture
def opened() -> Iterator[list[RemoteCrew]]:
    crews: list[RemoteCrew] = []
    yield crews
    for crew in crews:
        crew.end_now()


def crew_of(opened: list[RemoteCrew], fleet: ThreadFleet, **how: object) -> RemoteCrew:
    crew = crew_on(fleet, **how)  # type: ignore[arg-type]
    opened.append(crew)
    crew.hold([FOLD])
    return crew


def start(crew: RemoteCrew, number: int, *, attempt: int = 1, place: str | None = None, workers: int = 1) -> None:
    slot = next(slot for slot in crew.free(workers) if place in (None, slot.place))
    crew.start(JobOrder(number=number, job=JOB, attempt=attempt), slot)


def heard(crew: RemoteCrew, until: Callable[[list[Event]], bool]) -> list[Event]:
    events: list[Event] = []
    deadline = time.monotonic() + 20.0
    while not until(events):
        assert time.monotonic() < deadline, events
        events.extend(crew.events(timeout=0.1))
    return events


def test_slots_are_offered_where_there_is_most_room(opened: list[RemoteCrew]) -> None:
    places = {"a": InstantPlace(), "b": InstantPlace()}
    crew = crew_of(opened, ThreadFleet(dict(places)))
    for place in places.values():
        place.held_back = True
    assert [slot.place for slot in crew.free(2)] == ["a", "b", "a", "b"]
    start(crew, 0, workers=2)
    assert [slot.place for slot in crew.free(2)] == ["b", "a", "b"]
    start(crew, 1, workers=1)
    assert [slot.place for slot in crew.free(2)] == ["a"]


def test_the_jobs_of_a_place_that_dies_are_lost_and_its_name_is_said(opened: list[RemoteCrew]) -> None:
    said: list[str] = []
    fleet = ThreadFleet({"a": InstantPlace(), "b": InstantPlace()})
    crew = crew_of(opened, fleet, said=said)
    fleet.places["a"].held_back = True  # type: ignore[attr-defined]
    start(crew, 0, place="a")
    fleet.kill("a")
    (lost,) = heard(crew, bool)
    assert isinstance(lost, Lost)
    assert (lost.number, lost.attempt) == (0, 1)
    assert "a is lost" in lost.reason
    assert crew.running == ()
    assert {slot.place for slot in crew.free(1)} == {"b"}
    assert [line for line in said if line.startswith("a is lost")]


def test_what_a_lost_place_says_later_is_not_heard_and_the_next_attempt_is(opened: list[RemoteCrew]) -> None:
    fleet = ThreadFleet({"a": InstantPlace(), "b": InstantPlace()})
    crew = crew_of(opened, fleet)
    place = fleet.places["a"]
    place.held_back = True  # type: ignore[attr-defined]
    start(crew, 0, place="a")
    late = fleet.links["a"]
    crew._lose(next(one for one in crew._stations if one.link is late), "the network was away")
    # The place goes on for a while, as one does that was cut off.
    late.dead = False
    place.held_back = False  # type: ignore[attr-defined]
    start(crew, 0, attempt=2, place="b")
    events = heard(crew, lambda events: any(isinstance(event, Ended) for event in events))
    assert isinstance(events[0], Lost)
    assert {event.attempt for event in events[1:]} == {2}
    assert sum(isinstance(event, Ended) for event in events) == 1


def test_an_answer_about_an_attempt_that_does_not_run_is_dropped(opened: list[RemoteCrew]) -> None:
    class Confused(InstantPlace):
        def step(self, commands: object, timeout: float) -> Answer:
            answer = super().step(commands, timeout)  # type: ignore[arg-type]
            stale = tuple(dataclasses.replace(event, attempt=9) for event in answer.events)
            return dataclasses.replace(answer, events=(*stale, *answer.events))

    crew = crew_of(opened, ThreadFleet({"a": Confused()}))
    start(crew, 0)
    events = heard(crew, lambda _events: not crew.running)
    assert {event.attempt for event in events} == {1}
    assert [type(event) for event in events].count(Ended) == 1
    assert sum(isinstance(event, Progress) for event in events) == 3


def test_a_place_with_other_code_is_refused_by_name_once_and_gets_no_job(opened: list[RemoteCrew]) -> None:
    said: list[str] = []
    fleet = ThreadFleet({"a": InstantPlace(description(code="f00d" * 16)), "b": InstantPlace()})
    crew = crew_of(opened, fleet, said=said, places=1)
    assert {slot.place for slot in crew.free(4)} == {"b"}
    refused = [line for line in said if "refused" in line]
    assert len(refused) == 1
    assert refused[0].startswith("a is refused: it runs other code")
    assert {one.name: one.state for one in crew.places} == {"a": PlaceState.REFUSED, "b": PlaceState.READY}


def test_a_place_with_another_torch_is_refused_with_both_versions(opened: list[RemoteCrew]) -> None:
    said: list[str] = []
    other = InstantPlace(description(versions=VERSIONS | {"torch": "1.9"}))
    crew_of(opened, ThreadFleet({"a": other, "b": InstantPlace()}), said=said, places=1)
    assert [line for line in said if "torch 1.9 there, 2 here" in line]


def test_a_list_of_places_is_there_as_soon_as_all_have_answered_even_if_none_can_train(
    opened: list[RemoteCrew],
) -> None:
    other = InstantPlace(description(code="f00d" * 16))
    crew = RemoteCrew(ThreadFleet({"a": other}), code=CODE, versions=VERSIONS, patience=600.0, say=print)
    opened.append(crew)
    began = time.monotonic()
    (found,) = crew.wait_for_places(120.0, count=0)
    assert time.monotonic() - began < 60.0
    assert found.state is PlaceState.REFUSED


def test_a_place_that_joins_late_is_found_and_used(opened: list[RemoteCrew], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.execution.remote_crew.LOOK_SECONDS", 0.05)
    fleet = ThreadFleet({"a": InstantPlace()})
    crew = crew_of(opened, fleet)
    fleet.places["late"] = InstantPlace()
    heard(crew, lambda _events: any(slot.place == "late" for slot in crew.free(1)))
    start(crew, 0, place="late")
    assert isinstance(heard(crew, lambda _events: not crew.running)[-1], Ended)


def test_places_are_looked_for_again_within_ten_seconds() -> None:
    from tsladder.execution.remote_crew import LOOK_SECONDS

    assert LOOK_SECONDS < 10.0


def test_a_hot_place_gets_no_job_until_it_has_cooled(opened: list[RemoteCrew]) -> None:
    hot, cool = HotPlace(), HotPlace()
    cool.celsius = 60.0
    crew = crew_of(opened, ThreadFleet({"hot": hot, "cool": cool}))
    heard(crew, lambda _events: [slot.place for slot in crew.free(1)] == ["cool"])
    assert crew.read().level is ThermalLevel.NORMAL
    hot.celsius = 60.0
    heard(crew, lambda _events: {slot.place for slot in crew.free(1)} == {"cool", "hot"})


def test_the_thermometer_of_the_crew_is_critical_only_when_every_place_is(opened: list[RemoteCrew]) -> None:
    places = {"a": HotPlace(), "b": HotPlace()}
    places["b"].celsius = 71.0
    crew = crew_of(opened, ThreadFleet(dict(places)))
    heard(crew, lambda _events: crew.read().celsius == 97.0)
    assert crew.read().level is ThermalLevel.NORMAL
    places["b"].celsius = 96.0
    heard(crew, lambda _events: crew.read().level is ThermalLevel.CRITICAL)


def test_when_no_place_answers_for_too_long_it_says_what_to_start(opened: list[RemoteCrew]) -> None:
    fleet = ThreadFleet({"a": InstantPlace()})
    crew = crew_of(opened, fleet, patience=0.3)
    fleet.kill("a")
    with pytest.raises(WorkFailed, match=r"0 s \(hardware.patience\) at these places.*add a place"):
        heard(crew, lambda _events: False)


def test_a_crew_that_never_found_a_place_loses_its_patience_too() -> None:
    crew = RemoteCrew(ThreadFleet({}), code=CODE, versions=VERSIONS, patience=0.2, say=print)
    with pytest.raises(WorkFailed, match="no place has answered"):
        heard(crew, lambda _events: False)
    crew.end_now()


def test_samples_are_sent_to_a_place_with_its_first_job_on_them_and_released_there(opened: list[RemoteCrew]) -> None:
    place, idle = InstantPlace(), InstantPlace()
    fleet = ThreadFleet({"a": place, "b": idle})
    crew = crew_of(opened, fleet)
    again = crew.hold([FOLD])
    for number in range(3):
        start(crew, number, place="a")
        heard(crew, lambda _events: not crew.running)
    sent = [command for command in place.commands if isinstance(command, Hold | Start)]
    assert [type(command) for command in sent] == [Hold, Start, Start, Start]
    assert not [command for command in idle.commands if isinstance(command, Hold)]
    crew.release(0)
    assert fleet.forgotten == []  # the other number stands for the same samples
    crew.release(again)
    heard(crew, lambda _events: any(isinstance(command, Release) for command in place.commands))
    assert len(fleet.forgotten) == 1


def test_pausing_again_and_again_sends_one_command(opened: list[RemoteCrew]) -> None:
    place = InstantPlace()
    crew = crew_of(opened, ThreadFleet({"a": place}))
    for _ in range(3):
        crew.resume_all()
    for _ in range(3):
        crew.pause_all()
        list(crew.events(timeout=0.05))
    crew.resume_all()
    list(crew.events(timeout=0.2))
    assert [type(command) for command in place.commands if isinstance(command, Pause | Resume)] == [Pause, Resume]


def test_a_place_that_does_not_answer_is_lost(opened: list[RemoteCrew], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.execution.remote_crew.ANSWER_SECONDS", 0.1)
    monkeypatch.setattr("tsladder.execution.remote_crew._POLL_SECONDS", 0.1)

    class Hanging(InstantPlace):
        def step(self, commands: object, timeout: float) -> Answer:
            if any(isinstance(command, Start) for command in commands):  # type: ignore[attr-defined]
                time.sleep(1.0)
            return super().step(commands, timeout)  # type: ignore[arg-type]

    crew = crew_of(opened, ThreadFleet({"a": Hanging()}))
    start(crew, 0)
    (lost,) = heard(crew, bool)
    assert isinstance(lost, Lost)
    assert "has not answered" in lost.reason


def test_the_machine_of_a_crew_is_that_of_most_places(opened: list[RemoteCrew]) -> None:
    large = dataclasses.replace(MACHINE, cores=64)
    fleet = ThreadFleet(
        {
            "a": InstantPlace(description(large, kind="large")),
            "b": InstantPlace(description(kind="small")),
            "c": InstantPlace(description(kind="small")),
        }
    )
    crew = crew_of(opened, fleet)
    assert crew.machine() == MACHINE
    fleet.kill("b")
    fleet.kill("c")
    heard(crew, lambda _events: crew.machine() == large)


def test_a_stop_reaches_places_that_answer_later(opened: list[RemoteCrew], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsladder.execution.remote_crew.LOOK_SECONDS", 0.05)
    fleet = ThreadFleet({"a": InstantPlace()})
    crew = crew_of(opened, fleet)
    crew.stop_all()
    fleet.places["b"] = InstantPlace()
    heard(crew, lambda _events: any(slot.place == "b" for slot in crew.free(1)))
    start(crew, 0, place="b")
    *_, end = heard(crew, lambda _events: not crew.running)
    assert isinstance(end, Ended)
    assert end.outcome.stop_reason is StopReason.INTERRUPTED


def test_the_end_of_a_crew_ends_its_places_and_closes_the_fleet(tmp_path: Path) -> None:
    fleet = ThreadFleet({"a": InstantPlace()})
    crew = crew_on(fleet)
    crew.hold([FOLD])
    start(crew, 0)
    crew.end_now()
    assert fleet.closed
    soon(lambda: fleet.links["a"].dead)
