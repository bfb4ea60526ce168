"""Crew of the local machine: worker processes side by side, supervised by this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fractions import Fraction

from tsladder.data.samples import Fold
from tsladder.execution.crew import Event, JobOrder, Slot
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.memory_guard import MemoryWatch
from tsladder.execution.supervisor import Supervisor
from tsladder.planning.machine import Machine

PLACE = "here"


class LocalCrew:
    """Crew of one place, which is `machine`. If jobs run on the CPU, the memory of each worker is watched."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._supervisor = Supervisor(watch=MemoryWatch())
        self._orders: dict[int, tuple[JobOrder, Slot]] = {}
        self._ended = False

    @property
    def running(self) -> tuple[int, ...]:
        return self._supervisor.running

    def hold(self, folds: Sequence[Fold]) -> int:
        return self._supervisor.hold(folds)

    def release(self, samples: int) -> None:
        self._supervisor.release(samples)

    def free(self, workers: int) -> Sequence[Slot]:
        return (Slot(place=PLACE, machine=self._machine, workers=workers),) * int(self._unused * workers)

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self.running:
            raise ValueError(f"job {order.number} is running already")
        if slot not in self.free(slot.workers):
            raise ValueError(f"no slot at {slot.place} is free for job {order.number}")
        self._orders[order.number] = order, slot
        # The GPU memory of a worker is not part of the memory of its process.
        limit = slot.memory_gib if slot.machine.device == "cpu" else None
        self._supervisor.start(order.number, order.job, samples=order.samples, limit_gib=limit)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        for event in self._supervisor.events(timeout):
            yield dataclasses.replace(event, attempt=self._orders[event.number][0].attempt)

    def vital_signs(self) -> dict[int, VitalSigns]:
        return self._supervisor.vital_signs()

    def stop_all(self) -> None:
        self._supervisor.stop_all()

    def pause_all(self) -> None:
        self._supervisor.pause_all()

    def resume_all(self) -> None:
        self._supervisor.resume_all()

    def end_now(self) -> None:
        self._supervisor.end_now()
        self._ended = True

    @property
    def _unused(self) -> Fraction:
        """Share of the place that no job uses."""
        if self._ended:
            return Fraction(0)
        used = sum((Fraction(1, self._orders[number][1].workers) for number in self.running), Fraction(0))
        return max(Fraction(0), 1 - used)
