"""Draw a live display at the foot of the terminal and read keys.

The terminal is restored however the block ends, also while the process is suspended by Ctrl-Z, and is left alone while
it belongs to another process (`bg`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import time
from types import FrameType, TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live

from tsladder.console.keyboard import Keyboard

_TICK_SECONDS = 0.1
"""Seconds within which a Ctrl-Z, or the return of the terminal to this process, is noticed."""


def can_draw() -> bool:
    """Check whether stdout and stderr are a terminal in whose foreground this process runs."""
    return (
        sys.stdout.isatty()
        and sys.stderr.isatty()
        and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
        and _in_foreground(sys.stdout.fileno())
    )


def _in_foreground(descriptor: int) -> bool:
    """Check whether this process is in the foreground of the terminal: one that configures a terminal from the
    background is stopped."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        # Not the controlling terminal, so job control does not apply; or it is gone, as writing to it will show.
        return True


class Screen:
    """Live display on the terminal, which shows nothing outside its block."""

    def __init__(self) -> None:
        self._console = Console()
        self._terminal = sys.stdout.fileno()
        self._keyboard = Keyboard(sys.stdin.fileno()) if sys.stdin is not None and sys.stdin.isatty() else None
        self._live: Live | None = None
        self._gone = False
        self._suspend_by: signal.Signals | None = None
        self._handlers: dict[signal.Signals, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGTSTP, signal.SIGQUIT):
            self._handlers[number] = signal.signal(number, self._note_signal)
        try:
            # Between two commands of a run the user may have sent it to the background.
            if _in_foreground(self._terminal):
                self._show()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def width(self) -> int:
        return self._console.width

    @property
    def height(self) -> int:
        return self._console.height

    @property
    def has_keys(self) -> bool:
        return self._keyboard is not None

    def draw(self, display: RenderableType) -> None:
        """Replace the display. Nothing is shown while the terminal belongs to another process or no longer exists."""
        if not _in_foreground(self._terminal):
            self._abandon_terminal()
        elif self._live is None and not self._gone:
            self._show()
        if self._live is not None:
            try:
                self._live.update(display, refresh=True)
            except OSError:
                self._gone = True

    def keys(self, seconds: float) -> str:
        """Return the letters pressed within `seconds`. Keys that suspend or end this process take effect during this
        call."""
        deadline = time.monotonic() + seconds
        while True:
            if self._suspend_by is not None:
                self._suspend(self._suspend_by)
            left = max(0.0, min(_TICK_SECONDS, deadline - time.monotonic()))
            # Reading from the terminal in the background would suspend this process.
            if self._keyboard is None or self._live is None:
                time.sleep(left)
            else:
                pressed = self._keyboard.read(left)
                if pressed is None:
                    self._keyboard.close()
                    self._keyboard = None
                elif pressed:
                    return pressed
            if time.monotonic() >= deadline:
                return ""

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        # Handled between two redraws, never during one.
        self._suspend_by = signal.Signals(number)

    def _suspend(self, number: signal.Signals) -> None:
        self._suspend_by = None
        self._hide()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Execution continues here, in the foreground or not; the next redraw checks which.
        signal.signal(number, self._note_signal)

    def _show(self) -> None:
        live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        try:
            if self._keyboard is not None:
                self._keyboard.open()
            live.start()
            self._live = live
        except (OSError, termios.error):
            self._gone = True

    def _hide(self) -> None:
        if not _in_foreground(self._terminal):
            self._abandon_terminal()
            return
        live, self._live = self._live, None
        if live is not None:
            with contextlib.suppress(OSError):
                live.stop()
        if self._keyboard is not None:
            self._keyboard.close()

    def _abandon_terminal(self) -> None:
        """Stop drawing without restoring the terminal's settings: another process got it while this one was stopped,
        and has configured it."""
        live, self._live = self._live, None
        if self._keyboard is not None:
            self._keyboard.forget()
        if live is not None:
            with contextlib.suppress(OSError):
                self._console.show_cursor(True)

    def _end(self) -> None:
        self._hide()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
