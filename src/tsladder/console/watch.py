"""Show the live table of a study for `tsladder watch`, until q or Ctrl-C."""

from __future__ import annotations

import datetime
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tsladder.console.live_table import Activity, render
from tsladder.console.screen import Screen, can_draw
from tsladder.console.status_lines import status_lines
from tsladder.console.study_view import StudyView, View
from tsladder.errors import BadInput
from tsladder.params import load_any_params
from tsladder.params.cells import refuse_without_cells
from tsladder.places import Places
from tsladder.status.study_state import StudyState


class _Ended(Exception):
    """Exception raised by a signal that ends the command."""


def watch_study(places: Places, *, interval: float) -> int:
    """Show the study until a Ctrl-C, SIGTERM or q, which end it successfully with exit code 0.

    Without a terminal to draw on, the plain status is printed at first and whenever a cell, its trials or a verdict
    have changed. Raises BadInput where params.yaml is faulty at the start, or plans no model of a panel.
    """
    if not math.isfinite(interval) or interval <= 0:
        raise BadInput(f"--interval must be a number of seconds above 0, got {interval:g}")
    refuse_without_cells(load_any_params(places.params), "watch")
    view = StudyView(places, interval=interval)
    with _ended_by_signals():
        try:
            if can_draw():
                _draw(view)
            else:
                _print(view, interval)
        except _Ended:
            pass
    return 0


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        # A second signal must not interrupt the restoring of the terminal.
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        raise _Ended

    previous = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _draw(view: StudyView) -> None:
    with Screen() as screen:
        while True:
            seen = view.refresh()
            stages = () if seen.state is None else seen.state.stages_running
            activity = Activity(
                current=f"stage {', '.join(stages)}" if stages else "DVC runs no stage",
                note=seen.fault,
                keys="q  quit" if screen.has_keys else None,
            )
            screen.draw(render(seen.state, activity, width=screen.width, height=screen.height))
            if "q" in screen.keys(0.5):
                return


def _print(view: StudyView, interval: float) -> None:
    before: object = None
    while True:
        seen = view.refresh()
        now = _comparable_part(seen)
        if now != before:
            before = now
            print(datetime.datetime.now().astimezone().isoformat(timespec="seconds"))
            print("\n".join(_lines(seen)) + "\n", flush=True)
        time.sleep(interval)


def _lines(seen: View) -> list[str]:
    note = [] if seen.fault is None else [f"! {seen.fault}"]
    return [*([] if seen.state is None else status_lines(seen.state)), *note]


def _comparable_part(seen: View) -> object:
    """Return the part of a view whose change is worth a new table: the times alone always change."""
    state: StudyState | None = seen.state
    if state is None:
        return seen.fault
    cells = {
        name: (cell.state, cell.phase, cell.trials_done, cell.best_score, cell.paused, cell.stalled_seconds is None)
        for name, cell in state.cells.items()
    }
    return state.study_key, cells, dict(state.verdicts), seen.fault
