"""Messages between a driver, which decides what is trained, and a place, where it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tsladder.artifacts.heat import TemperatureReading
from tsladder.execution.crew import Event
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.parcels import Parcel
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job

PIECE_BYTES = 64 * 1024 * 1024
"""Largest number of bytes of a file that travel in one message; a larger file is sent in several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceDescription:
    """Description of a place. `kind`: places of one kind compute the same numbers, bit for bit. `code`: fingerprint of
    the code of tsladder there. `versions`: of Python and of the libraries that compute."""

    machine: Machine
    kind: str
    code: str
    versions: Mapping[str, str]
    host: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Command to keep samples."""

    parcel: Parcel


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Command to forget the samples of the parcel `key`."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePiece:
    """Piece of a file, `data` from byte `offset` on, `is_last` where the file ends with it.

    `folder` says which of the folders that a place and its driver share by name is meant, and `name` is the file's path
    in it. Pieces of a file come in order.
    """

    folder: str
    name: str
    offset: int
    data: bytes
    is_last: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Command to start a job on the samples of the parcel `samples`. `limit_gib`: its share of memory; None: it is not
    limited."""

    number: int
    attempt: int
    job: Job
    samples: str
    limit_gib: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Command to ask every job to stop."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Command to suspend every job, and those that are started, until `Resume`."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Command to resume every job."""


@dataclass(frozen=True, slots=True)
class End:
    """Command to kill every job and to forget everything."""


Command = Hold | Release | FilePiece | Start | Stop | Pause | Resume | End


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Answer of a place to a step: what happened since the last one, and how its jobs are.

    `events` come in order; a FilePiece among them is a piece of a file that the next Ended of its job belongs with.
    `reading`: of its thermometer; None: not read yet. `hot`: why no job may be started now; None: one may. `missing`:
    keys of cubes that it does not have and that a job waits for. `says`: lines for the user.
    """

    events: tuple[Event | FilePiece, ...] = ()
    signs: Mapping[int, VitalSigns] = field(default_factory=dict)
    reading: TemperatureReading | None = None
    hot: str | None = None
    missing: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
