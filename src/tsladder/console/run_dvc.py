"""Run one command of DVC, or trainings before it, to its end, with a live table or with plain output."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.console.dvc_process import NO_VARIABLES, DvcProcess, command_running
from tsladder.console.live_table import Activity, render
from tsladder.console.manual_pause import ManualPause
from tsladder.console.run_log import RunLog, Timeline
from tsladder.console.screen import Screen
from tsladder.console.study_view import StudyView
from tsladder.places import Places

_TICK_SECONDS = 0.5
_MESSAGES = 3


@dataclass(frozen=True, slots=True)
class DvcResult:
    """Exit code of a command, negative for the signal that killed it; whether the user stopped it; and whether it was
    killed otherwise, which is known of modules that work like a stage."""

    code: int
    stopped: bool
    killed: bool = False


def run_dvc(
    places: Places,
    arguments: tuple[str, ...],
    log: RunLog,
    timeline: Timeline,
    pause: ManualPause | None,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> DvcResult:
    """Run DVC with `arguments`. Afterwards all its output is in `log` and has been passed to `timeline`.

    `pause`: manual pause that a key of the live table toggles; None: there is no table, and DVC's output goes to this
    process's output.
    """
    return run_command(places, "dvc", arguments, log, timeline, pause, variables)


def run_command(
    places: Places,
    module: str,
    arguments: tuple[str, ...],
    log: RunLog,
    timeline: Timeline,
    pause: ManualPause | None,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> DvcResult:
    """Run the Python module `module` with `arguments` and with `variables` added to its environment, as `run_dvc`
    does."""
    log.note(f"> {module} " + " ".join(arguments))
    with command_running(places, module, arguments, log, echo=pause is None, variables=variables) as dvc:
        if pause is not None:
            _show(places, dvc, log, timeline, pause)
        dvc.wait()
    timeline.add_lines(log.new_lines())
    timeline.close(datetime.datetime.now(datetime.UTC))
    return DvcResult(dvc.code, dvc.stops > 0, dvc.was_killed)


def _show(places: Places, dvc: DvcProcess, log: RunLog, timeline: Timeline, pause: ManualPause) -> None:
    view = StudyView(places)
    note: str | None = None
    with Screen() as screen:
        while not dvc.wait(0):
            timeline.add_lines(log.new_lines())
            seen = view.refresh()
            activity = Activity(
                current=_current_activity(timeline, dvc, pause, kept=log.kept),
                messages=timeline.messages(_MESSAGES),
                note=note or seen.fault,
                keys=_keys(dvc, pause) if screen.has_keys else None,
            )
            screen.draw(render(seen.state, activity, width=screen.width, height=screen.height))
            for key in screen.keys(_TICK_SECONDS):
                if key == "q":
                    pause.release()
                    dvc.ask_to_stop()
                elif key == "p" and not dvc.stops:
                    note = pause.toggle()


def _current_activity(timeline: Timeline, dvc: DvcProcess, pause: ManualPause, *, kept: bool) -> str:
    if not kept:
        current = "DVC runs; its stage is not known without a log"
    elif timeline.stage is None or timeline.began is None:
        current = "DVC checks what has changed"
    else:
        minutes, seconds = divmod(int((datetime.datetime.now(datetime.UTC) - timeline.began).total_seconds()), 60)
        current = f"stage {timeline.stage}, for {f'{minutes} min ' if minutes else ''}{seconds} s"
    if dvc.stops:
        return f"{current}; stopping" + (
            " at once" if dvc.stops > 1 else ": writing a checkpoint, or finishing the epoch"
        )
    return f"{current}; paused, no model is trained" if pause.is_active else current


def _keys(dvc: DvcProcess, pause: ManualPause) -> str:
    if dvc.stops:
        return "q  stop at once"
    return f"q  stop and keep what is done    p  {'resume' if pause.is_active else 'pause'}"
