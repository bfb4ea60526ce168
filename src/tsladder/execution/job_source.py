"""The port `JobSource`: jobs of one cell in their order, and what becomes of their events."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, TypeVar

from tsladder.artifacts.heat import TemperatureReading
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat

T = TypeVar("T")


class JobSource(Protocol):
    """Jobs that train on the same samples, such as the trials of a search, and what becomes of their events.

    `folds`: the samples. `workers`: how many of the jobs share one place. `models_per_job`: how many models a job
    trains, one after the other. `heartbeat` is notified of everything.
    """

    @property
    def folds(self) -> Sequence[Fold]: ...
    @property
    def workers(self) -> int: ...
    @property
    def models_per_job(self) -> int: ...
    @property
    def heartbeat(self) -> Heartbeat: ...

    @property
    def work_left(self) -> float:
        """Estimate of the work in jobs that have not started, in any unit that all sources share."""

    @property
    def is_ready(self) -> bool:
        """True where `next_job` may have a job now: if it has none, a slot was kept free for nothing. While no job of
        this source runs, False means that there is none any more."""

    def next_job(self, slot: Slot) -> JobOrder | None:
        """Return the next job, to be started in `slot`; None: none now, or, while no job of this source runs, none any
        more."""

    def again(self, number: int, slot: Slot) -> JobOrder:
        """Return the order of a job that was lost with its place, to be started in `slot`."""

    def on_epoch(self, event: Progress) -> None: ...
    def on_retry(self, event: Retried) -> None: ...
    def on_message(self, event: Message) -> None: ...
    def on_end(self, event: Ended) -> None: ...
    def on_stop(self) -> None:
        """Take notice that the user asks to stop."""


Steps = Generator[JobSource, TemperatureReading | None, T]
"""Work of one cell: it yields each source of jobs, is sent the reading of a stop for heat or None when they have ended,
and returns its result."""
