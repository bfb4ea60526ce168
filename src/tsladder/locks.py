"""One owner at a time: a lock on a folder, held for as long as the process lives."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tsladder.errors import WorkFailed

_LOOKS = 20
_LOOK_SECONDS = 0.01
"""`is_owned` holds a lock itself for an instant: who wants the folder then tries again before giving up."""


@contextmanager
def sole_owner(folder: Path, what: str) -> Iterator[None]:
    """Hold `folder`. Raises WorkFailed naming the process that already holds it.

    The kernel frees the lock when its holder dies, however it dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as stream:
        if not _taken(stream):
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            raise WorkFailed(f"{what} is being worked on by process {owner}: wait for it, or stop it")
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _taken(stream: TextIO) -> bool:
    for look in range(_LOOKS):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if look < _LOOKS - 1:
                time.sleep(_LOOK_SECONDS)
        else:
            return True
    return False


def owned_since(folder: Path) -> float:
    """When the holder of `folder` took it, in seconds since 1970: it then wrote its number into the lock."""
    try:
        return (folder / "lock").stat().st_mtime
    except FileNotFoundError:
        return 0.0


def is_owned(folder: Path) -> bool:
    """True while some process holds `folder`."""
    try:
        with (folder / "lock").open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
