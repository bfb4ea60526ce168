"""Trainings that take no time: a crew in this process that computes a learning curve from what a job is."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tsladder.artifacts.outcome import EpochRecord, FoldOutcome, TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, Event, JobOrder, Progress, Retried, Slot
from tsladder.execution.heartbeat import VitalSigns
from tsladder.planning.machine import Machine
from tsladder.planning.memory import smaller_plan
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

LEAST_GIB = 0.1
"""What a job takes under its smallest plan, and more."""


class Killed(Exception):
    """The process is gone."""


@dataclass
class InstantCrews:
    """Crews that end their jobs in an order drawn by `seed`.

    `trained`: the numbers of the jobs that they ended; those in `failing` run out of memory.
    """

    seed: int = 0
    failing: frozenset[int] = frozenset()
    trained: list[int] = field(default_factory=list)

    def __call__(self, machine: Machine) -> InstantCrew:
        return InstantCrew(self, machine)


@dataclass
class _Running:
    order: JobOrder
    slot: Slot
    outcome: TrainingOutcome
    epochs: int = 0
    retries: int = 0


class InstantCrew:
    """An epoch of one of its jobs passes in each call of `events`."""

    def __init__(self, crews: InstantCrews, machine: Machine) -> None:
        self._crews = crews
        self._machine = machine
        self._samples: list[int] = []
        self._over = False
        self._rng = random.Random(crews.seed)
        self._jobs: dict[int, _Running] = {}
        self._paused = self._stopping = False

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self._jobs)

    def hold(self, folds: Sequence[Fold]) -> int:
        self._samples.append(len(folds))
        return len(self._samples) - 1

    def release(self, samples: int) -> None:
        if any(job.order.samples == samples for job in self._jobs.values()):
            raise ValueError(f"a job trains on samples {samples}")

    def free(self, workers: int) -> Sequence[Slot]:
        unused = 0 if self._over else 1 - sum(Fraction(1, job.slot.workers) for job in self._jobs.values())
        return (Slot(place="here", machine=self._machine, workers=workers),) * int(unused * workers)

    def start(self, order: JobOrder, slot: Slot) -> None:
        if order.number in self._jobs or slot not in self.free(slot.workers):
            raise ValueError(f"job {order.number} is running already, or its slot is not free")
        outcome = outcome_of(order.job)
        if (models := self._samples[order.samples]) > 1:
            outcome = dataclasses.replace(outcome, folds=(_fold_of(outcome),) * models)
        self._jobs[order.number] = _Running(order, slot, outcome)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        if not self._jobs or self._paused:
            return
        number = self._rng.choice(list(self._jobs))
        job = self._jobs[number]
        attempt, outcome = job.order.attempt, job.outcome
        if number in self._crews.failing:
            yield self._ended(number, ended_early(job.order.job, StopReason.OUT_OF_MEMORY, 1.0, "made to fail"))
        elif job.slot.memory_gib < LEAST_GIB:
            smaller = smaller_plan(outcome.plan)
            job.retries += smaller is not None
            job.outcome = dataclasses.replace(outcome, plan=smaller or outcome.plan)
            if smaller is not None:
                yield Retried(number, smaller, "the slot is too small", attempt)
            else:
                yield self._ended(number, ended_early(job.order.job, StopReason.OUT_OF_MEMORY, 1.0, "too small"))
        elif self._stopping:
            seen = dataclasses.replace(outcome.first_epochs(job.epochs), stop_reason=StopReason.INTERRUPTED)
            yield self._ended(number, seen)
        elif job.epochs < len(outcome.curve):
            job.epochs += 1
            yield Progress(number, epoch_record(job.epochs, outcome.curve[job.epochs - 1][1]), attempt)
        else:
            yield self._ended(number, outcome)

    def _ended(self, number: int, outcome: TrainingOutcome) -> Ended:
        job = self._jobs.pop(number)
        self._crews.trained.append(number)
        return Ended(number, dataclasses.replace(outcome, retries=job.retries), job.order.attempt)

    def vital_signs(self) -> dict[int, VitalSigns]:
        return {number: VitalSigns(silent_seconds=0.0, resident_gib=None) for number in self._jobs}

    def stop_all(self) -> None:
        self._stopping = True

    def pause_all(self) -> None:
        self._paused = True

    def resume_all(self) -> None:
        self._paused = False

    def end_now(self) -> None:
        self._jobs.clear()
        self._over = True


def outcome_of(job: Job) -> TrainingOutcome:
    """A function of what decides a training's numbers, and of the bar that it must not stay above."""
    sizes = dataclasses.asdict(job.spec)
    if job.spec.n_graph == 0:
        del sizes["n_graph"]
    rng = random.Random(repr((sizes, job.settings, job.seed)))
    floor = 0.5 + 0.05 * abs(math.log(job.settings.learning_rate / 6e-4)) + 0.02 * rng.random()
    pace = rng.uniform(0.5, 3.0)
    curve: list[tuple[int, float]] = []
    stop_reason = StopReason.DIVERGED if rng.random() < 0.1 else StopReason.COMPLETED
    for epoch in range(1, 3 if stop_reason is StopReason.DIVERGED else job.settings.epochs + 1):
        loss = floor + 0.3 * math.exp(-epoch / pace)
        curve.append((4 * epoch, loss))
        if job.bar is not None and job.bar.is_hopeless(curve):
            stop_reason = StopReason.PRUNED
            break
    scored = stop_reason is StopReason.COMPLETED
    return TrainingOutcome(
        stop_reason=stop_reason,
        best_val_loss=curve[-1][1] if scored else None,
        val_loss_se=0.01 if scored else None,
        best_epoch=len(curve) if scored else None,
        val_auc=0.6 if scored else None,
        n_params=job.spec.n_params,
        curve=tuple(curve),
        train_losses=tuple(loss + 0.01 for _, loss in curve),
        plan=job.plan,
        retries=0,
        peak_memory_gib=0.5,
        seconds=float(len(curve)),
        train_seconds=0.5 * len(curve),
    )


def _fold_of(outcome: TrainingOutcome) -> FoldOutcome:
    """What a walk forward reports of a fold that is like all its others."""
    return FoldOutcome(
        stop_reason=outcome.stop_reason,
        best_val_loss=outcome.best_val_loss,
        val_loss_se=outcome.val_loss_se,
        best_epoch=outcome.best_epoch,
        val_auc=outcome.val_auc,
        epochs_run=outcome.epochs_run,
        seconds=outcome.seconds,
    )


def epoch_record(epoch: int, loss: float) -> EpochRecord:
    return EpochRecord(
        epoch=epoch, steps=4 * epoch, train_loss=loss + 0.01, val_loss=loss, train_seconds=0.5, seconds=1.0
    )
