"""Read single keys from the terminal, without Enter and without echo; Ctrl-C and Ctrl-Z keep their meaning."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import tty

_ESCAPE = "\x1b"


class Keyboard:
    """Reader of single keys from the terminal behind `descriptor`; closed at first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before: list[int | list[bytes | int]] | None = None

    def open(self) -> None:
        """Set the terminal to deliver keys one by one."""
        if self._before is None:
            before = termios.tcgetattr(self._descriptor)
            tty.setcbreak(self._descriptor, termios.TCSANOW)
            self._before = before

    def close(self) -> None:
        """Restore the terminal to its state before `open`; a terminal that no longer exists is ignored."""
        before, self._before = self._before, None
        if before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    def forget(self) -> None:
        """Mark the keyboard as closed, and leave the terminal as it is."""
        self._before = None

    def read(self, seconds: float) -> str | None:
        """Return the letters pressed within `seconds` in lower case, "" for none; None when the input has ended."""
        try:
            ready, _, _ = select.select([self._descriptor], [], [], seconds)
            pressed = os.read(self._descriptor, 1024) if ready else None
        except OSError:
            return None
        if pressed is None:
            return ""
        text = pressed.decode("utf-8", "replace")
        # Arrow and function keys send escape sequences, whose letters are no key presses.
        return None if not text else text.partition(_ESCAPE)[0].lower()
