"""The loop that keeps the workers of one cell busy until there is nothing left to start, or until asked to stop."""

from __future__ import annotations

from collections.abc import Callable

from tsladder.interruption import graceful_stop
from tsladder.training.outcome import Job
from tsladder.training.supervisor import Ended, Progress, Retried, Supervisor

_POLL_SECONDS = 0.5


def retry_words(event: Retried) -> str:
    """One line for whoever watches the run."""
    with_it = " and activation checkpointing" if event.plan.activation_checkpointing else ""
    return f"out of memory ({event.reason}); starts again at micro-batch {event.plan.micro_batch}{with_it}"


def keep_busy(
    supervisor: Supervisor,
    *,
    workers: int,
    next_job: Callable[[], tuple[int, Job] | None],
    on_progress: Callable[[Progress], None],
    on_retry: Callable[[Retried], None],
    on_end: Callable[[Ended], None],
    on_stop: Callable[[], None],
) -> None:
    """Run jobs on `workers` workers until `next_job` has none and none is running, then end every worker.

    `next_job` is asked whenever a worker is free; None means not now. The first Ctrl-C or SIGTERM calls `on_stop`
    and lets the running jobs finish their epoch.
    """
    told_to_stop = False
    try:
        with graceful_stop() as stop:
            while True:
                while not stop.is_set and len(supervisor.running) < workers:
                    job = next_job()
                    if job is None:
                        break
                    supervisor.start(*job)
                if stop.is_set and not told_to_stop:
                    told_to_stop = True
                    on_stop()
                    supervisor.stop_all()
                if not supervisor.running:
                    return
                for event in supervisor.events(timeout=_POLL_SECONDS):
                    if isinstance(event, Ended):
                        on_end(event)
                    elif isinstance(event, Retried):
                        on_retry(event)
                    else:
                        on_progress(event)
    finally:
        supervisor.end_now()
