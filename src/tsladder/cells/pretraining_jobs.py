"""Trainings that show whether a pretrained encoder helps a cell's winner: their epochs, settings, seeds and jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.store import digest
from tsladder.cells.seed_jobs import seed_folder, seed_jobs
from tsladder.cells.work import CellWork
from tsladder.seeds import derive_seed
from tsladder.training.outcome import Job

FEWER = 2 / 3
"""Share of the winner's epochs of the shorter trainings: 50 of 75 in the earlier study."""

ENCODER = 1
"""Number of the one pretraining of a cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Trainings of the winner that begin alike: from the encoder or from scratch, for at most `epochs` epochs."""

    from_encoder: bool
    epochs: int

    @property
    def name(self) -> str:
        return f"from-{'encoder' if self.from_encoder else 'scratch'}-{self.epochs}-epochs"

    @property
    def words(self) -> str:
        """Description in a message: "from scratch for 4 epochs"."""
        start = "from the encoder" if self.from_encoder else "from scratch"
        return f"{start} for {self.epochs} epoch{'' if self.epochs == 1 else 's'}"


def starts_of(choice: Choice) -> tuple[Start, ...]:
    """Return all trainings to compare, those of the cell's own seeds included: from scratch and from the encoder, at
    all epochs and, where the winner has several, at fewer."""
    whole = int(choice.settings["epochs"])
    fewer = max(1, round(FEWER * whole))
    return tuple(
        Start(from_encoder=from_encoder, epochs=epochs)
        for epochs in dict.fromkeys((whole, fewer))
        for from_encoder in (False, True)
    )


def for_epochs(settings: Mapping[str, float], epochs: int) -> dict[str, float]:
    """Return the settings of a training of `epochs` epochs, with the same share of them for the warm-up."""
    warmup = settings["warmup_steps"]
    if warmup > 0:
        warmup = max(1, round(warmup * epochs / settings["epochs"]))
    return {**settings, "epochs": epochs, "warmup_steps": warmup}


def encoder_job(work: CellWork, choice: Choice, folder: Path, *, epochs: int, mask: float, key: str) -> Job | str:
    """Return the job that pretrains the winner's encoder; or the reason why the model cannot be trained here.

    It has the winner's settings and recipe, but for epochs and patience. `key`: identity of what decides its numbers.
    """
    settings = for_epochs(choice.settings, epochs)
    jobs = seed_jobs(work, dataclasses.replace(choice, settings=settings), folder)
    if isinstance(jobs, str):
        return jobs
    seed = derive_seed(work.seed, str(work.cell), "pretrain")
    job = dataclasses.replace(
        jobs[ENCODER],
        recipe=dataclasses.replace(work.recipe, patience=None),
        seed=seed,
        mask=mask,
        checkpoint_folder=str(seed_folder(folder, ENCODER)),
    )
    return work.with_checkpoints(
        job, folder, name="encoder", identity=digest(key, "encoder", seed), folds=work.dataset.folds[-1:]
    )


def jobs_of_start(
    work: CellWork, choice: Choice, start: Start, folder: Path, *, encoder: Path, key: str
) -> dict[int, Job] | str:
    """Return one job for each seed of the cell, which all begin as `start` says; or the reason why the model cannot be
    trained here. `encoder`: folder of the pretrained encoder."""
    shortened = dataclasses.replace(choice, settings=for_epochs(choice.settings, start.epochs))
    jobs = seed_jobs(work, shortened, folder)
    if isinstance(jobs, str) or not start.from_encoder:
        return jobs
    begun = {}
    for number, job in jobs.items():
        plan = job.checkpoints
        begun[number] = dataclasses.replace(
            job,
            initial_weights=str(encoder),
            checkpoints=plan and dataclasses.replace(plan, identity=digest(plan.identity, key)),
        )
    return begun
