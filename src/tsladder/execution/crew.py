"""Workers that train models side by side, wherever they are: the port that searches and retrainings work through.

An implementation says which slots are free, starts a job in one and tells what becomes of it. What every
implementation promises is tested in tests/execution/crew_contract.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tsladder.artifacts.outcome import BatchPlan, Outcome
from tsladder.data.windows import FoldWindows
from tsladder.execution.heartbeat import VitalSigns
from tsladder.planning.machine import Machine
from tsladder.training.outcome import EpochRecord, Job


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """Room for one job: its part of `machine` at the place of this name. A job's batch plan, device and threads follow
    from its slot."""

    place: str
    machine: Machine
    memory_gib: float
    threads: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOrder:
    """A job to be started. `number` names it, and `attempt` (from 1) tells its start from an earlier one."""

    number: int
    job: Job
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """Job `number` finished an epoch."""

    number: int
    record: EpochRecord
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Retried:
    """Job `number` was started again in its slot: it ran out of memory, and `plan` is the smaller one; or it had
    stalled, and `plan` is None."""

    number: int
    plan: BatchPlan | None
    reason: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """Job `number` has a line for people."""

    number: int
    text: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Ended:
    """Job `number` is over."""

    number: int
    outcome: Outcome
    attempt: int = 1


Event = Progress | Retried | Said | Ended


class Crew(Protocol):
    """Workers with the windows of one cell."""

    @property
    def running(self) -> tuple[int, ...]:
        """The numbers of the jobs that were started and have not ended."""

    def free(self) -> Sequence[Slot]:
        """The slots in which a job can be started now."""

    def start(self, order: JobOrder, slot: Slot) -> None:
        """Start a job in a slot that is free. Raises ValueError where its number is running or no such slot is free."""

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait until a job has news (at most `timeout` seconds), then yield what there is.

        Of a job its epochs come in order and one Ended comes last, whatever befell it.
        """

    def vital_signs(self) -> dict[int, VitalSigns]:
        """Silence and memory of every job that runs."""

    def stop_all(self) -> None:
        """Ask every job to stop: at once with a checkpoint where it keeps one, else after its current epoch."""

    def pause_all(self) -> None:
        """Suspend every job where it stands, until `resume_all`; called again it takes in those started since."""

    def resume_all(self) -> None:
        """Let every suspended job run on."""

    def end_now(self) -> None:
        """Kill what runs, without an Ended, and give up every slot."""


class Crews(Protocol):
    """Bring together a crew whose jobs train one model on the last of `folds`, or one on each of several in turn.

    `machine`: this one; `workers` jobs at once are wanted here, on `threads` threads each.
    """

    def __call__(self, folds: Sequence[FoldWindows], *, machine: Machine, workers: int, threads: int) -> Crew: ...
