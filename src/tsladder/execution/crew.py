"""The port `Crew`: workers, wherever they run, that train models side by side for searches and retrainings.

An implementation reports which slots are free, starts a job in a slot and yields the events of its jobs.
tests/execution/crew_contract.py tests what every implementation promises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.heartbeat import VitalSigns
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """Resources for one job: its share of `machine` at the place called `place`. The batch plan, device and threads of
    a job follow from its slot."""

    place: str
    machine: Machine
    memory_gib: float
    threads: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOrder:
    """Order to start a job. `number` identifies the job, and `attempt` (from 1) tells repeated starts of the same job
    apart."""

    number: int
    job: Job
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Event: job `number` finished an epoch."""

    number: int
    record: EpochRecord
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Retried:
    """Event: job `number` was started again in its slot.

    Either it ran out of memory, and `plan` is the smaller batch plan; or it had stalled, and `plan` is None.
    """

    number: int
    plan: BatchPlan | None
    reason: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """Event: job `number` has a line of text for the user."""

    number: int
    text: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """Event: job `number` has ended."""

    number: int
    outcome: TrainingOutcome
    attempt: int = 1


Event = Progress | Retried | Message | Ended


class Crew(Protocol):
    """Workers that hold the samples of one cell."""

    @property
    def running(self) -> tuple[int, ...]:
        """Numbers of the jobs that were started and have not ended."""

    def free(self) -> Sequence[Slot]:
        """Return the slots in which a job can be started now."""

    def start(self, order: JobOrder, slot: Slot) -> None:
        """Start a job in a free slot. Raises ValueError if a job of that number is running or the slot is not free."""

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait until there is an event of some job (at most `timeout` seconds), then yield all events that are there.

        The epochs of a job come in order, and exactly one Ended comes last, however the job ended.
        """

    def vital_signs(self) -> dict[int, VitalSigns]:
        """Return the silence and the memory of every running job."""

    def stop_all(self) -> None:
        """Ask every job to stop: at once, with a checkpoint, if it keeps one; else after its current epoch."""

    def pause_all(self) -> None:
        """Suspend every job where it stands, until `resume_all`. A repeated call also suspends the jobs started
        since."""

    def resume_all(self) -> None:
        """Resume every suspended job."""

    def end_now(self) -> None:
        """Kill every running job without an Ended event, and give up all slots."""


class Crews(Protocol):
    """Factory of crews whose jobs train one model on the last of `folds`, or one on each of several folds in turn.

    `machine`: the machine of this process, on which `workers` jobs at a time are wanted, with `threads` threads each.
    """

    def __call__(self, folds: Sequence[Fold], *, machine: Machine, workers: int, threads: int) -> Crew: ...
