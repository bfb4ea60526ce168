"""Choose the log of a stage: that of the `tsladder run` that started it, or one of its own.

`dvc repro` and `dvc exp run` keep no log. A stage started by one of them finds the DVC process among its ancestors, and
all stages of one such process write to one file: what they print, and the lines meant for the file alone. What a
training process writes to its descriptors directly, past Python's streams, is only in the log of a `tsladder run`.
"""

from __future__ import annotations

import atexit
import datetime
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO, cast

from tsladder.log_file import LOG_FILE, RunningLog, current_log, log_at, log_moment, log_name, short_path
from tsladder.messages import print_message

_STAGE = "DVC_STAGE"
"""Environment variable in which DVC names the stage that it runs."""

_CLOCK_STEPS_SECONDS = 60.0
"""Tolerance in seconds for the start time of a process, which is computed from its age: setting the clock moves it."""


def join_log(logs: Path) -> None:
    """Let this process and its children write to the log of their run; a new log is created in `logs`.

    For a process that ends with its stage.
    """
    if LOG_FILE in os.environ:
        return
    command, pid, started = _command()
    path = _earlier(logs, pid, started)
    new = path is None
    path = path or logs / log_name(started, pid)
    os.environ[LOG_FILE] = str(path)
    log = log_at(path)
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.say_once(error)
        return
    if new:
        log.write(f"{command}, process {pid}")
        if pid != os.getpid():
            print_message(f"log: {short_path(path)}")
    if _STAGE in os.environ:
        log.write(f"Running stage '{os.environ[_STAGE]}':")
    log.write(f"> python {shlex.join(sys.argv)}")
    sys.stdout, sys.stderr = (cast(TextIO, TeeStream(stream, log)) for stream in (sys.stdout, sys.stderr))


def note_end(code: int, seconds: float) -> None:
    """Write to the log how the stage ended: exit code and seconds."""
    name = os.environ.get(_STAGE, Path(sys.argv[0]).stem)
    current_log().write_unprinted(f"stage {name} ended with {code} after {seconds:.1f} s")


def _command() -> tuple[str, int, datetime.datetime]:
    """Return command line, process number and start time of the command behind this stage: the nearest DVC process
    among the ancestors, or this process itself."""
    import psutil

    own = psutil.Process()
    for process in own.parents():
        try:
            words = process.cmdline()
            place = next((n for n, word in enumerate(words) if Path(word).name == "dvc"), None)
            if place is not None:
                return shlex.join(["dvc", *words[place + 1 :]]), process.pid, _moment(process.create_time())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return f"python {shlex.join(sys.argv)}", own.pid, _moment(own.create_time())


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _earlier(logs: Path, pid: int, started: datetime.datetime) -> Path | None:
    """Return the log that an earlier stage of the same process created, or None."""
    steps = datetime.timedelta(seconds=_CLOCK_STEPS_SECONDS)
    for path in logs.glob(f"run-*-{pid}.log"):
        moment = log_moment(path)
        if moment is not None and abs(moment - started) < steps:
            return path
    return None


class TeeStream:
    """Text stream that also writes every whole line of `stream` to `log`."""

    def __init__(self, stream: TextIO, log: RunningLog) -> None:
        self._stream = stream
        self._log = log
        self._unfinished = ""
        atexit.register(self._finish)

    def write(self, text: str) -> int:
        count = self._stream.write(text)
        *lines, self._unfinished = (self._unfinished + text).replace("\r\n", "\n").split("\n")
        if lines:
            self._log.write("\n".join(map(_visible, lines)))
        return count

    def writelines(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.write(text)

    def _finish(self) -> None:
        if self._unfinished:
            self._log.write(_visible(self._unfinished))
            self._unfinished = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _visible(line: str) -> str:
    """Return what remains visible of a line in which a progress bar returned to the beginning."""
    return line.rpartition("\r")[2]
