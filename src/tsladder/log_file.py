"""The log file of a run: whole lines, each with its time, appended by every process that has a part in the run.

A line that begins with FILE_ONLY was never printed. It feeds people only: no number is read back from the file.
"""

from __future__ import annotations

import datetime
import functools
import os
import re
from pathlib import Path

from tsladder.log_relay import LogFile

LOG_FILE = "TSLADDER_LOG_FILE"
"""Environment variable: the log of the run that this process belongs to."""

FILE_ONLY = "| "

_MOMENT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"run-(?P<moment>\d{8}T\d{6}Z)-\d+\.log")


def log_name(moment: datetime.datetime, pid: int) -> str:
    """Of the log of the command that process `pid` began at `moment`."""
    return f"run-{moment.astimezone(datetime.UTC):{_MOMENT}}-{pid}.log"


def log_moment(path: Path) -> datetime.datetime | None:
    """When the command of the log at `path` began; None for a file of another name."""
    named = _NAME.fullmatch(path.name)
    return None if named is None else datetime.datetime.strptime(named["moment"] + "+0000", f"{_MOMENT}%z")


def newest_log(logs: Path) -> Path | None:
    """Of the command that began last; None where there is none."""
    found = [(moment, path) for path in logs.glob("run-*.log") if (moment := log_moment(path)) is not None]
    return max(found)[1] if found else None


def short_path(path: Path) -> Path:
    """From where the user stands, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


class RunningLog:
    """The file at `path` as a process of the run writes to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = LogFile(str(path))

    def write(self, text: str) -> None:
        """Append the lines of `text`."""
        self._file.append(*text.encode("utf-8", "backslashreplace").split(b"\n"))

    def write_unprinted(self, text: str) -> None:
        """Append lines that only the file holds."""
        self.write("\n".join(FILE_ONLY + line for line in text.split("\n")))

    def say_once(self, fault: OSError) -> None:
        """Why it cannot be written; nothing from the second time on."""
        self._file.say_once(fault)


class NoLog:
    """Stands in where no run keeps a log: a verb of the package was called by itself."""

    def write_unprinted(self, text: str) -> None:
        """Drop it."""


Log = RunningLog | NoLog


def current_log() -> Log:
    """That of the run which this process belongs to."""
    path = os.environ.get(LOG_FILE)
    return NoLog() if path is None else log_at(Path(path))


@functools.cache
def log_at(path: Path) -> RunningLog:
    """One object a file, so that a fault is said once by a process."""
    return RunningLog(path)
