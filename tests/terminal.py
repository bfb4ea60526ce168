"""A program on a terminal of its own: what it writes, keys that are pressed, and the settings that it leaves."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CTRL_C, CTRL_Z = "\x03", "\x1a"


class Terminal:
    """Runs `command` in `folder` as the leader of a session whose terminal this is."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 100,
        rows: int = 30,
        kind: str = "xterm-256color",
    ) -> None:
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        self.written = ""
        theirs = self._theirs
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "TERM": kind},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._ours, self._theirs):
            os.close(descriptor)

    @property
    def plain(self) -> str:
        """What was written, without colours and movements of the cursor."""
        return _SEQUENCE.sub("", self.written)

    @property
    def is_as_before(self) -> bool:
        """Line by line with an echo, and the cursor is seen."""
        hidden, shown = self.written.rfind("\x1b[?25l"), self.written.rfind("\x1b[?25h")
        return termios.tcgetattr(self._theirs) == self.before and shown >= hidden

    @property
    def takes_keys(self) -> bool:
        return not termios.tcgetattr(self._theirs)[3] & (termios.ECHO | termios.ICANON)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def read(self, seconds: float) -> None:
        """Take in what is written within `seconds`."""
        ready, _, _ = select.select([self._ours], [], [], seconds)
        if ready:
            with contextlib.suppress(OSError):
                self.written += os.read(self._ours, 65536).decode("utf-8", "replace")

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            self.read(0.05)
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}\n{self.plain}"

    def until_written(self, text: str, seconds: float = 60.0) -> None:
        """What was written before the call counts as well."""
        self.until(f"{text!r} is written", lambda: text in self.plain, seconds)

    def forget(self) -> None:
        """Nothing was written."""
        self.written = ""

    def end(self, seconds: float = 60.0) -> int:
        """Wait until it has ended; its exit code."""
        self.until("the end", lambda: self.process.poll() is not None, seconds)
        while True:
            before = self.written
            self.read(0.05)
            if self.written == before:
                return int(self.process.returncode)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
