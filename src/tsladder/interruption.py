"""Graceful shutdown: the first Ctrl-C or SIGTERM asks the work to end in order, a second one ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(Exception):
    """Early end of the work on request. Everything that had finished is on disk."""

    exit_code = 130


class StopFlag:
    """Flag that the first signal sets."""

    def __init__(self) -> None:
        self.is_set = False


@contextmanager
def graceful_stop() -> Iterator[StopFlag]:
    """Set the flag on the first SIGINT or SIGTERM inside this block; the second raises KeyboardInterrupt."""
    flag = StopFlag()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if flag.is_set:
            raise KeyboardInterrupt
        flag.is_set = True

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
