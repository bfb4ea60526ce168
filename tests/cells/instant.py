"""Trainings that take no time: a crew that computes a learning curve from what a job is, in place of workers."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tsladder.cells import trial_runner
from tsladder.execution.supervisor import Ended
from tsladder.training.outcome import EpochRecord, Job, Outcome
from tsladder.vocabulary import StopReason


class Killed(Exception):
    """The process is gone."""


@dataclass
class InstantCrew:
    """Keeps so many jobs running as there are workers and ends them in an order drawn by `seed`.

    `trained`: the numbers of the jobs that it ended; those in `failing` run out of memory.
    """

    seed: int = 0
    failing: frozenset[int] = frozenset()
    trained: list[int] = field(default_factory=list)

    def __call__(
        self,
        _supervisor: object,
        *,
        workers: int,
        next_job: Callable[[], tuple[int, Job] | None],
        on_end: Callable[[Ended], None],
        **_others: Any,
    ) -> None:
        rng = random.Random(self.seed)
        running: list[tuple[int, Job]] = []
        while True:
            while len(running) < workers and (found := next_job()) is not None:
                running.append(found)
            if not running:
                return
            number, job = running.pop(rng.randrange(len(running)))
            self.trained.append(number)
            outcome = outcome_of(job)
            if number in self.failing:
                early = {"best_val_loss": None, "val_loss_se": None, "best_epoch": None, "val_auc": None, "curve": ()}
                outcome = dataclasses.replace(outcome, stop_reason=StopReason.OUT_OF_MEMORY, **early)
            on_end(Ended(number, outcome))

    @classmethod
    def hired(cls, monkeypatch: pytest.MonkeyPatch, **options: Any) -> InstantCrew:
        """A crew that searches of this process work with until the test ends or another one is hired."""
        crew = cls(**options)
        monkeypatch.setattr(trial_runner, "keep_busy", crew)
        monkeypatch.setattr(trial_runner, "Supervisor", lambda *_, **__: None)
        return crew


def outcome_of(job: Job) -> Outcome:
    """A function of what decides a training's numbers, and of the bar that it must not stay above."""
    rng = random.Random(repr((job.spec, job.settings, job.seed)))
    floor = 0.5 + 0.05 * abs(math.log(job.settings.learning_rate / 6e-4)) + 0.02 * rng.random()
    pace = rng.uniform(0.5, 3.0)
    curve: list[EpochRecord] = []
    stop_reason = StopReason.DIVERGED if rng.random() < 0.1 else StopReason.COMPLETED
    for epoch in range(1, 3 if stop_reason is StopReason.DIVERGED else job.settings.epochs + 1):
        loss = floor + 0.3 * math.exp(-epoch / pace)
        curve.append(_epoch(epoch, loss))
        if job.bar is not None and job.bar.is_hopeless([(past.steps, past.val_loss) for past in curve]):
            stop_reason = StopReason.PRUNED
            break
    scored = stop_reason is StopReason.COMPLETED
    return Outcome(
        stop_reason=stop_reason,
        best_val_loss=curve[-1].val_loss if scored else None,
        val_loss_se=0.01 if scored else None,
        best_epoch=len(curve) if scored else None,
        val_auc=0.6 if scored else None,
        n_params=job.spec.n_params,
        curve=tuple(curve),
        plan=job.plan,
        retries=0,
        peak_memory_gib=0.5,
        seconds=float(len(curve)),
    )


def _epoch(epoch: int, loss: float) -> EpochRecord:
    return EpochRecord(
        epoch=epoch, steps=4 * epoch, train_loss=loss + 0.01, val_loss=loss, train_seconds=0.5, seconds=1.0
    )
