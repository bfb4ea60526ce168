"""Train a configuration on fresh seeds: the winner of a cell, which the law is fitted on, or another cell's.

A finished seed is kept in the study's live record under a key of everything that made it, so a kill -9 loses no
finished seed and another seed count trains only what is new. A seed that failed because of the machine is trained again
by the next start.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.heat import TemperatureReading
from tsladder.artifacts.models import ModelsStatus, write_models_status
from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.seeds import (
    OUTCOME,
    UNLOGGED,
    SeedRecord,
    Timings,
    UnloggedSeed,
    read_seed,
    read_unlogged,
    write_seed,
    write_timings,
    write_unlogged,
)
from tsladder.artifacts.spool import new_key
from tsladder.artifacts.store import replacing
from tsladder.artifacts.trained_model import RECORD
from tsladder.cells.seed_jobs import concurrent_seeds, seed_folder, seed_jobs
from tsladder.cells.training_log import TrainingLog, seed_lines
from tsladder.cells.training_runs import training_run
from tsladder.cells.work import CellWork, clear_scratch, settings_params
from tsladder.data.samples import Fold
from tsladder.errors import WorkFailed
from tsladder.execution.crew import Ended, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.job_loop import STOPPING, describe_retry, heat_reason
from tsladder.execution.job_source import Steps
from tsladder.interruption import Interrupted
from tsladder.locks import exclusive_lock
from tsladder.planning.plans import retraining_key, train_key
from tsladder.results.live import LiveResults
from tsladder.tracking import MlflowTracker, RunRecord, RunStatus, Tracker, open_cell_run
from tsladder.training.checkpoint_plan import remove_checkpoints
from tsladder.training.outcome import WEIGHTS, Job, ended_early
from tsladder.vocabulary import CellStatus, Phase, StopReason

TRANSFER_PHASE = "transfer"
"""Phase that a user sees where another cell's winner is trained; in MLflow that is a training like any other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Purpose:
    """Purpose of trainings other than the seeds of a cell's own winner, as log and runs name it.

    `winner_of`: what is trained; `phase`: the phase that a user sees; `live`: the live record whose progress a user
    sees, where the trainings lie in a folder of it; `each`: what one training is called.
    """

    winner_of: str = ""
    phase: str = Phase.TRAIN
    live: Path | None = None
    each: str = "seed"

    def named(self, number: int) -> str:
        return f"{self.each} {number}"


OWN_WINNER = Purpose()
"""Purpose of the seeds that the law is fitted on."""


def train_winner(work: CellWork, choice: Choice, tracker: Tracker | None = None) -> None:
    """Train `choice` on `plan.seeds` seeds and write artifacts/models/<cell>/ and its timings.

    A seed that ends without a usable loss makes the cell failed, with the reason: a law on fewer seeds than asked for
    would compare unequal efforts. A stop for heat also makes the cell failed, until the next start resumes. Raises
    Interrupted when asked to stop.
    """
    key = retraining_key(work.train_plan, choice, work.dataset.fingerprint(), work.dataset.splits_record)
    folder = winner_folder(work, choice)
    with exclusive_lock(folder, f"the retraining of {work.cell}"):
        trained = train_seeds(work, choice, folder, tracker)
        if isinstance(trained, str):
            _finish(work, key, _failed(work, trained))
            return
        if trained.heat_stop is not None:
            _finish(work, key, _failed(work, trained.heat_stop, StopReason.THERMAL), trained.outcomes)
            return
        if trained.fault is not None:
            _finish(work, key, _failed(work, f"retraining failed for {trained.fault}"), trained.outcomes)
            return
        for number, source in trained.folders.items():
            copy_trained(source, work.places.models(work.cell) / f"seed-{number}")
        _finish(work, key, ModelsStatus(cell=str(work.cell), seeds=tuple(trained.folders)), trained.outcomes)


def winner_folder(work: CellWork, choice: Choice) -> Path:
    """Return the live record in which the winner `choice` of the cell is trained."""
    inputs = work.dataset.fingerprint(), work.dataset.splits_record
    return work.places.training(work.cell, train_key(work.train_plan, choice, *inputs))


def winner_steps(work: CellWork, choice: Choice, tracker: Tracker) -> Steps[None]:
    """Train the seeds of the winner `choice` into its live record, as `train_winner` does, with the crew of the caller.

    Nothing is written under artifacts/. Seeds of which this machine can train none are left to `train_winner`.
    """
    folder = winner_folder(work, choice)
    with exclusive_lock(folder, f"the retraining of {work.cell}"):
        jobs = seed_jobs(work, choice, folder)
        if not isinstance(jobs, str):
            yield from job_steps(work, jobs, folder, tracker, OWN_WINNER, beside_others=True)


