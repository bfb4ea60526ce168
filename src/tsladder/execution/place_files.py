"""Files that travel between a driver and a place: trained weights and checkpoints of a job, and cubes of panels.

A job names folders of the driver. On a place it writes to folders of the place's own, and what is worth keeping is sent
back. Only files of known names are accepted, and a file takes its name when its last piece has been written.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.checkpoints import FOLDS
from tsladder.artifacts.trained_model import RECORD
from tsladder.execution.place_messages import PIECE_BYTES, FilePiece
from tsladder.training.outcome import WEIGHTS, Job

STATE = "state.safetensors"
"""File of a training checkpoint; `tsladder.training.checkpoints` writes it, which loads torch."""

CUBES = "cubes"

_TRAINED = re.compile(rf"{re.escape(WEIGHTS)}|{re.escape(RECORD)}")
_CHECKPOINT = re.compile(rf"(fold-\d+/)?({re.escape(STATE)}|{re.escape(FOLDS)})")
_CUBE = re.compile(r"[0-9a-f]{1,64}\.arrow")
_JOB_FOLDER = re.compile(r"(\d+)-(\d+)/(trained|checkpoints|initial)")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFolders:
    """Folders of attempt `attempt` at job `number` below `root`, which is a place's own."""

    root: Path
    number: int
    attempt: int

    @property
    def own(self) -> Path:
        """Folder that holds the others."""
        return self.root / f"{self.number}-{self.attempt}"

    @property
    def trained(self) -> Path:
        return self.own / "trained"

    @property
    def checkpoints(self) -> Path:
        return self.own / "checkpoints"

    @property
    def initial(self) -> Path:
        return self.own / "initial"

    @property
    def scratch(self) -> Path:
        return self.own / "scratch"

    def of_place(self, job: Job) -> Job:
        """Return `job` with these folders in place of the driver's."""
        checkpoints = job.checkpoints
        return dataclasses.replace(
            job,
            checkpoint_folder=None if job.checkpoint_folder is None else str(self.trained),
            scratch_folder=None if job.scratch_folder is None else str(self.scratch),
            initial_weights=None if job.initial_weights is None else str(self.initial),
            checkpoints=None if checkpoints is None else dataclasses.replace(checkpoints, folder=str(self.checkpoints)),
        )


def shared_name(number: int, attempt: int, what: str) -> str:
    """Return the name by which driver and place call the folder `what` (trained, checkpoints or initial) of a job."""
    return f"{number}-{attempt}/{what}"


def job_of(folder: str) -> tuple[int, int, str]:
    """Return number, attempt and `what` of the folder that `shared_name` names. Raises ValueError for another name."""
    found = _JOB_FOLDER.fullmatch(folder)
    if found is None:
        raise ValueError(f"{folder!r} is no folder of a job")
    return int(found[1]), int(found[2]), found[3]


def check_name(folder: str, name: str) -> None:
    """Raise ValueError where `name` is not the name of a file that travels in `folder`."""
    allowed = _CUBE if folder == CUBES else _CHECKPOINT if folder.endswith("/checkpoints") else _TRAINED
    if allowed.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no file that is sent in {folder!r}")


def trained_files(folder: Path) -> list[str]:
    """Return the files of a trained model in `folder`, the record last: a folder with a record is complete."""
    return [name for name in (WEIGHTS, RECORD) if (folder / name).is_file()]


def checkpoint_files(folder: Path) -> list[str]:
    """Return the files of the checkpoints in `folder`, relative to it."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in found if _CHECKPOINT.fullmatch(name)]


class Sending:
    """A file on its way, `path`, called `name` in the shared folder `folder`."""

    def __init__(self, path: Path, *, folder: str, name: str) -> None:
        check_name(folder, name)
        self._path, self._folder, self._name = path, folder, name
        self._offset = 0
        self.done = False

    def next_piece(self, most: int = PIECE_BYTES) -> FilePiece:
        """Read the next piece, of at most `most` bytes."""
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            data = stream.read(most)
            self.done = len(data) < most or not stream.read(1)
        piece = FilePiece(folder=self._folder, name=self._name, offset=self._offset, data=data, is_last=self.done)
        self._offset += len(data)
        return piece


class Receiving:
    """Files that arrive in pieces. A file takes its place when it is whole."""

    def __init__(self) -> None:
        self._parts: dict[Path, int] = {}

    def write(self, piece: FilePiece, folder: Path) -> Path | None:
        """Write a piece of a file of `folder`; return the file's path where it is whole now, else None.

        Raises ValueError for a name that does not travel, and where a piece is missing before this one.
        """
        check_name(piece.folder, piece.name)
        path = folder / piece.name
        part = _part(path)
        if piece.offset != self._parts.get(part, 0):
            raise ValueError(f"{path}: a piece at byte {piece.offset} came after {self._parts.get(part, 0)} bytes")
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab" if piece.offset else "wb") as stream:
            stream.write(piece.data)
        self._parts[part] = piece.offset + len(piece.data)
        if not piece.is_last:
            return None
        del self._parts[part]
        part.replace(path)
        return path

    def forget(self, folder: Path) -> None:
        """Remove what has arrived of files of `folder` that will not be whole any more."""
        for part in [part for part in self._parts if part.is_relative_to(folder)]:
            del self._parts[part]
            part.unlink(missing_ok=True)


def sendings(folder: Path, names: list[str], shared: str) -> Iterator[Sending]:
    """Yield the files `names` of `folder`, on their way to the shared folder `shared`."""
    return (Sending(folder / name, folder=shared, name=name) for name in names)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
