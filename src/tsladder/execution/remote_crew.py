"""Crew of places that come and go: what is asked of each, which of them are free, and what becomes of their jobs.

The places are reached through a `Fleet`, which finds them and carries messages; one that uses Ray is in `ray_crew`. A
place whose call fails, or takes too long, is lost with its jobs, and whatever it says later is not heard.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from tsladder.artifacts.heat import TemperatureReading, ThermalLevel
from tsladder.data.samples import Fold
from tsladder.errors import BadInput, WorkFailed
from tsladder.execution.crew import Ended, Event, JobOrder, Lost, Slot
from tsladder.execution.heartbeat import NO_HEARTBEAT, VitalSigns
from tsladder.execution.parcels import Parcel, packed
from tsladder.execution.place_files import (
    CUBES,
    Receiving,
    Sending,
    checkpoint_files,
    job_of,
    sendings,
    shared_name,
    trained_files,
)
from tsladder.execution.place_messages import (
    PIECE_BYTES,
    Answer,
    Command,
    End,
    FilePiece,
    Hold,
    Pause,
    PlaceDescription,
    Release,
    Resume,
    Start,
    Stop,
)
from tsladder.execution.thermometer import unknown_reading
from tsladder.panel.cube import cube_path
from tsladder.planning.machine import Machine

LOOK_SECONDS = 5.0
"""Seconds after which new places are looked for again."""

ANSWER_SECONDS = 120.0
"""Seconds within which a place answers a call, beyond those for which it waits for events; a place that does not is
lost."""

_POLL_SECONDS = 5.0
"""Seconds for which a place waits for events before it answers that there are none."""

_ASKING_SECONDS = 0.05
"""Seconds between two looks at whether the places that were found have answered."""

_ALIVE_SECONDS = 20.0
"""Seconds after which every place is told that its driver is still there."""

_FAREWELL_SECONDS = 5.0


class Link(Protocol):
    """Connection to one place. The futures raise any exception where the place, or the way to it, is gone."""

    @property
    def name(self) -> str: ...

    def describe(self) -> Future[PlaceDescription]: ...

    def step(self, commands: Sequence[Command], timeout: float) -> Future[Answer]: ...

    def wake(self) -> None:
        """Cut the step that waits short, and tell the place that its driver is there. Does not wait."""

    def end(self) -> None:
        """End the place at once, with all that runs there. Does not wait."""


class Fleet(Protocol):
    """Means to find and reach places. `where`: where they are looked for, in words, and how one is started."""

    @property
    def where(self) -> str: ...

    @property
    def how_to_start(self) -> str: ...

    def look(self) -> Sequence[Link]:
        """Return links to the places that were found since the last call, and to those whose link was ended and that
        are there again."""

    def forget(self, key: str) -> None:
        """Forget what is kept to send the parcel `key` to many places."""

    def close(self) -> None: ...


class PlaceState(StrEnum):
    """State of a place. ASKED: it has not answered yet. REFUSED: jobs would not compute the same there."""

    ASKED = "asked"
    READY = "ready"
    HOT = "hot"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPlace:
    """A place that was found. `description`: None before it has answered. `why`: why it is refused, hot or lost."""

    name: str
    state: PlaceState
    description: PlaceDescription | None = None
    why: str | None = None


@dataclass(slots=True, eq=False)
class _Station:
    """A place, and what it is asked to do.

    `outgoing`: commands and files that were not sent yet. `call`: the call that has not been answered, since `called`
    (seconds of the crew's clock). `held`: keys of the parcels there, `sent`: of the cubes.
    """

    link: Link
    called: float
    call: Future[Any] | None
    state: PlaceState = PlaceState.ASKED
    description: PlaceDescription | None = None
    why: str | None = None
    jobs: dict[int, tuple[JobOrder, Slot, str]] = field(default_factory=dict)
    outgoing: deque[Command | Sending] = field(default_factory=deque)
    held: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    signs: dict[int, VitalSigns] = field(default_factory=dict)
    reading: TemperatureReading | None = None

    @property
    def works(self) -> bool:
        return self.state in (PlaceState.READY, PlaceState.HOT)


class RemoteCrew:
    """Crew of the places of `fleet` that run the code `code` with the libraries `versions`. `say` gets lines for the
    user.

    Raises WorkFailed in `events` when no place has answered for `patience` seconds of `clock`.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        code: str,
        versions: dict[str, str],
        patience: float,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fleet = fleet
        self._code = code
        self._versions = versions
        self._patience = patience
        self._say = say
        self._clock = clock
        self._stations: list[_Station] = []
        self._parcels: dict[int, Parcel] = {}
        self._held = itertools.count()
        self._pending: list[Event] = []
        self._receiving = Receiving()
        self._refused: set[str] = set()
        self._paused = self._stopping = self._ended = False
        self._looked = -float("inf")
        self._answered = clock()
        self._closed = threading.Event()
        threading.Thread(target=self._keep_alive, daemon=True).start()

    @property
    def running(self) -> tuple[int, ...]:
        """Numbers of the jobs that were started and have not ended, those of lost places excepted."""
        return tuple(number for station in self._stations for number in station.jobs)

    def hold(self, folds: Sequence[Fold]) -> int:
        number = next(self._held)
        self._parcels[number] = packed(folds)
        return number

    def release(self, samples: int) -> None:
        parcel = self._parcels.get(samples)
        if parcel is None:
            return
        if any(order.samples == samples for station in self._stations for order, *_ in station.jobs.values()):
            raise ValueError(f"a job trains on samples {samples}")
        del self._parcels[samples]
        if any(other.key == parcel.key for other in self._parcels.values()):
            return
        for station in self._stations:
            if parcel.key in station.held:
                station.held.discard(parcel.key)
                station.outgoing.append(Release(key=parcel.key))
        self._fleet.forget(parcel.key)

    def free(self, workers: int) -> Sequence[Slot]:
        """Return the free slots; those of places with the most room come first."""
        rooms = []
        for station in self._stations:
            if station.state is PlaceState.READY and station.description is not None and not self._ended:
                used = sum((Fraction(1, slot.workers) for _, slot, _ in station.jobs.values()), Fraction(0))
                slot = Slot(
                    place=station.link.name,
                    machine=station.description.machine,
                    workers=workers,
                    kind=station.description.kind,
                )
                rooms.append((max(Fraction(0), 1 - used), slot))
        turns = (
            (Fraction(taken, workers) - unused, slot)
            for unused, slot in rooms
            for taken in range(int(unused * workers))
        )
        return [slot for _, slot in sorted(turns, key=lambda turn: (turn[0], turn[1].place))]

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self.running:
            raise ValueError(f"job {order.number} is running already")
        station = next((one for one in self._stations if one.link.name == slot.place), None)
        if station is None or slot not in self.free(slot.workers):
            raise ValueError(f"no slot at {slot.place} is free for job {order.number}")
        parcel = self._parcels[order.samples]
        if parcel.key not in station.held:
            station.held.add(parcel.key)
            station.outgoing.append(Hold(parcel=parcel))
        station.outgoing.extend(_files_to_begin_with(order))
        station.outgoing.append(
            Start(
                number=order.number,
                attempt=order.attempt,
                job=order.job,
                samples=parcel.key,
                # The GPU memory of a worker is not part of the memory of its process.
                limit_gib=slot.memory_gib if slot.machine.device == "cpu" else None,
            )
        )
        station.jobs[order.number] = order, slot, parcel.key
        self._nudge(station)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait for events of all places and yield them. Raises WorkFailed when no place has answered for too long,
        OSError where a trained model cannot be written."""
        deadline = None if timeout is None else self._clock() + timeout
        while not self._ended:
            self._look()
            for station in list(self._stations):
                self._call(station)
            if self._pending:
                break
            left = _POLL_SECONDS if deadline is None else deadline - self._clock()
            calls = [station.call for station in self._stations if station.call is not None]
            if calls:
                wait(calls, timeout=max(0.0, min(left, 1.0)), return_when=FIRST_COMPLETED)
            elif left > 0:
                time.sleep(min(left, 0.1))
            for station in list(self._stations):
                self._hear(station)
            self._check_patience()
            if deadline is not None and self._clock() >= deadline:
                break
        pending, self._pending = self._pending, []
        yield from pending

    def vital_signs(self) -> dict[int, VitalSigns]:
        return {n: station.signs.get(n, NO_HEARTBEAT) for station in self._stations for n in station.jobs}

    def stop_all(self) -> None:
        self._stopping = True
        self._tell(Stop())

    def pause_all(self) -> None:
        if not self._paused:
            self._paused = True
            self._tell(Pause())

    def resume_all(self) -> None:
        if self._paused:
            self._paused = False
            self._tell(Resume())

    def end_now(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._closed.set()
        farewells = []
        for station in self._stations:
            with contextlib.suppress(Exception):  # it is gone, which is what is asked for
                if station.works:
                    station.link.wake()
                    farewells.append(station.link.step([End()], 0.0))
        wait(farewells, timeout=_FAREWELL_SECONDS)
        for station in self._stations:
            station.link.end()
        self._stations.clear()
        self._pending.clear()
        self._parcels.clear()
        self._fleet.close()

    def machine(self, *, of_all: bool = False) -> Machine | None:
        """Return the machine of the places of the kind of which there are most, or with `of_all` the one with the least
        memory; None where no place has answered."""
        found = [one.description for one in self._stations if one.works and one.description is not None]
        if of_all:
            return min((one.machine for one in found), key=lambda machine: machine.memory_gib, default=None)
        kinds = Counter(description.kind for description in found)
        most = max(sorted(kinds), key=lambda kind: kinds[kind], default=None)
        return next((description.machine for description in found if description.kind == most), None)

    @property
    def places(self) -> tuple[KnownPlace, ...]:
        """Places that were found and are not lost."""
        return tuple(
            KnownPlace(name=one.link.name, state=one.state, description=one.description, why=one.why)
            for one in self._stations
        )

    def wait_for_places(self, seconds: float, *, count: int = 1) -> tuple[KnownPlace, ...]:
        """Wait until `count` places can train and none that was found is still asked, at most `seconds`; return what
        was found. With a count of 0 that is any place at all, a refused one too."""
        deadline = self._clock() + seconds
        while self._clock() < deadline:
            found = list(self.events(timeout=_ASKING_SECONDS))
            self._pending[:0] = found
            asked = any(station.state is PlaceState.ASKED for station in self._stations)
            if self._stations and not asked and sum(station.works for station in self._stations) >= count:
                break
        return self.places

    def read(self) -> TemperatureReading:
        """Return what a thermometer of all places reads: CRITICAL where every place is too hot to train, since nothing
        can go on then; else the hottest place that trains, at the level NORMAL, since each place pauses by itself."""
        working = [station for station in self._stations if station.works]
        readings = [one.reading for one in working if one.reading is not None]
        known = [reading for reading in readings if reading.level is not ThermalLevel.UNKNOWN]
        if not known:
            return readings[0] if readings else unknown_reading("no place has reported a temperature")
        hottest = max(known, key=lambda reading: (reading.level.severity, reading.celsius or 0.0))
        if all(one.reading is not None and one.reading.level is ThermalLevel.CRITICAL for one in working):
            return hottest
        return TemperatureReading(level=ThermalLevel.NORMAL, celsius=hottest.celsius, source=hottest.source)

    def _tell(self, command: Command) -> None:
        """Send a command to every place; a place that is found later is told when it has answered."""
        for station in self._stations:
            if station.works:
                station.outgoing.append(command)
                self._nudge(station)

    def _nudge(self, station: _Station) -> None:
        """Have a place take its commands now rather than after its wait for events."""
        if station.call is not None:
            station.link.wake()
        self._call(station)

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for link in self._fleet.look():
            self._stations.append(_Station(link=link, called=now, call=link.describe()))

    def _call(self, station: _Station) -> None:
        """Send a place its next commands, and have it wait for events."""
        if station.call is not None or not station.works:
            return
        commands: list[Command] = []
        left = PIECE_BYTES
        while station.outgoing and left > 0:
            item = station.outgoing[0]
            if isinstance(item, Sending):
                piece = item.next_piece(left)
                left -= len(piece.data)
                commands.append(piece)
                if not item.done:
                    continue
            else:
                commands.append(item)
            station.outgoing.popleft()
        station.called = self._clock()
        try:
            station.call = station.link.step(commands, 0.0 if station.outgoing else _POLL_SECONDS)
        except Exception as error:
            self._lose(station, _words(error))

    def _hear(self, station: _Station) -> None:
        """Take the answer of a place, where it has come."""
        call = station.call
        if call is None or station not in self._stations:
            return
        if not call.done():
            if (
                self._clock() - station.called > _POLL_SECONDS + ANSWER_SECONDS
                and station.state is not PlaceState.ASKED
            ):
                self._lose(station, f"it has not answered for {ANSWER_SECONDS:.0f} s")
            return
        station.call = None
        try:
            answer = call.result()
        except BadInput as error:
            self._refuse(station, str(error))
            return
        except Exception as error:
            self._lose(station, _words(error))
            return
        if isinstance(answer, PlaceDescription):
            self._admit(station, answer)
            return
        self._answered = self._clock()
        self._take(station, answer)

    def _admit(self, station: _Station, description: PlaceDescription) -> None:
        station.description = description
        fault = self._fault_of(description)
        if fault is not None:
            self._refuse(station, fault)
            return
        station.state = PlaceState.READY
        self._answered = self._clock()
        self._say(f"{station.link.name} trains: {description.kind}")
        if self._stopping:
            station.outgoing.append(Stop())
        if self._paused:
            station.outgoing.append(Pause())

    def _refuse(self, station: _Station, fault: str) -> None:
        """Give no job to a place, and say so once."""
        station.state, station.why = PlaceState.REFUSED, fault
        if station.link.name not in self._refused:
            self._refused.add(station.link.name)
            self._say(f"{station.link.name} is refused: {fault}")

    def _fault_of(self, description: PlaceDescription) -> str | None:
        if description.code != self._code:
            return (
                f"it runs other code of tsladder ({description.code[:12]}, here {self._code[:12]}): check out the same "
                "commit there and start the node again"
            )
        unlike = [
            f"{name} {description.versions.get(name)} there, {version} here"
            for name, version in self._versions.items()
            if description.versions.get(name) != version
        ]
        return None if not unlike else f"its libraries are not those here: {', '.join(unlike)}"

    def _take(self, station: _Station, answer: Answer) -> None:
        station.signs = dict(answer.signs)
        station.reading = answer.reading
        for text in answer.says:
            self._say(f"{station.link.name}: {text}")
        hot = answer.hot is not None
        station.state = PlaceState.HOT if hot else PlaceState.READY
        station.why = answer.hot
        for key in answer.missing:
            self._send_cube(station, key)
        for event in answer.events:
            if isinstance(event, FilePiece):
                self._write(station, event)
                continue
            job = station.jobs.get(event.number)
            if job is None or job[0].attempt != event.attempt:
                continue
            if isinstance(event, Ended | Lost):
                del station.jobs[event.number]
                station.signs.pop(event.number, None)
            self._pending.append(event)

    def _send_cube(self, station: _Station, key: str) -> None:
        """Send the file of a cube that the place asks for, once."""
        if key in station.sent:
            return
        cubes = (parcel.cube for parcel in self._parcels.values())
        cube = next((cube for cube in cubes if cube is not None and cube.key == key), None)
        if cube is None:
            raise WorkFailed(f"{station.link.name} asks for the cube {key[:16]}, of which no job trains")
        station.sent.add(key)
        self._say(f"{station.link.name} is sent the panel ({cube.size / 1e6:.0f} MB)")
        station.outgoing.append(Sending(cube.path, folder=CUBES, name=cube_path(Path(), key).name))

    def _write(self, station: _Station, piece: FilePiece) -> None:
        """Write a piece of a file of a job where the job says that the driver wants it."""
        number, attempt, what = job_of(piece.folder)
        job = station.jobs.get(number)
        if job is None or job[0].attempt != attempt:
            return
        folder = _driver_folder(job[0], what)
        if folder is None:
            raise WorkFailed(f"{station.link.name} sends files of {what} for a job that keeps none")
        self._receiving.write(piece, folder)

    def _lose(self, station: _Station, reason: str) -> None:
        """Give up a place. Its jobs are lost; what it says later is not heard."""
        self._stations.remove(station)
        station.state = PlaceState.LOST
        self._say(f"{station.link.name} is lost: {reason}")
        for number, (order, _, _) in station.jobs.items():
            for what in ("trained", "checkpoints"):
                folder = _driver_folder(order, what)
                if folder is not None:
                    self._receiving.forget(folder)
            self._pending.append(Lost(number, f"{station.link.name} is lost: {reason}", order.attempt))
        station.jobs.clear()
        with contextlib.suppress(Exception):  # it is gone
            station.link.end()

    def _check_patience(self) -> None:
        """Raise WorkFailed where no place has answered for too long."""
        now = self._clock()
        if any(station.works for station in self._stations):
            return
        if now - self._answered < self._patience:
            return
        refused = [f"{one.link.name} is refused: {one.why}" for one in self._stations if one.why is not None]
        raise WorkFailed(
            f"no place has answered for {self._patience:.0f} s (hardware.patience) at {self._fleet.where}"
            f"{'; ' + '; '.join(refused) if refused else ''}: {self._fleet.how_to_start}, then run the same command "
            "again; nothing that had ended is lost"
        )

    def _keep_alive(self) -> None:
        """Tell every place now and then that this process is there, also while it does something else for minutes."""
        while not self._closed.wait(_ALIVE_SECONDS):
            for station in list(self._stations):
                with contextlib.suppress(Exception):  # `events` hears that it is gone
                    station.link.wake()


def _files_to_begin_with(order: JobOrder) -> Iterator[Sending]:
    """Yield the files that a job begins with: a checkpoint of an earlier start, and pretrained weights."""
    job = order.job
    if job.checkpoints is not None:
        folder = Path(job.checkpoints.folder)
        yield from sendings(folder, checkpoint_files(folder), shared_name(order.number, order.attempt, "checkpoints"))
    if job.initial_weights is not None:
        folder = Path(job.initial_weights)
        yield from sendings(folder, trained_files(folder), shared_name(order.number, order.attempt, "initial"))


def _driver_folder(order: JobOrder, what: str) -> Path | None:
    """Return the folder `what` of a job on this machine; None where the job has none."""
    job = order.job
    if what == "trained":
        return None if job.checkpoint_folder is None else Path(job.checkpoint_folder)
    if what == "checkpoints":
        return None if job.checkpoints is None else Path(job.checkpoints.folder)
    return None


def _words(error: Exception) -> str:
    """Return the first line of what an exception says, and its kind where that is nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
