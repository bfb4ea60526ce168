"""Write and read the log of one `tsladder run`, and derive from it which stages ran and for how long.

A line is the time at which it was printed, a space, and the printed text. Stages add lines of their own that begin with
FILE_ONLY and were never printed.
"""

from __future__ import annotations

import datetime
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.log_file import FILE_ONLY, log_at, log_name
from tsladder.messages import print_message
from tsladder.places import Places

_RUNNING = re.compile(r"Running stage '(?P<stage>[^']+)':")
_NEXT = re.compile(r"(Running stage|Stage) '|Updating lock file")
_NOISE = re.compile(r"> |Running stage|Updating lock file|Use `dvc push`|To track the changes|\s*git add|\s*$")
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")

_KEPT_LINES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """Line that was printed, or written by a stage, at `at`."""

    at: datetime.datetime
    text: str


class RunLog:
    """Log file at `path`, written by the relay of DVC's output, by stages and by `note`, and read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    @classmethod
    def create(cls, places: Places) -> RunLog:
        """Create a log, named by the time and this process. Where none can be created that is reported, and no log is
        kept."""
        path = places.logs / log_name(datetime.datetime.now(datetime.UTC), os.getpid())
        try:
            places.logs.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError as error:
            print_message(f"{path} cannot be written ({error.strerror}): this run keeps no log")
            return cls(Path(os.devnull))
        return cls(path)

    @property
    def kept(self) -> bool:
        """False where the log cannot be written: then nothing is known of DVC's output."""
        return self.path != Path(os.devnull)

    def note(self, text: str) -> None:
        """Write a line of the run itself."""
        log_at(self.path).write(text)

    def new_lines(self) -> list[Line]:
        """Return the lines written since the last call; of a file that was replaced by a shorter one, all its lines."""
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
    """Parse a line of the log; None where it has no time, as the rest of a line that a full disk has cut."""
    moment, _, printed = text.partition(" ")
    try:
        at = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Line(at, _CONTROLS.sub("", printed.replace("\t", "    ")))


class Timeline:
    """Progress of DVC as read from its lines: the running stage, how long each stage took, and the last messages."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._began: datetime.datetime | None = None
        self._open = False
        self._seconds: dict[str, float] = {}
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._of_stage: deque[str] = deque(maxlen=_KEPT_LINES)

    @property
    def stage(self) -> str | None:
        """Name of the running stage; None between two stages."""
        return self._stage if self._open else None

    @property
    def began(self) -> datetime.datetime | None:
        """Start time of the running stage; None between two stages."""
        return self._began if self._open else None

    @property
    def seconds(self) -> Mapping[str, float]:
        """Stage -> wall time in seconds, for the stages that have ended."""
        return self._seconds

    def add_lines(self, lines: Iterable[Line]) -> None:
        """Process printed lines; lines meant for the file alone are skipped."""
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
        """Record that no stage runs from `at` on."""
        if self._open and self._stage is not None and self._began is not None:
            before = self._seconds.get(self._stage, 0.0)
            self._seconds[self._stage] = before + (at - self._began).total_seconds()
        self._open = False

    def messages(self, count: int) -> tuple[str, ...]:
        """Return the last `count` informative lines."""
        return tuple(self._lines)[-count:] if count > 0 else ()

    def last_of_stage(self, count: int) -> tuple[str, ...]:
        """Return the last lines since the most recent stage began, without blank ones."""
        return tuple(line for line in self._of_stage if line.strip())[-count:]
