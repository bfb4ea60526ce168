"""Exclusive ownership of a folder by a file lock, held for as long as the process lives."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tsladder.errors import WorkFailed

_ATTEMPTS = 20
_ATTEMPT_SECONDS = 0.01
"""Seconds between attempts to take a lock: `is_locked` itself holds the lock for an instant, so one attempt is not
enough."""
_HELD_SECONDS = 0.001
"""Seconds between attempts to take the lock of a file, which is held for milliseconds."""


@contextmanager
def exclusive_lock(folder: Path, what: str) -> Iterator[None]:
    """Hold the lock of `folder` during the block. Raises WorkFailed naming the process that already holds it.

    The kernel frees the lock when its holder dies, however it dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as stream:
        if not _try_lock(stream):
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            raise WorkFailed(f"{what} is being worked on by process {owner}: wait for it, or stop it")
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


@contextmanager
def held_file(path: Path, *, patience: float) -> Iterator[bool]:
    """Hold the lock of the file `path` during the block, waiting for it for `patience` seconds; yields whether it is
    held.

    The kernel frees the lock when its holder dies, however it dies.
    """
    deadline = time.monotonic() + patience
    with path.open("a") as stream:
        held = False
        while not held:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held = True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_HELD_SECONDS)
        yield held


def _try_lock(stream: TextIO) -> bool:
    for attempt in range(_ATTEMPTS):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt < _ATTEMPTS - 1:
                time.sleep(_ATTEMPT_SECONDS)
        else:
            return True
    return False


def locked_since(folder: Path) -> float:
    """Return when the holder of `folder` took its lock, in seconds since 1970; 0.0 where no lock file exists.

    The time is that of the lock file, into which the holder writes its process number when it takes the lock.
    """
    try:
        return (folder / "lock").stat().st_mtime
    except FileNotFoundError:
        return 0.0


def is_locked(folder: Path) -> bool:
    """Check whether some process holds the lock of `folder`."""
    try:
        with (folder / "lock").open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
