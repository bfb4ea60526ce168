"""Places in this process, which can be killed, and a fleet that reaches them through threads instead of a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.execution.instant import epoch_record, outcome_of
from tests.execution.thermal import Script

from tsladder.execution.crew import Ended, Event, Progress
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.place import Place
from tsladder.execution.place_messages import Answer, Command, End, FilePiece, PlaceDescription, Start, Stop
from tsladder.execution.remote_crew import RemoteCrew
from tsladder.planning.machine import Machine
from tsladder.training.outcome import ended_early
from tsladder.vocabulary import StopReason

CODE, VERSIONS = "c0de" * 16, {"python": "3", "torch": "2"}
MACHINE = Machine(cores=2, memory_gib=8.0, device="cpu")


def description(machine: Machine = MACHINE, **changes: Any) -> PlaceDescription:
    values = {"machine": machine, "kind": "a processor", "code": CODE, "versions": VERSIONS, "host": "a-host"}
    return PlaceDescription(**(values | changes))


class AnyPlace(Protocol):
    def describe(self) -> PlaceDescription: ...
    def step(self, commands: Sequence[Command], timeout: float) -> Answer: ...
    def wake(self) -> None: ...
    def end(self) -> None: ...


def real_place(machine: Machine = MACHINE, *, folder: Path | None = None, **changes: Any) -> Place:
    """A place with worker processes."""
    return Place(lambda: description(machine, **changes), thermometer=lambda _device: Script(50.0), folder=folder)


class InstantPlace:
    """A place whose jobs compute their curve from what they are, an epoch in each step.

    `kills`: numbers of the jobs that kill it. `held_back`: whether its jobs wait.
    """

    def __init__(
        self, about: PlaceDescription | None = None, *, kills: Callable[[int], bool] = lambda _n: False
    ) -> None:
        self.about = about or description()
        self.kills = kills
        self.held_back = False
        self.hot: str | None = None
        self.commands: list[Command] = []
        self._jobs: dict[int, tuple[Start, int]] = {}
        self._stopping = False
        self._woken = threading.Event()

    def describe(self) -> PlaceDescription:
        return self.about

    def step(self, commands: Sequence[Command], timeout: float) -> Answer:
        self.commands.extend(commands)
        for command in commands:
            if isinstance(command, Start):
                self._jobs[command.number] = command, 0
                if self.kills(command.number):
                    raise ConnectionError("the node is gone")
            self._stopping = self._stopping or isinstance(command, Stop)
            if isinstance(command, End):
                self._jobs.clear()
        if not self._jobs or self.held_back:
            self._woken.wait(min(timeout, 0.05))
            self._woken.clear()
        events: list[Event | FilePiece] = []
        if not self.held_back:
            events.extend([self._epoch(number) for number in list(self._jobs)])
        signs = {number: VitalSigns(silent_seconds=0.0, resident_gib=0.1) for number in self._jobs}
        return Answer(events=tuple(events), signs=signs, hot=self.hot)

    def _epoch(self, number: int) -> Event:
        start, done = self._jobs[number]
        if self._stopping:
            del self._jobs[number]
            return Ended(number, ended_early(start.job, StopReason.INTERRUPTED, 1.0, ""), start.attempt)
        outcome = outcome_of(start.job)
        if done == outcome.epochs_run:
            del self._jobs[number]
            return Ended(number, outcome, start.attempt)
        self._jobs[number] = start, done + 1
        return Progress(number, epoch_record(done + 1, outcome.curve[done][1]), start.attempt)

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self._jobs.clear()


@dataclass
class ThreadLink:
    """Calls a place in a thread of its own, one call after the other, as an actor does."""

    name: str
    place: AnyPlace
    dead: bool = False

    def describe(self) -> Future[PlaceDescription]:
        return self._call(self.place.describe)

    def step(self, commands: Sequence[Command], timeout: float) -> Future[Answer]:
        return self._call(lambda: self.place.step(list(commands), timeout))

    def wake(self) -> None:
        if not self.dead:
            self.place.wake()

    def end(self) -> None:
        self.dead = True
        threading.Thread(target=self.place.end, daemon=True).start()

    def _call(self, what: Callable[[], Any]) -> Future[Any]:
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                if self.dead:
                    raise ConnectionError("it was killed")
                result = what()
                if self.dead:
                    raise ConnectionError("it was killed")
                answer.set_result(result)
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return answer


@dataclass
class ThreadFleet:
    """Fleet of the `places`, by name; `add` lets one join."""

    places: dict[str, AnyPlace]
    links: dict[str, ThreadLink] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    closed: bool = False
    where = "these places"
    how_to_start = "add a place"

    def look(self) -> Sequence[ThreadLink]:
        new = [ThreadLink(name, place) for name, place in self.places.items() if name not in self.links]
        self.links.update({link.name: link for link in new})
        return new

    def kill(self, name: str) -> None:
        """Kill a place as a node dies: no call of it answers any more, and it does not come back."""
        del self.places[name]
        self.links[name].dead = True
        self.links[name].place.wake()

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def close(self) -> None:
        self.closed = True


def crew_on(
    fleet: ThreadFleet, *, patience: float = 600.0, said: list[str] | None = None, places: int | None = None
) -> RemoteCrew:
    """Return the crew of a fleet, once its places have answered."""
    lines = [] if said is None else said
    crew = RemoteCrew(fleet, code=CODE, versions=VERSIONS, patience=patience, say=lines.append)
    crew.wait_for_places(10.0, count=len(fleet.places) if places is None else places)
    return crew


def soon(reached: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `reached` returns True."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.01)
