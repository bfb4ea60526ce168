"""Write and read the log of one `tsladder run`, and derive from it which stages ran and for how long.

A line is the time it was printed at, a space, and what was printed. Stages add lines of their own that begin with
FILE_ONLY and were never printed.
"""

from __future__ import annotations

import datetime
import os
import re
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.log_file import FILE_ONLY, log_at, log_name
from tsladder.places import Places

_RUNNING = re.compile(r"Running stage '(?P<stage>[^']+)':")
_NEXT = re.compile(r"(Running stage|Stage) '|Updating lock file")
_NOISE = re.compile(r"> |Running stage|Updating lock file|Use `dvc push`|To track the changes|\s*git add|\s*$")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")

_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was printed, or written by a stage, at `at`."""

    at: datetime.datetime
    text: str


class RunLog:
    """The file at `path`, written by the relay of what DVC prints, by stages and by `note`, and read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    @classmethod
    def create(cls, places: Places) -> RunLog:
        """A new one, named by the time and this process. Where none can be made that is said, and none is kept."""
        path = places.logs / log_name(datetime.datetime.now(datetime.UTC), os.getpid())
        try:
            places.logs.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            print(f"tsladder: {path} cannot be written ({error.strerror}): this run keeps no log", file=sys.stderr)
            return cls(Path(os.devnull))
        return cls(path)

    @property
    def kept(self) -> bool:
        """False where it cannot be written: then nothing is known of what DVC says."""
        return self.path != Path(os.devnull)

    def note(self, text: str) -> None:
        """A line of the run's own."""
        log_at(self.path).write(text)

    def new_lines(self) -> list[Line]:
        """Those that were written since the last call; of a file that was removed meanwhile, those of the new one."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as stream:
            if self._read > os.fstat(stream.fileno()).st_size:
                self._read = 0
            stream.seek(self._read)
            whole, newline, _ = stream.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        lines = whole.decode("utf-8", "replace").split("\n") if newline else []
        return [line for text in lines if (line := _line(text)) is not None]


def _line(text: str) -> Line | None:
    """None where there is no time: the rest of a line that a full disk has cut."""
    moment, _, said = text.partition(" ")
    try:
        at = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Line(at, _CONTROLS.sub("", said.replace("\t", "    ")))


class Timeline:
    """Follow DVC from its lines: the running stage, how long each stage took, and the last messages."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._began: datetime.datetime | None = None
        self._open = False
        self._seconds: dict[str, float] = {}
        self._lines: deque[str] = deque(maxlen=_REMEMBERED)
        self._of_stage: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def stage(self) -> str | None:
        """The one that runs; None between two."""
        return self._stage if self._open else None

    @property
    def began(self) -> datetime.datetime | None:
        """When it did."""
        return self._began if self._open else None

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage -> seconds of the clock that it took, of those that have ended."""
        return self._seconds

    def hear(self, lines: Iterable[Line]) -> None:
        """Take in what was printed; what the file alone holds is passed over."""
        for line in lines:
            if line.text.startswith(FILE_ONLY):
                continue
            if _NEXT.match(line.text):
                self.close(line.at)
            started = _RUNNING.match(line.text)
            if started is not None:
                self._stage, self._began, self._open = started["stage"], line.at, True
                self._of_stage.clear()
            self._of_stage.append(line.text)
            if not _NOISE.match(line.text):
                self._lines.append(line.text)

    def close(self, at: datetime.datetime) -> None:
        """Nothing runs from `at` on."""
        if self._open and self._stage is not None and self._began is not None:
            before = self._seconds.get(self._stage, 0.0)
            self._seconds[self._stage] = before + (at - self._began).total_seconds()
        self._open = False

    def messages(self, count: int) -> tuple[str, ...]:
        """The last lines that tell something."""
        return tuple(self._lines)[-count:] if count > 0 else ()

    def last_of_stage(self, count: int) -> tuple[str, ...]:
        """The last lines since the stage began that was started last, blank ones left out."""
        return tuple(line for line in self._of_stage if line.strip())[-count:]
