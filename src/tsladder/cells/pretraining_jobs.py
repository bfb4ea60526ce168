"""Trainings that show whether a pretrained encoder helps a cell's winner: their epochs, settings, seeds and jobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.plans import PanelRecipe, PhaseRecipe, phases_in
from tsladder.artifacts.store import digest
from tsladder.cells.seed_jobs import seed_jobs
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


def starts_of(choice: Choice, recipe: PanelRecipe) -> tuple[Start, ...]:
    """Return all trainings to compare, first those of the cell's own seeds: from scratch and from the encoder, at all
    epochs of the winner and at fewer, where it has more than one and more than it has phases."""
    whole = int(choice.settings["epochs"])
    fewer = max(len(phases_in(recipe)), 1, round(FEWER * whole))
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


def phases_for_epochs(phases: tuple[PhaseRecipe, ...], epochs: int) -> tuple[PhaseRecipe, ...]:
    """Return `phases` with `epochs` epochs together, shared out as before, as nearly as whole epochs allow, and at
    least one to each. Raises ValueError for fewer epochs than phases."""
    if epochs < len(phases):
        raise ValueError(f"{len(phases)} phases need as many epochs, got {epochs}")
    total = sum(phase.epochs for phase in phases)
    exact = [phase.epochs * epochs / total for phase in phases]
    counts = [max(1, int(share)) for share in exact]
    while (missing := epochs - sum(counts)) != 0:
        step = 1 if missing > 0 else -1
        open_to_change = [place for place, count in enumerate(counts) if count + step >= 1]
        counts[max(open_to_change, key=lambda place: step * (exact[place] - counts[place]))] += step
    return tuple(dataclasses.replace(phase, epochs=count) for phase, count in zip(phases, counts, strict=True))


def encoder_job(work: CellWork, choice: Choice, folder: Path, *, epochs: int, mask: float, key: str) -> Job | str:
    """Return the job that pretrains the winner's encoder; or the reason why the model cannot be trained here.

    It has the winner's settings and recipe, but for epochs, patience and phases. `key`: identity of what decides its
    numbers.
    """
    recipe = dataclasses.replace(work.panel_question.training, patience=None, phases=None)
    work = work.with_recipe(recipe)
    jobs = seed_jobs(work, dataclasses.replace(choice, settings=for_epochs(choice.settings, epochs)), folder)
    if isinstance(jobs, str):
        return jobs
    seed = derive_seed(work.seed, str(work.cell), "pretrain")
    job = dataclasses.replace(jobs[ENCODER], seed=seed, mask=mask)
    return work.with_checkpoints(
        job, folder, name="encoder", identity=digest(key, "encoder", seed), folds=work.dataset.folds[-1:]
    )


def jobs_of_start(
    work: CellWork, choice: Choice, start: Start, folder: Path, *, encoder: Path, key: str
) -> dict[int, Job] | str:
    """Return one job for each seed of the cell, which all begin as `start` says; or the reason why the model cannot be
    trained here. `encoder`: folder of the pretrained encoder; `key`: its identity."""
    recipe = work.panel_question.training
    if recipe.phases is not None:
        recipe = dataclasses.replace(recipe, phases=phases_for_epochs(recipe.phases, start.epochs))
    shortened = dataclasses.replace(choice, settings=for_epochs(choice.settings, start.epochs))
    jobs = seed_jobs(work.with_recipe(recipe), shortened, folder)
    if isinstance(jobs, str) or not start.from_encoder:
        return jobs
    return {number: _begun(job, encoder, key) for number, job in jobs.items()}


def _begun(job: Job, encoder: Path, key: str) -> Job:
    """Return `job`, which begins with the encoder in the folder `encoder`."""
    plan = job.checkpoints
    kept = None if plan is None else dataclasses.replace(plan, identity=digest(plan.identity, key))
    return dataclasses.replace(job, initial_weights=str(encoder), checkpoints=kept)