def _failed(work: CellWork, reason: str, stop_reason: StopReason | None = None) -> Ending:
    return Ending(cell=str(work.cell), status=CellStatus.FAILED, reason=reason, stop_reason=stop_reason)


@dataclass(frozen=True, slots=True)
class SeedResults:
    """Trained seeds of one configuration by number: the folder of each checkpoint and how each seed ended.

    `heat_stop`: why the seeds without a folder were not trained to their end for now; None when all were.
    """

    folders: Mapping[int, Path]
    outcomes: Mapping[int, SeedRecord]
    heat_stop: str | None = None

    @property
    def fault(self) -> str | None:
        """Seeds that ended without a usable loss, and how; None when all have one."""
        failed = [f"seed {number}: {o.stop_reason}" for number, o in self.outcomes.items() if not o.scored]
        return ", ".join(failed) or None


def train_seeds(
    work: CellWork, choice: Choice, folder: Path, tracker: Tracker | None, *, winner_of: str = ""
) -> SeedResults | str:
    """Train those seeds of `choice` that are not yet in `folder`, whose lock the caller holds, on the samples of
    `work`. Returns the reason when the model cannot be trained here.

    `winner_of` names in the runs what is trained where it is not the cell's own winner. Raises Interrupted.
    """
    jobs = seed_jobs(work, choice, folder)
    if isinstance(jobs, str):
        return jobs
    purpose = Purpose(winner_of=winner_of, phase=TRANSFER_PHASE) if winner_of else OWN_WINNER
    return train_jobs(work, jobs, folder, tracker, purpose)


def train_jobs(
    work: CellWork, jobs: dict[int, Job], folder: Path, tracker: Tracker | None, purpose: Purpose
) -> SeedResults:
    """Train those of the numbered `jobs`, all of one architecture, that are not yet in `folder`, whose lock the caller
    holds. Raises Interrupted."""
    tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
    return work.run(job_steps(work, jobs, folder, tracker, purpose))


def job_steps(
    work: CellWork,
    jobs: dict[int, Job],
    folder: Path,
    tracker: Tracker,
    purpose: Purpose,
    *,
    beside_others: bool = False,
) -> Steps[SeedResults]:
    """Train as `train_jobs` does, with the crew of the caller. `beside_others`: where it trains other models as well,
    which leave no core idle."""
    clear_scratch(folder)
    _log_unlogged(work, jobs, folder, tracker, purpose)
    for number in jobs:
        _discard_machine_failure(seed_folder(folder, number) / OUTCOME)
    missing = {number: job for number, job in jobs.items() if not (seed_folder(folder, number) / OUTCOME).exists()}
    too_hot = None
    if missing:
        seeds = _Seeds(work, missing, folder, tracker, purpose, total=len(jobs), beside_others=beside_others)
        too_hot = yield from seeds.run()
    folders = {n: path for n in jobs if ((path := seed_folder(folder, n)) / OUTCOME).exists()}
    outcomes = {number: read_seed(path / OUTCOME) for number, path in folders.items()}
    if too_hot is None:
        return SeedResults(folders, outcomes)
    reading, stopped_by_heat = too_hot
    open_seeds = {number: _seed_record(work, jobs[number], outcome) for number, outcome in stopped_by_heat.items()}
    done = f"{len(folders)} of {len(jobs)} {purpose.each}{'' if len(jobs) == 1 else 's'}"
    return SeedResults(folders, outcomes | open_seeds, heat_reason(reading, done))


def _discard_machine_failure(outcome: Path) -> None:
    """Forget how a seed ended at an earlier start where the machine was the cause; its MLflow run keeps it."""
    if outcome.exists() and read_seed(outcome).stop_reason.by_machine:
        outcome.unlink()


