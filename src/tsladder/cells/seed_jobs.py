"""Build the training jobs of a configuration on fresh seeds: which seed, by which recipe."""

from __future__ import annotations

from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.store import digest
from tsladder.cells.work import CellWork
from tsladder.planning.machine import ExecutionPlan
from tsladder.planning.plans import train_key
from tsladder.planning.recipe import Settings
from tsladder.seeds import derive_seed
from tsladder.training.outcome import Job


def seed_jobs(work: CellWork, choice: Choice, folder: Path) -> dict[int, Job] | str:
    """Return one job per seed, numbered from 1; or the reason why the model cannot be trained here."""
    spec = work.spec(choice.architecture)
    execution = work.execution(spec)
    batch_plan = work.batch_plan(spec, work.machine.memory_gib / concurrent_seeds(work, execution))
    if batch_plan is None:
        return f"{spec.architecture()} does not fit {work.machine.memory_gib:.1f} GiB"
    key = train_key(work.train_plan, choice, work.dataset.fingerprint(), work.dataset.splits_record)

    def job(number: int) -> Job:
        seed = derive_seed(work.seed, str(work.cell), "train", number)
        plain = Job(
            spec=spec,
            settings=Settings.from_record(choice.settings),
            recipe=work.recipe,
            task=work.target.task,
            seed=seed,
            plan=batch_plan,
            device=execution.device,
            threads=execution.threads,
            scratch_folder=work.scratch(spec, folder),
            checkpoint_folder=str(seed_folder(folder, number)),
        )
        return work.with_checkpoints(
            plain,
            folder,
            name=f"seed-{number}",
            identity=digest(key, number, seed),
            folds=work.dataset.folds[-1:],
        )

    return {number: job(number) for number in range(1, work.train_plan.seeds + 1)}


def concurrent_seeds(work: CellWork, execution: ExecutionPlan) -> int:
    """Return how many seeds train at the same time.

    Three seeds on two cores, trained as cores become free, leave one core idle for a third of the time; all three at
    once, on one thread each, share both cores to the end. The threads of a seed stay the same.
    """
    seeds, cores = work.train_plan.seeds, work.machine.cores
    one_per_core = execution.device == "cpu" and execution.threads == 1 and execution.workers == cores
    return seeds if one_per_core and cores < seeds < 2 * cores else execution.workers


def seed_folder(folder: Path, number: int) -> Path:
    """Return the folder of one seed in the live record `folder`."""
    return folder / f"seed-{number}"
