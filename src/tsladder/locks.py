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

_TRIES, _SECONDS_BETWEEN = 20, 0.01
"""`is_owned` takes a lock for an instant to learn whether it is free; that is not to be taken for an owner."""


@contextmanager
def sole_owner(folder: Path, what: str) -> Iterator[None]:
    """Hold `folder`. Raises WorkFailed naming the process that already holds it.

    The kernel frees the lock when its holder dies, however it dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as stream:
        if not _locked(stream):
            stream.seek(0)
            owner = stream.read().strip() or "unknown"
            raise WorkFailed(f"{what} is being worked on by process {owner}: wait for it, or stop it") from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _locked(stream: TextIO) -> bool:
    for tries_left in reversed(range(_TRIES)):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if tries_left:
                time.sleep(_SECONDS_BETWEEN)
    return False


def is_owned(folder: Path) -> bool:
    """True while some process holds `folder`."""
    path = folder / "lock"
    if not path.exists():
        return False
    with path.open("r") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