class _Seeds:
    """Source of the trainings `jobs` into `folder`, of `total` there are."""

    def __init__(
        self,
        work: CellWork,
        jobs: dict[int, Job],
        folder: Path,
        tracker: Tracker,
        purpose: Purpose,
        *,
        total: int,
        beside_others: bool,
    ) -> None:
        self._work = work
        self._jobs = jobs
        self._folder = folder
        self._tracker = tracker
        self._purpose = purpose
        self._total = total
        self._waiting = list(jobs)
        self._started: dict[int, int] = {}
        self._stopped_by_heat: dict[int, TrainingOutcome] = {}
        self._parent_id = ""
        self._results = LiveResults(work.places, work.params, work.say)
        winner_of = purpose.winner_of
        self._log = TrainingLog(
            work.cell, lambda number: f"{winner_of}{' ' if winner_of else ''}{purpose.named(number)}/{total}"
        )
        self._spec = next(iter(jobs.values())).spec
        execution = work.execution(self._spec)
        self.workers = execution.workers if beside_others else concurrent_seeds(work, execution)
        self.folds: Sequence[Fold] = work.dataset.folds[-1:]
        self.models_per_job = 1
        self.heartbeat = _heartbeat(folder, purpose, total)

    def run(self) -> Steps[tuple[TemperatureReading, dict[int, TrainingOutcome]] | None]:
        """Have all jobs trained, and return None when all ended; after a stop for heat, return the temperature reading
        and how each open seed ended. Raises Interrupted."""
        work, jobs, purpose = self._work, self._jobs, self._purpose
        for line in seed_lines(
            work,
            next(iter(jobs.values())),
            winner_of=purpose.winner_of,
            total=self._total,
            missing=list(jobs),
            workers=self.workers,
            each=purpose.each,
        ):
            self._work.say(line)
        with open_cell_run(self._tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
            self._parent_id = parent.run_id
            reading = yield self
            if reading is not None:
                parent.status = RunStatus.FAILED
                for number in self._waiting:
                    self._stopped_by_heat[number] = ended_early(
                        jobs[number], StopReason.THERMAL, 0.0, "too hot to begin"
                    )
                return reading, self._stopped_by_heat
            done = [number for number in jobs if (seed_folder(self._folder, number) / OUTCOME).exists()]
            if len(done) < len(jobs):
                raise Interrupted(f"{work.cell}: stopped with {len(done)} of {len(jobs)} open {purpose.each}s trained")
        return None

    @property
    def work_left(self) -> float:
        """Parameters of the models that are still to be trained: a model's work grows with them."""
        return float(len(self._waiting) * self._spec.n_params)

    @property
    def is_ready(self) -> bool:
        return bool(self._waiting)

    def next_job(self, slot: Slot) -> JobOrder | None:
        if not self._waiting:
            return None
        number = self._waiting.pop(0)
        job = self._jobs[number] = _in_slot(self._work, self._jobs[number], slot)
        self._started[number] = int(time.time() * 1000)
        self._log.started(number, f"random seed {job.seed}", epochs=job.settings.epochs)
        return JobOrder(number=number, job=job)

    def again(self, number: int, slot: Slot) -> JobOrder:
        job = self._jobs[number] = _in_slot(self._work, self._jobs[number], slot)
        return JobOrder(number=number, job=job)

    def on_epoch(self, event: Progress) -> None:
        self._log.epoch_ended(event)

    def on_retry(self, event: Retried) -> None:
        self._work.say(f"{self._purpose.named(event.number)}: {describe_retry(event)}")

    def on_message(self, event: Message) -> None:
        self._work.say(f"{self._purpose.named(event.number)}: {event.text}")

    def on_end(self, event: Ended) -> None:
        work, purpose, job = self._work, self._purpose, self._jobs[event.number]
        if event.outcome.stop_reason is StopReason.THERMAL:
            self._stopped_by_heat[event.number] = event.outcome
        started_ms, ended_ms = self._started[event.number], int(time.time() * 1000)
        seed = UnloggedSeed(key=new_key(), started_ms=started_ms, ended_ms=ended_ms, outcome=event.outcome)
        # First, so that a kill from here on leaves it to the next start.
        write_unlogged(seed_folder(self._folder, event.number) / UNLOGGED, seed)
        _store_seed(work, job, event, self._folder, purpose)
        _log_seed(work, job, event.number, seed, self._folder, self._tracker, purpose, self._parent_id)
        if not purpose.winner_of:
            self._results.update()

    def on_stop(self) -> None:
        self._work.say(f"{STOPPING}; a second Ctrl-C stops at once")


def _in_slot(work: CellWork, job: Job, slot: Slot) -> Job:
    """Return `job` as it is executed in `slot`."""
    execution = work.in_slot(job.spec, slot)
    if execution is None:
        raise ValueError(f"{job.spec.architecture()} does not fit {slot.memory_gib:.1f} GiB")
    return dataclasses.replace(job, plan=execution.plan, device=execution.device, threads=execution.threads)


def _heartbeat(folder: Path, purpose: Purpose, total: int) -> Heartbeat:
    """Return the heartbeat of all trainings, which counts those that an earlier start trained."""
    return Heartbeat(
        purpose.live or folder,
        phase=purpose.phase,
        total=total,
        done=lambda: sum((seed_folder(folder, number) / OUTCOME).exists() for number in range(1, total + 1)),
    )


def _store_seed(work: CellWork, job: Job, event: Ended, folder: Path, purpose: Purpose) -> None:
    outcome = event.outcome
    loss = "no loss" if outcome.best_val_loss is None else f"val_loss {outcome.best_val_loss:.4f}"
    work.say(
        f"{purpose.named(event.number)}: {loss}, {outcome.stop_reason} after {outcome.epochs_run} epochs "
        f"in {outcome.seconds:.1f} s"
    )
    if outcome.stop_reason in (StopReason.INTERRUPTED, StopReason.THERMAL):
        return
    write_seed(seed_folder(folder, event.number) / OUTCOME, _seed_record(work, job, outcome))
    if outcome.scored or outcome.stop_reason is StopReason.DIVERGED:
        remove_checkpoints(job.checkpoints)


def _seed_record(work: CellWork, job: Job, outcome: TrainingOutcome) -> SeedRecord:
    predicted = work.predicted_memory_gib(job.spec, outcome.plan)
    return SeedRecord.of(outcome, predicted_memory_gib=predicted, device=job.device, threads=job.threads)


def _log_unlogged(work: CellWork, jobs: Mapping[int, Job], folder: Path, tracker: Tracker, purpose: Purpose) -> None:
    """Log the seeds that had ended when an earlier start was killed before it had logged them."""
    found: dict[int, UnloggedSeed] = {}
    for number in jobs:
        path = seed_folder(folder, number) / UNLOGGED
        if not path.exists():
            continue
        if not (seed_folder(folder, number) / OUTCOME).exists():
            # It is trained again, and logged then.
            path.unlink()
            continue
        try:
            found[number] = read_unlogged(path)
        except WorkFailed as error:
            work.say(f"{purpose.named(number)} is not copied to MLflow: {error}")
            path.unlink()
    if not found:
        return
    with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
        for number, seed in found.items():
            _log_seed(work, jobs[number], number, seed, folder, tracker, purpose, parent.run_id)


def _log_seed(
    work: CellWork,
    job: Job,
    number: int,
    seed: UnloggedSeed,
    folder: Path,
    tracker: Tracker,
    purpose: Purpose,
    parent_id: str,
) -> None:
    """Log the run of a seed that has ended, once however often it is asked for."""
    tracker.log_run(_run(work, job, number, seed, purpose, parent_id), entry=seed.key)
    (seed_folder(folder, number) / UNLOGGED).unlink()


def _run(work: CellWork, job: Job, number: int, seed: UnloggedSeed, purpose: Purpose, parent_id: str) -> RunRecord:
    outcome, winner_of = seed.outcome, purpose.winner_of
    return training_run(
        outcome,
        name=f"{work.cell}/{winner_of + '/' if winner_of else ''}{purpose.each}-{number}",
        tags=work.tags(Phase.TRAIN, work.search_key),
        parent_id=parent_id,
        params=settings_params(job.spec, job.settings.to_record(), outcome.plan, job.seed),
        status=RunStatus.FINISHED if outcome.scored else RunStatus.FAILED,
        start_ms=seed.started_ms,
        end_ms=seed.ended_ms,
        base_rate_loss=work.base_rate_loss,
        predicted_memory_gib=work.predicted_memory_gib(job.spec, outcome.plan),
        metrics={},
        extra_tags={"winner_of": winner_of} if winner_of else {},
    )


def copy_trained(source: Path, target: Path) -> None:
    """Copy the weights and the record without times; hard-linked where the file system can, so large models are not
    doubled."""
    for name in (WEIGHTS, RECORD):
        with replacing(target / name) as temporary:
            try:
                os.link(source / name, temporary)
            except OSError:
                shutil.copyfile(source / name, temporary)


def _finish(
    work: CellWork, key: str, status: ModelsStatus | Ending, outcomes: Mapping[int, SeedRecord] | None = None
) -> None:
    write_models_status(work.places.models_status(work.cell), status)
    write_timings(work.places.timings(work.cell), Timings(cell=str(work.cell), key=key, seeds=outcomes or {}))
