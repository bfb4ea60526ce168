"""Log file of a run: whole lines, each with its time, appended by every process that takes part in the run.

A line that begins with FILE_ONLY was never printed. The file is for the user to read only: no number is read back from
it.
"""

from __future__ import annotations

import datetime
import functools
import os
import re
from pathlib import Path

from tsladder.log_relay import LogFile

LOG_FILE = "TSLADDER_LOG_FILE"
"""Environment variable with the path of the log of the run that this process belongs to."""

FILE_ONLY = "| "

_MOMENT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"run-(?P<moment>\d{8}T\d{6}Z)-\d+\.log")


def log_name(moment: datetime.datetime, pid: int) -> str:
    """Return the name of the log file of the command that process `pid` started at `moment`."""
    return f"run-{moment.astimezone(datetime.UTC):{_MOMENT}}-{pid}.log"


def log_moment(path: Path) -> datetime.datetime | None:
    """Return the time at which the command of the log at `path` started; None where the file name is not
    that of a log."""
    named = _NAME.fullmatch(path.name)
    return None if named is None else datetime.datetime.strptime(named["moment"] + "+0000", f"{_MOMENT}%z")


def newest_log(logs: Path) -> Path | None:
    """Return the path of the log of the command that started last; None where there is no log."""
    found = [(moment, path) for path in logs.glob("run-*.log") if (moment := log_moment(path)) is not None]
    return max(found)[1] if found else None


def short_path(path: Path) -> Path:
    """Return `path` relative to the working directory if it lies below it, otherwise unchanged."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class RunningLog:
    """Log file at `path`, to which one process of the run writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LogFile(str(path))

    def write(self, text: str) -> None:
        """Append the lines of `text`."""
        self._file.append(*text.encode("utf-8", "backslashreplace").split(b"\n"))

    def write_unprinted(self, text: str) -> None:
        """Append lines that are written to the file only and not printed."""
        self.write("\n".join(FILE_ONLY + line for line in text.split("\n")))

    def say_once(self, fault: OSError) -> None:
        """Report why the log cannot be written; later calls print nothing."""
        self._file.say_once(fault)


class NoLog:
    """Placeholder used where no run keeps a log, because a function of the package was called directly."""

    def write_unprinted(self, text: str) -> None:
        """Discard the text."""


Log = RunningLog | NoLog


def current_log() -> Log:
    """Return the log of the run that this process belongs to, or `NoLog` where there is none."""
    path = os.environ.get(LOG_FILE)
    return NoLog() if path is None else log_at(Path(path))


@functools.cache
def log_at(path: Path) -> RunningLog:
    """Return the log at `path`: one object per file, so that a process reports a fault of the file only once."""
    return RunningLog(path)
