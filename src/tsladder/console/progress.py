"""Show a progress bar on stderr, on a terminal and only for work of more than two seconds."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tsladder.steps import OnStep, no_progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET_SECONDS = 2.0


@contextmanager
def progress(what: str, *, quiet_seconds: float = QUIET_SECONDS, stream: TextIO | None = None) -> Iterator[OnStep]:
    """Show `what` and the steps passed to the yielded function, with a bar and the elapsed time.

    Nothing appears within the first `quiet_seconds`, nothing stays when the work has ended, and without a terminal
    nothing is shown at all. `stream` replaces stderr.
    """
    shown = stream or sys.stderr
    if not shown.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        yield no_progress
        return
    bar = _Bar(what, shown)
    timer = threading.Timer(quiet_seconds, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.step
    finally:
        timer.cancel()
        bar.hide()


class _Bar:
    """State of one bar, which the timer's thread may make appear at any moment."""

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._ended = False
        self._done, self._of = 0, 0
        self._drawn: tuple[Progress, TaskID] | None = None

    def step(self, what: str, number: int, of: int) -> None:
        with self._lock:
            self._what, self._done, self._of = what, number - 1, of
            self._draw()

    def show(self) -> None:
        # Imported here, so that short work does not load rich.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column

        with self._lock:
            if self._ended:
                return
            shown = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                console=Console(file=self._stream),
                transient=True,
                # Do not redirect other output, for instance JSON, through the bar.
                redirect_stdout=False,
                redirect_stderr=False,
            )
            task = shown.add_task(self._what, total=None)
            shown.tasks[0].start_time = self._began
            self._drawn = shown, task
            self._draw()
            shown.start()

    def hide(self) -> None:
        with self._lock:
            self._ended = True
            if self._drawn is not None:
                self._drawn[0].stop()

    def _draw(self) -> None:
        if self._drawn is not None:
            shown, task = self._drawn
            total = self._of if self._of > 1 else None
            shown.update(task, description=self._what, completed=self._done, total=total)
