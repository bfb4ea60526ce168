"""Crew in virtual time: its jobs train nothing and end after as many seconds as their outcomes say.

It serves forecasts of a pool of slots, with the job loop and the draws of a real study.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, Event, JobOrder, Slot
from tsladder.execution.heartbeat import NO_HEARTBEAT, VitalSigns
from tsladder.planning.machine import Machine
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason


@dataclass(frozen=True, slots=True)
class _Running:
    order: JobOrder
    slot: Slot
    since: float


class VirtualCrew:
    """Crew of one place per item of `shares`, each that share of `machine`. `train` returns how a job ends, after how
    many seconds.

    `events` does not wait: it sets the clock to the next end of a job.
    """

    def __init__(self, machine: Machine, shares: Sequence[Fraction], train: Callable[[Job], TrainingOutcome]) -> None:
        self._machine = machine
        self._train = train
        self._roomy = {f"machine {number}": share for number, share in enumerate(shares, start=1) if share > 0}
        self._running: dict[int, _Running] = {}
        self._ends: list[tuple[float, int, TrainingOutcome]] = []
        self._held: dict[int, int] = {}
        self._holds = 0
        self._now = 0.0
        self._busy = 0.0
        self._paused = self._stopping = self._over = self._idle = False

    @property
    def seconds(self) -> float:
        """Virtual time since the beginning."""
        return self._now

    @property
    def busy_seconds(self) -> float:
        """Seconds of jobs that have ended, each times its share of a machine."""
        return self._busy

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self._running)

    def hold(self, folds: Sequence[Fold]) -> int:
        self._holds += 1
        self._held[self._holds] = 0
        return self._holds

    def release(self, samples: int) -> None:
        if self._held.get(samples, 0):
            raise ValueError(f"a job trains on samples {samples}")
        self._held.pop(samples, None)

    def free(self, workers: int) -> Sequence[Slot]:
        if self._over:
            return ()
        found: list[Slot] = []
        for place, unused in self._roomy.items():
            count = unused.numerator * workers // unused.denominator
            if count:
                found += (Slot(place=place, machine=self._machine, workers=workers),) * count
        return found

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self._running:
            raise ValueError(f"job {order.number} is running already")
        left = self._roomy.get(slot.place, Fraction(0)) - Fraction(1, slot.workers)
        if left < 0 or self._over:
            raise ValueError(f"no slot at {slot.place} is free for job {order.number}")
        self._set_room(slot.place, left)
        outcome = self._train(order.job)
        self._running[order.number] = _Running(order, slot, self._now)
        self._held[order.samples] = self._held.get(order.samples, 0) + 1
        heapq.heappush(self._ends, (self._now + outcome.seconds, order.number, outcome))

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Set the clock to the next end of a job and yield it. Raises RuntimeError where nothing runs, asked again: no
        event can come any more."""
        if self._paused:
            return
        if not self._running:
            if self._idle and not self._over:
                raise RuntimeError("no job runs and none was started: virtual time cannot go on")
            self._idle = True
            return
        self._idle = False
        if self._stopping:
            for number in self.running:
                job, seconds = self._running[number].order.job, self._now - self._running[number].since
                yield self._ended(number, ended_early(job, StopReason.INTERRUPTED, seconds, "asked to stop"))
            self._ends.clear()
            return
        self._now = self._ends[0][0]
        while self._ends and self._ends[0][0] <= self._now:
            _, number, outcome = heapq.heappop(self._ends)
            yield self._ended(number, outcome)

    def _ended(self, number: int, outcome: TrainingOutcome) -> Ended:
        job = self._running.pop(number)
        share = Fraction(1, job.slot.workers)
        self._set_room(job.slot.place, self._roomy.get(job.slot.place, Fraction(0)) + share)
        self._held[job.order.samples] -= 1
        self._busy += float(share) * (self._now - job.since)
        return Ended(number, outcome, job.order.attempt)

    def _set_room(self, place: str, unused: Fraction) -> None:
        """Note how much of a place no job uses. Places without room are left out, so that looking for a slot is
        quick."""
        if unused > 0:
            self._roomy[place] = unused
        else:
            self._roomy.pop(place, None)

    def vital_signs(self) -> dict[int, VitalSigns]:
        return dict.fromkeys(self._running, NO_HEARTBEAT)

    def stop_all(self) -> None:
        self._stopping = True

    def pause_all(self) -> None:
        self._paused = True

    def resume_all(self) -> None:
        self._paused = False

    def end_now(self) -> None:
        self._running.clear()
        self._ends.clear()
        self._over = True
