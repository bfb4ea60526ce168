"""Read single keys from the terminal, without Enter and without echo; Ctrl-C and Ctrl-Z keep their meaning."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import tty

_ESCAPE = "\x1b"


class Keyboard:
    """Keys of the terminal behind `descriptor`; closed at first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[int | list[bytes | int]] | None = None

    def open(self) -> None:
        """From now on keys come one by one."""
        if self._before is None:
            before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor, termios.TCSANOW)
            self._before = before

    def close(self) -> None:
        """The terminal is as it was before `open`. Of one that is gone nothing is left to restore."""
        before, self._before = self._before, None
        if before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    def forget(self) -> None:
        """Closed, and the terminal left as it is."""
        self._before = None

    def read(self, seconds: float) -> str | None:
        """The letters pressed within `seconds`, as capitals or not; None: nobody will press any more."""
        try:
            ready, _, _ = select.select([self._descriptor], [], [], seconds)
            pressed = os.read(self._descriptor, 1024) if ready else None
        except OSError:
            return None
        if pressed is None:
            return ""
        text = pressed.decode("utf-8", "replace")
        # Arrows and function keys come as an escape and letters, which nobody has pressed.
        return None if not text else text.partition(_ESCAPE)[0].lower()
