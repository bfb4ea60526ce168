"""Suspension of processes where they stand, in the middle of a batch, and never for longer than this process lives.

A stopped process cannot notice that its parent is gone, and would stay stopped for ever. So a small shell waits for the
end of a pipe that only this process holds, and wakes the stopped processes then, however this process ended; once
awake, a worker notices by itself that it is an orphan. (The kernel's own signal to orphans, PR_SET_PDEATHSIG, comes
with the end of the fork server that workers descend from, and that server lives as long as any of them.)
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Collection

_WAKE_AT_THE_END = 'read -r _; kill -CONT "$@"'


class Suspension:
    """Set of suspended processes, empty at first."""

    def __init__(self) -> None:
        self._pids: frozenset[int] = frozenset()
        self._waker: subprocess.Popen[bytes] | None = None

    @property
    def holds(self) -> bool:
        return self._waker is not None

    def hold(self, pids: Collection[int]) -> None:
        """Suspend the processes `pids`, children of this process or of its fork server.

        Processes that are suspended already are stopped again: a terminal wakes its whole process group when it is
        brought to the foreground.
        """
        pids = frozenset(pids)
        if not pids:
            return
        if pids != self._pids:
            before = self._waker
            # In its own session, so that a Ctrl-C does not end it.
            self._waker = subprocess.Popen(
                ["/bin/sh", "-c", _WAKE_AT_THE_END, "sh", *map(str, sorted(pids))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._pids = pids
            if before is not None:
                _release(before)
        for pid in pids:
            _signal(pid, signal.SIGSTOP)

    def end(self) -> None:
        """Resume all suspended processes. The set is empty afterwards."""
        if self._waker is None:
            return
        waker, self._waker, self._pids = self._waker, None, frozenset()
        _release(waker)


def _release(waker: subprocess.Popen[bytes]) -> None:
    """Close the pipe that `waker` waits for, and return after it has woken its processes."""
    waker.communicate()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        # The process ended meanwhile; its supervisor handles that.
        return
