"""The port `Crew`: workers, wherever they run, that train models side by side for searches and retrainings.

An implementation reports which slots are free, starts a job in a slot and yields the events of its jobs.
tests/execution/crew_contract.py tests what every implementation promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.heartbeat import VitalSigns
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One of `workers` equal shares of the machine at the place called `place`. The batch plan, device and threads of a
    job follow from its slot. `kind`: in slots of one kind and size a job has the same numbers, bit for bit."""

    place: str
    machine: Machine
    workers: int
    kind: str = ""

    @property
    def memory_gib(self) -> float:
        return self.machine.memory_gib / self.workers

    @property
    def threads(self) -> int:
        return max(1, self.machine.cores // self.workers)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOrder:
    """Order to start a job. `number` identifies the job, and `attempt` (from 1) tells repeated starts of the same job
    apart. `samples`: on what it trains, as `Crew.hold` returned it."""

    number: int
    job: Job
    attempt: int = 1
    samples: int = 0


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


@dataclass(frozen=True, slots=True)
class Lost:
    """Event: job `number` is lost with the place that ran it, for the reason `reason`; no other event of this attempt
    follows."""

    number: int
    reason: str
    attempt: int = 1


Event = Progress | Retried | Message | Ended | Lost


class Crew(Protocol):
    """Workers at one place or several, which come and go. Each place is one device: a GPU, or the cores of a
    machine."""

    @property
    def running(self) -> tuple[int, ...]:
        """Numbers of the jobs that were started and have not ended."""

    def hold(self, folds: Sequence[Fold]) -> int:
        """Keep samples for jobs, which train one model on the last of `folds`, or one on each of several folds in turn;
        return the number by which orders name them."""

    def release(self, samples: int) -> None:
        """Forget samples on which no job trains any more. Raises ValueError while one does. After `end_now` nothing is
        held, and nothing happens."""

    def free(self, workers: int) -> Sequence[Slot]:
        """Return the slots of the size at which `workers` fit one place, in which jobs can be started now, all
        together."""

    def start(self, order: JobOrder, slot: Slot) -> None:
        """Start a job in a free slot. Raises ValueError if a job of that number is running or the slot is not free."""

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait until there is an event of some job (at most `timeout` seconds), then yield all events that are there.

        The epochs of a job come in order, and exactly one Ended or Lost comes last, however the job ended.
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


Crews = Callable[[Machine], Crew]
"""Factory of crews. Its argument describes the machine of this process."""
