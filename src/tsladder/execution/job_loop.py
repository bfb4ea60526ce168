"""Job loop: keep a crew busy until no job is left to start, or until the user asks to stop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from tsladder.artifacts.heat import TemperatureReading
from tsladder.execution.crew import Crew, Ended, Event, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.thermal_guard import Action, ThermalWatch
from tsladder.interruption import graceful_stop
from tsladder.training.outcome import ended_early
from tsladder.vocabulary import StopReason

_POLL_SECONDS = 0.5


STOPPING = "stopping: trainings with checkpoints write one, the others finish their epoch"


def describe_retry(event: Retried) -> str:
    """Describe a retry in one line for the user."""
    if event.plan is None:
        return f"{event.reason}; it is started again"
    with_it = " and activation checkpointing" if event.plan.activation_checkpointing else ""
    return f"out of memory ({event.reason}); starts again at micro-batch {event.plan.micro_batch}{with_it}"


def heat_reason(reading: TemperatureReading, done: str) -> str:
    """Return the reason of a cell that failed for heat and that the next run resumes; `done` says how much was done."""
    return f"stopped for heat with {done} done: {reading}; the next run resumes from there"


def run_jobs(
    crew: Crew,
    *,
    next_job: Callable[[Slot], JobOrder | None],
    on_retry: Callable[[Retried], None],
    on_end: Callable[[Ended], None],
    on_stop: Callable[[], None],
    on_message: Callable[[Message], None],
    watch: ThermalWatch,
    heartbeat: Heartbeat,
    pause_requested: Callable[[], bool],
    on_epoch: Callable[[Progress], None] | None = None,
    models_per_job: int = 1,
) -> TemperatureReading | None:
    """Run jobs in the slots of `crew` until `next_job` has none and none is running, then end the crew.

    `next_job` is asked for each free slot; None means not now. Events of a job, or of an attempt at a job, that is not
    running are dropped. The first Ctrl-C or SIGTERM calls `on_stop` and lets the running jobs write a checkpoint, or
    finish their epoch if they keep none. While `watch` asks for a pause, or `pause_requested` returns True, the crew is
    suspended and no job is started. If `watch` stops the crew, its running jobs end as THERMAL. Returns the reading for
    which `watch` stopped the crew; None if it did not, or if the user had asked to stop before. `heartbeat` is notified
    of everything; each job trains `models_per_job` models, one after the other.
    """
    stop_sent = False
    started: dict[int, tuple[JobOrder, float]] = {}

    def ended(event: Ended) -> None:
        started.pop(event.number)
        heartbeat.ended(event.number)
        heat = watch.end(event.number)
        on_end(dataclasses.replace(event, outcome=dataclasses.replace(event.outcome, heat=heat)))

    def is_outdated(event: Event) -> bool:
        known = started.get(event.number)
        return known is None or known[0].attempt != event.attempt

    try:
        with graceful_stop() as stop:
            while True:
                stopping = stop.is_set
                action = watch.update(crew.running, stopping=stopping, pause_requested=pause_requested())
                if action is Action.STOP:
                    crew.end_now()
                    for number, (order, since) in list(started.items()):
                        seconds, message = time.perf_counter() - since, f"ended for heat: {watch.reading}"
                        outcome = ended_early(order.job, StopReason.THERMAL, seconds, message)
                        ended(Ended(number, outcome, order.attempt))
                    return None if stopping else watch.reading
                if action is Action.PAUSE:
                    crew.pause_all()
                else:
                    crew.resume_all()
                while action is Action.GO and not stop.is_set and (free := crew.free()):
                    following = next_job(free[0])
                    if following is None:
                        break
                    started[following.number] = (following, time.perf_counter())
                    watch.begin(following.number)
                    heartbeat.started(following.number, epochs=models_per_job * following.job.settings.epochs)
                    crew.start(following, free[0])
                if stopping and not stop_sent:
                    stop_sent = True
                    on_stop()
                    crew.stop_all()
                if not crew.running and action is Action.GO:
                    return None
                celsius = None if watch.reading is None else watch.reading.celsius
                heartbeat.beat(crew.vital_signs(), paused=watch.pause, celsius=celsius)
                for event in crew.events(timeout=_POLL_SECONDS):
                    if is_outdated(event):
                        continue
                    if isinstance(event, Ended):
                        ended(event)
                    elif isinstance(event, Retried):
                        heartbeat.restarted(event.number)
                        on_retry(event)
                    elif isinstance(event, Message):
                        on_message(event)
                    else:
                        record = event.record
                        phase = None if record.phase is None else str(record.phase)
                        heartbeat.epoch_ended(event.number, epoch=record.epoch, val_loss=record.val_loss, phase=phase)
                        if on_epoch is not None:
                            on_epoch(event)
    finally:
        crew.end_now()
        heartbeat.stop()
