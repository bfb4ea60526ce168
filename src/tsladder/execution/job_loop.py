"""The loop that keeps the workers of one cell busy until there is nothing left to start, or until asked to stop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.supervisor import Ended, Progress, Retried, Said, Supervisor
from tsladder.execution.thermal_guard import Action, ThermalWatch
from tsladder.interruption import graceful_stop
from tsladder.training.heat import Reading
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

_POLL_SECONDS = 0.5


STOPPING = "stopping: trainings that keep a checkpoint write it, the others finish their epoch"


def retry_words(event: Retried) -> str:
    """One line for whoever watches the run."""
    if event.plan is None:
        return f"{event.reason}; it is started once more"
    with_it = " and activation checkpointing" if event.plan.activation_checkpointing else ""
    return f"out of memory ({event.reason}); starts again at micro-batch {event.plan.micro_batch}{with_it}"


def heat_reason(reading: Reading, done: str) -> str:
    """Why a cell is failed for now that had `done`."""
    return f"stopped for heat with {done} done: {reading}; the next run goes on from there"


def keep_busy(
    supervisor: Supervisor,
    *,
    workers: int,
    next_job: Callable[[], tuple[int, Job] | None],
    on_retry: Callable[[Retried], None],
    on_end: Callable[[Ended], None],
    on_stop: Callable[[], None],
    on_said: Callable[[Said], None],
    watch: ThermalWatch,
    heartbeat: Heartbeat,
    by_hand: Callable[[], bool],
    on_epoch: Callable[[Progress], None] | None = None,
) -> Reading | None:
    """Run jobs on `workers` workers until `next_job` has none and none is running, then end every worker.

    `next_job` is asked whenever a worker is free; None means not now. The first Ctrl-C or SIGTERM calls `on_stop` and
    lets the running jobs leave a checkpoint, or finish their epoch where they keep none. While `watch` says so, or
    `by_hand`, the workers are suspended and none is started; the reading for which `watch` ended them is returned,
    after what was running has ended as THERMAL. `heartbeat` is told of everything.
    """
    told_to_stop = False
    started: dict[int, tuple[Job, float]] = {}

    def ended(event: Ended) -> None:
        started.pop(event.number)
        heartbeat.ended(event.number)
        heat = watch.end(event.number)
        on_end(dataclasses.replace(event, outcome=dataclasses.replace(event.outcome, heat=heat)))

    try:
        with graceful_stop() as stop:
            while True:
                stopping = stop.is_set
                action = watch.look(supervisor.running, stopping=stopping, by_hand=by_hand())
                if action is Action.STOP:
                    supervisor.end_now()
                    for number, (job, since) in list(started.items()):
                        seconds, message = time.perf_counter() - since, f"ended for heat: {watch.reading}"
                        ended(Ended(number, ended_early(job, StopReason.THERMAL, seconds, message)))
                    return None if stopping else watch.reading
                if action is Action.PAUSE:
                    supervisor.pause_all()
                else:
                    supervisor.resume_all()
                while action is Action.GO and not stop.is_set and len(supervisor.running) < workers:
                    next_one = next_job()
                    if next_one is None:
                        break
                    number, job = next_one
                    started[number] = (job, time.perf_counter())
                    watch.begin(number)
                    heartbeat.began(number, epochs=supervisor.models_a_job * job.settings.epochs)
                    supervisor.start(number, job)
                if stopping and not told_to_stop:
                    told_to_stop = True
                    on_stop()
                    supervisor.stop_all()
                if not supervisor.running and action is Action.GO:
                    return None
                celsius = None if watch.reading is None else watch.reading.celsius
                heartbeat.beat(supervisor.vital_signs(), paused=watch.pause, celsius=celsius)
                for event in supervisor.events(timeout=_POLL_SECONDS):
                    if isinstance(event, Ended):
                        ended(event)
                    elif isinstance(event, Retried):
                        heartbeat.began_again(event.number)
                        on_retry(event)
                    elif isinstance(event, Said):
                        on_said(event)
                    else:
                        heartbeat.epoch_ended(event.number, epoch=event.record.epoch, val_loss=event.record.val_loss)
                        if on_epoch is not None:
                            on_epoch(event)
    finally:
        supervisor.end_now()
        heartbeat.stop()
