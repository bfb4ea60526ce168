"""Crew of the local machine: worker processes side by side, supervised by this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fractions import Fraction

from tsladder.data.samples import Fold
from tsladder.execution.crew import Event, JobOrder, Slot
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.local_places import LocalPlace, local_places
from tsladder.execution.memory_guard import MemoryWatch
from tsladder.execution.supervisor import Supervisor
from tsladder.planning.machine import Machine


class LocalCrew:
    """Crew of the places of this machine, which `machine` describes: its cores, or each of its GPUs.

    If jobs run on the CPU, the memory of each worker is watched. `places`: instead of those that are found.
    """

    def __init__(self, machine: Machine, places: Sequence[LocalPlace] | None = None) -> None:
        found = local_places(machine) if places is None else places
        self._places = {place.name: place for place in found}
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
        """Return the free slots; those of places with the most room come first."""
        if self._ended:
            return ()
        turns = [
            (Fraction(taken, workers) - unused, number, place)
            for number, place in enumerate(self._places.values())
            for unused in [self._unused(place.name)]
            for taken in range(int(unused * workers))
        ]
        return [
            Slot(place=place.name, machine=place.machine, workers=workers, kind=place.kind)
            for _, _, place in sorted(turns, key=lambda turn: turn[:2])
        ]

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self.running:
            raise ValueError(f"job {order.number} is running already")
        if slot not in self.free(slot.workers):
            raise ValueError(f"no slot at {slot.place} is free for job {order.number}")
        self._orders[order.number] = order, slot
        self._supervisor.start(
            order.number,
            order.job,
            samples=order.samples,
            # The GPU memory of a worker is not part of the memory of its process.
            limit_gib=slot.memory_gib if slot.machine.device == "cpu" else None,
            environment=self._places[slot.place].environment,
        )

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

    def _unused(self, place: str) -> Fraction:
        """Share of a place that no job uses."""
        slots = [self._orders[number][1] for number in self.running]
        used = sum((Fraction(1, slot.workers) for slot in slots if slot.place == place), Fraction(0))
        return max(Fraction(0), 1 - used)
