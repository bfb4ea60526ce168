"""Crew of the local machine: worker processes side by side, supervised by this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from tsladder.data.samples import Fold
from tsladder.execution.crew import Event, JobOrder, Slot
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.memory_guard import MemoryWatch
from tsladder.execution.supervisor import Supervisor
from tsladder.planning.machine import Machine

PLACE = "here"


class LocalCrew:
    """Crew of `workers` equal slots of `machine`. If jobs run on the CPU, the memory of each worker is watched."""

    def __init__(self, folds: Sequence[Fold], *, machine: Machine, workers: int, threads: int) -> None:
        share = machine.memory_gib / workers
        # The GPU memory of a worker is not part of the memory of its process.
        watch = MemoryWatch(share if machine.device == "cpu" else None)
        self._supervisor = Supervisor(folds, watch=watch)
        self._slots = (Slot(place=PLACE, machine=machine, memory_gib=share, threads=threads),) * workers
        self._attempts: dict[int, int] = {}

    @property
    def running(self) -> tuple[int, ...]:
        return self._supervisor.running

    def free(self) -> Sequence[Slot]:
        return self._slots[len(self.running) :]

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self.running:
            raise ValueError(f"job {order.number} is running already")
        if slot not in self.free():
            raise ValueError(f"no slot at {slot.place} is free for job {order.number}")
        self._attempts[order.number] = order.attempt
        self._supervisor.start(order.number, order.job)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        for event in self._supervisor.events(timeout):
            yield dataclasses.replace(event, attempt=self._attempts[event.number])

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
        self._slots = ()
