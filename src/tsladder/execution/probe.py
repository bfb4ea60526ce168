"""Probe: a short real training run of a model under a batch plan, to measure its memory and time on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.artifacts.plans import Recipe
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows, Windows
from tsladder.execution.crew import Ended, Progress
from tsladder.execution.supervisor import Supervisor
from tsladder.models.spec import ModelSpec
from tsladder.planning.memory import best_on_disk, scoring_batch
from tsladder.planning.recipe import Settings
from tsladder.training.outcome import Job

EPOCHS = 2
"""Epochs after which memory has reached its peak: gradients and moments exist from the first step on, the copy of the
best weights from the first epoch on."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Outcome of a probe, and its epochs in order."""

    outcome: TrainingOutcome
    epochs: tuple[EpochRecord, ...]


def probe(
    spec: ModelSpec,
    plan: BatchPlan,
    *,
    device: str,
    threads: int,
    scratch: Path,
    epochs: int = EPOCHS,
    steps: int = 1,
) -> Probe:
    """Train `spec` on synthetic windows for `epochs` of `steps` steps each, with a validation pass after each, in a
    worker process like that of a trial.

    The worker is started without a crew: its memory is what is measured, so it is not limited to the share of a slot.

    The plan is executed as given or, if memory runs out, as reduced by the retries; the outcome holds the plan that was
    used.
    """
    job = Job(
        spec=spec,
        settings=Settings(learning_rate=1e-4, weight_decay=1e-3, dropout=0.1, warmup_steps=1, epochs=epochs),
        recipe=Recipe(
            effective_batch=plan.effective_batch,
            precision=plan.precision,
            optimizer=plan.optimizer,
            schedule="cosine",
            max_gradient_norm=1.0,
            patience=None,
            min_delta=0.0,
            loss="bce",
            monitor="val_loss",
        ),
        task="direction",
        seed=1,
        plan=plan,
        device=device,
        threads=threads,
        scratch_folder=str(scratch) if best_on_disk(spec) else None,
    )
    train = synthetic_windows(spec, plan.effective_batch * steps)
    return trained(job, FoldWindows(train=train, validation=synthetic_windows(spec, scoring_batch(plan.micro_batch))))


def trained(job: Job, fold: Fold) -> Probe:
    """Train `job` on the samples of `fold` in a worker process of its own."""
    supervisor = Supervisor([fold])
    records: list[EpochRecord] = []
    try:
        supervisor.start(0, job)
        while True:
            for event in supervisor.events():
                if isinstance(event, Progress):
                    records.append(event.record)
                if isinstance(event, Ended):
                    # Without the epochs of attempts that ran out of memory.
                    return Probe(event.outcome, tuple(records[len(records) - event.outcome.epochs_run :]))
    finally:
        supervisor.end_now()


def synthetic_windows(spec: ModelSpec, count: int) -> Windows:
    """Generate `count` windows of noise: their values affect neither memory nor time."""
    g, rng = spec.geometry, np.random.default_rng(0)
    days = count + g.context_length - 1
    return Windows(
        series_TF=rng.normal(size=(days, g.n_features)).astype(np.float32),
        ends_N=np.arange(g.context_length - 1, days, dtype=np.int64),
        scale_NF=np.ones((count, g.n_features), np.float32),
        shift_NF=np.zeros((count, g.n_features), np.float32),
        y_N=(np.arange(count) % 4 == 0).astype(np.float32),
        dates_N=np.datetime64("1999-01-04") + np.arange(count).astype("timedelta64[D]"),
        context_length=g.context_length,
    )
