"""Place: one device where jobs are trained for a driver that may run elsewhere.

A place holds the supervisor of its worker processes, its own thermometer and a folder of its own. Its driver calls
`describe` once and then `step` again and again; `wake` cuts a step short and tells that the driver is still there. A
place that no driver calls for DRIVER_SECONDS ends its trainings, so that nothing trains for a driver that is gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path

from tsladder.artifacts.heat import TemperatureReading
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, Event, Lost
from tsladder.execution.memory_guard import MemoryWatch
from tsladder.execution.parcels import Parcel
from tsladder.execution.place_files import (
    CUBES,
    JobFolders,
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
from tsladder.execution.supervisor import Supervisor
from tsladder.execution.thermal_guard import Action, ThermalWatch
from tsladder.execution.thermometer import Thermometer
from tsladder.locks import exclusive_lock, is_locked
from tsladder.panel.cube import Cube, cube_path, open_cube
from tsladder.panel.cube_format import UnusableCube
from tsladder.vocabulary import StopReason

DRIVER_SECONDS = 120.0
"""Silence of the driver after which a place ends its trainings."""

_LOOK_SECONDS = 5.0

_SCRATCH = "tsladder-place-"

_MADE_SECONDS = 60.0


@dataclass(slots=True)
class _Running:
    """Job that was started here, and its folders."""

    start: Start
    folders: JobFolders


@dataclass(slots=True)
class _Held:
    """Samples of a parcel. `samples`: number under which the supervisor holds them; None: their cube is not here."""

    parcel: Parcel
    samples: int | None = None


@dataclass(slots=True)
class _Outgoing:
    """Files of a job that has ended, and the event that follows them."""

    files: list[Sending]
    ended: Ended
    folders: JobFolders = field(repr=False)


class Place:
    """Place that `survey` describes. `thermometer`: gives the sensors of a device. `folder`: parent of the place's own
    folder; None: the system's folder of temporary files. `clock`: seconds. `driver_seconds`: silence of the driver
    after which the place ends; `abandoned` is called then."""

    def __init__(
        self,
        survey: Callable[[], PlaceDescription],
        *,
        thermometer: Callable[[str], Thermometer],
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        driver_seconds: float = DRIVER_SECONDS,
        abandoned: Callable[[], None] = lambda: None,
    ) -> None:
        self._survey = survey
        self._driver_seconds = driver_seconds
        self._abandoned = abandoned
        self._clock = clock
        self._lock = threading.Lock()
        self._left = contextlib.ExitStack()
        self._folder = _own_folder(folder or Path(tempfile.gettempdir()), self._left)
        self._make_thermometer = thermometer
        self._watch: ThermalWatch | None = None
        self._supervisor = Supervisor(watch=MemoryWatch())
        self._held: dict[str, _Held] = {}
        self._running: dict[int, _Running] = {}
        self._waiting: list[Start] = []
        self._outgoing: list[_Outgoing] = []
        self._receiving = Receiving()
        self._woken, self._wake = Pipe(duplex=False)
        self._heard_at = clock()
        self._paused = self._stopping = False
        self._says: list[str] = []
        self._over: str | None = None
        threading.Thread(target=self._watch_driver, daemon=True).start()

    def describe(self) -> PlaceDescription:
        """Survey the machine. Raises BadInput where the settings of the driver's params.yaml exceed it."""
        with self._lock:
            self._heard_at = self._clock()
            description = self._survey()
            self._watch = ThermalWatch(
                self._make_thermometer(description.machine.device), self._says.append, clock=self._clock
            )
            return description

    def step(self, commands: Sequence[Command], timeout: float) -> Answer:
        """Carry out `commands`, wait at most `timeout` seconds for events, and return what there is.

        Raises RuntimeError where the place has ended its trainings because no driver called.
        """
        with self._lock:
            self._heard_at = self._clock()
            if self._over is not None:
                raise RuntimeError(self._over)
            if self._watch is None:
                raise RuntimeError("a place is described before its first step")
            events: list[Event | FilePiece] = []
            for command in commands:
                self._carry_out(command)
            if self._has_ended():
                return Answer()
            action = self._watch.update(tuple(self._running), stopping=self._stopping)
            if action is Action.STOP:
                events.extend(self._drain(self._watch.reading))
            self._start_ready()
            self._hold_or_resume(action)
            events.extend(self._sent())
            wait = 0.0 if events or self._outgoing else max(0.0, timeout)
            for event in self._supervisor.events(wait, until=self._woken):
                events.extend(self._told(event))
            while self._woken.poll():
                self._woken.recv_bytes()
            self._heard_at = self._clock()
            says, self._says[:] = tuple(self._says), []
            return Answer(
                events=tuple(events),
                signs=self._supervisor.vital_signs(),
                reading=self._watch.reading,
                hot=None if action is Action.GO else str(self._watch.reading),
                missing=tuple(sorted({key for key in map(self._missing, self._waiting) if key is not None})),
                says=says,
            )

    @contextlib.contextmanager
    def as_file(self, name: str, content: bytes | None) -> Iterator[Path | None]:
        """Yield a file of the place's own folder with this content, for as long as the block lasts; None for none."""
        if content is None:
            yield None
            return
        path = self._folder / name
        path.write_bytes(content)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def wake(self) -> None:
        """Let a step that waits return at once; the driver is there. May be called from any thread."""
        self._heard_at = self._clock()
        with contextlib.suppress(OSError):  # the place has ended meanwhile
            self._wake.send_bytes(b"w")

    def end(self) -> None:
        """Kill every job and remove the place's own folder."""
        with self._lock:
            self._end("the place was ended")

    def check_driver(self) -> None:
        """End the trainings if the driver has been silent for too long."""
        if self._clock() - self._heard_at < self._driver_seconds or not self._lock.acquire(blocking=False):
            return
        try:
            if self._over is None and self._clock() - self._heard_at >= self._driver_seconds:
                self._end(f"no driver called for {self._driver_seconds:.0f} s, so the trainings here were ended")
                self._abandoned()
        finally:
            self._lock.release()

    def _watch_driver(self) -> None:
        while self._over is None:
            time.sleep(_LOOK_SECONDS)
            self.check_driver()

    def _has_ended(self) -> bool:
        return self._over is not None

    def _end(self, why: str) -> None:
        if self._over is not None:
            return
        self._over = why
        self._supervisor.end_now()
        self._running.clear()
        self._waiting.clear()
        self._outgoing.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._left.close()

    def _carry_out(self, command: Command) -> None:
        match command:
            case Hold():
                self._held.setdefault(command.parcel.key, _Held(command.parcel))
            case Release():
                held = self._held.pop(command.key, None)
                if held is not None and held.samples is not None:
                    self._supervisor.release(held.samples)
            case FilePiece():
                self._take(command)
            case Start():
                self._waiting.append(command)
            case Stop():
                self._stopping = True
                self._supervisor.stop_all()
            case Pause():
                self._paused = True
            case Resume():
                self._paused = False
            case End():
                self._end("its driver ended it")

    def _take(self, piece: FilePiece) -> None:
        """Write a piece of a cube, or of a file that a job begins with."""
        if piece.folder == CUBES:
            self._receiving.write(piece, self._folder / CUBES)
            return
        number, attempt, what = job_of(piece.folder)
        folders = JobFolders(root=self._folder, number=number, attempt=attempt)
        self._receiving.write(piece, folders.own / what)

    def _start_ready(self) -> None:
        """Start the jobs whose samples are here. While it is asked to stop, they stop at their first epoch."""
        for start in list(self._waiting):
            held = self._held[start.samples]
            if held.samples is None:
                folds = self._folds(held.parcel)
                if folds is None:
                    continue
                held.samples = self._supervisor.hold(folds)
            self._waiting.remove(start)
            folders = JobFolders(root=self._folder, number=start.number, attempt=start.attempt)
            self._running[start.number] = _Running(start, folders)
            self._heat.begin(start.number)
            self._supervisor.start(
                start.number, folders.of_place(start.job), samples=held.samples, limit_gib=start.limit_gib
            )
            if self._stopping:
                self._supervisor.stop_all()

    def _folds(self, parcel: Parcel) -> tuple[Fold, ...] | None:
        """Return the folds of a parcel; None where their cube is not on this machine."""
        if parcel.cube is None:
            return parcel.folds(None)
        cube = self._cube(parcel)
        return None if cube is None else parcel.folds(cube)

    def _cube(self, parcel: Parcel) -> Cube | None:
        """Open the cube of a parcel: the driver's own file where this machine has it, or the one that was sent."""
        reference = parcel.cube
        if reference is None:
            return None
        for path in (reference.path, cube_path(self._folder / CUBES, reference.key)):
            with contextlib.suppress(UnusableCube, OSError):
                return open_cube(path, reference.key)
        return None

    def _missing(self, start: Start) -> str | None:
        held = self._held[start.samples]
        return None if held.samples is not None or held.parcel.cube is None else held.parcel.cube.key

    def _hold_or_resume(self, action: Action) -> None:
        if self._paused or action is not Action.GO:
            self._supervisor.pause_all()
        else:
            self._supervisor.resume_all()

    def _drain(self, reading: TemperatureReading | None) -> Iterator[Lost]:
        """Kill every job, since the place is too hot; they are to go on elsewhere."""
        self._supervisor.kill_all()
        reason = f"its place is too hot: {reading}"
        for number, running in list(self._running.items()):
            if any(outgoing.ended.number == number for outgoing in self._outgoing):
                continue
            del self._running[number]
            self._heat.end(number)
            shutil.rmtree(running.folders.own, ignore_errors=True)
            yield Lost(number, reason, running.start.attempt)
        for start in self._waiting:
            yield Lost(start.number, reason, start.attempt)
        self._waiting.clear()

    def _told(self, event: Event) -> Iterator[Event | FilePiece]:
        """Yield an event of the supervisor under its attempt. An end waits until the job's files were sent. A job whose
        process was killed is lost, as it is with its place."""
        running = self._running[event.number]
        event = dataclasses.replace(event, attempt=running.start.attempt)
        if not isinstance(event, Ended):
            yield event
            return
        heat = self._heat.end(event.number)
        if event.outcome.stop_reason is StopReason.KILLED:
            del self._running[event.number]
            shutil.rmtree(running.folders.own, ignore_errors=True)
            yield Lost(event.number, event.outcome.message, event.attempt)
            return
        ended = Ended(event.number, dataclasses.replace(event.outcome, heat=heat), event.attempt)
        self._outgoing.append(_Outgoing(_files_of(running, ended), ended, running.folders))
        yield from self._sent()

    def _sent(self) -> Iterator[Event | FilePiece]:
        """Yield the next pieces of files, together at most PIECE_BYTES, and the ends whose files were sent."""
        left = PIECE_BYTES
        while self._outgoing:
            outgoing = self._outgoing[0]
            while outgoing.files and left > 0:
                piece = outgoing.files[0].next_piece(left)
                left -= len(piece.data)
                yield piece
                if outgoing.files[0].done:
                    outgoing.files.pop(0)
            if outgoing.files:
                return
            self._outgoing.pop(0)
            del self._running[outgoing.ended.number]
            shutil.rmtree(outgoing.folders.own, ignore_errors=True)
            yield outgoing.ended

    @property
    def _heat(self) -> ThermalWatch:
        if self._watch is None:
            raise RuntimeError("a place is described before its first job")
        return self._watch


def _files_of(running: _Running, ended: Ended) -> list[Sending]:
    """Return the files of a job that has ended: the trained weights, and the checkpoint of one that is to go on."""
    start, folders = running.start, running.folders
    found: list[Sending] = []
    if start.job.checkpoint_folder is not None and ended.outcome.scored:
        names = trained_files(folders.trained)
        found += sendings(folders.trained, names, shared_name(start.number, start.attempt, "trained"))
    if start.job.checkpoints is not None and ended.outcome.stop_reason is StopReason.INTERRUPTED:
        names = checkpoint_files(folders.checkpoints)
        found += sendings(folders.checkpoints, names, shared_name(start.number, start.attempt, "checkpoints"))
    return found


def _own_folder(parent: Path, left: contextlib.ExitStack) -> Path:
    """Make a folder of this process's own in `parent`, and remove those of places that are gone."""
    for folder in parent.glob(f"{_SCRATCH}*"):
        # One that was made just now is not locked yet.
        status = folder.stat()
        old = time.time() - status.st_mtime > _MADE_SECONDS
        if old and status.st_uid == os.getuid() and not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)
    own = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
    left.enter_context(exclusive_lock(own, "the folder of a place"))
    return own
