"""Crews that train in this process, one job after the other, as the workers of a machine do without their processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tsladder.artifacts.outcome import EpochRecord, TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, Event, JobOrder, Progress, Slot
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.shared_windows import SentFolds
from tsladder.execution.worker import run_job
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job


class Killed(BaseException):
    """Stands for a kill -9 of this process."""


@dataclass
class HereCrews:
    """`trained`: the jobs that ended. The process is killed when `kill_after` of them have."""

    kill_after: int | None = None
    trained: list[Job] = field(default_factory=list)

    def __call__(self, machine: Machine) -> HereCrew:
        return HereCrew(self, machine)


class _Channel:
    """The end of a pipe that keeps what is sent through it, and brings nothing."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: object) -> None:
        self.sent.append(message)

    def poll(self) -> bool:
        return False

    def close(self) -> None: ...


class HereCrew:
    def __init__(self, crews: HereCrews, machine: Machine) -> None:
        self._crews, self._machine = crews, machine
        self._samples: list[SentFolds] = []
        self._order: JobOrder | None = None

    @property
    def running(self) -> tuple[int, ...]:
        return () if self._order is None else (self._order.number,)

    def hold(self, folds: Sequence[Fold]) -> int:
        self._samples.append(SentFolds(tuple(folds)))
        return len(self._samples) - 1

    def release(self, samples: int) -> None: ...

    def free(self, workers: int) -> Sequence[Slot]:
        return () if self._order is not None else (Slot(place="here", machine=self._machine, workers=workers),)

    def start(self, order: JobOrder, slot: Slot) -> None:
        self._order = order

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        order = self._order
        if order is None:
            return
        if self._crews.kill_after is not None and len(self._crews.trained) >= self._crews.kill_after:
            raise Killed
        channel = _Channel()
        run_job(cast(Any, channel), order.job, self._samples[order.samples])
        for message in channel.sent:
            if isinstance(message, EpochRecord):
                yield Progress(order.number, message, order.attempt)
            elif isinstance(message, TrainingOutcome):
                self._order = None
                self._crews.trained.append(order.job)
                yield Ended(order.number, message, order.attempt)

    def vital_signs(self) -> dict[int, VitalSigns]:
        return {}

    def stop_all(self) -> None: ...

    def pause_all(self) -> None: ...

    def resume_all(self) -> None: ...

    def end_now(self) -> None:
        self._order = None
