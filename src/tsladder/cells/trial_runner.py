"""Trials of one cell as jobs of worker processes, recorded as they end; resumable at any instant.

trials.jsonl is written the moment a trial ends and is the truth. Which trial comes next is decided in `draws`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.heat import TemperatureReading
from tsladder.artifacts.trials import TRIALS, TrialRecord, append_trial
from tsladder.cells.start_lines import describe_taken_over, describe_trial
from tsladder.cells.training_log import TrainingLog
from tsladder.cells.trial_records import TrialPlan, TrialRecorder
from tsladder.cells.work import CellWork
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, JobOrder, Message, Progress, Retried, Slot
from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.job_loop import STOPPING, describe_retry
from tsladder.execution.job_source import Steps
from tsladder.params import PruningParams
from tsladder.planning.identity import training_identity
from tsladder.search.configuration import Configuration
from tsladder.search.decisions import Finished
from tsladder.search.draws import DrawnTrial, DrawRules, TrialDraws
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.streams import sampler_seed
from tsladder.search.study import SearchStudy, open_study
from tsladder.search.takeover import Earlier, fetch_checkpoint
from tsladder.training.checkpoint_plan import remove_checkpoints
from tsladder.training.outcome import Job
from tsladder.vocabulary import StopReason

_REPEATABLE_ENDINGS = (StopReason.PRUNED, StopReason.DIVERGED)
"""Endings without a loss that another attempt would only repeat. After any other ending, such as a kill, the next
attempt may go on from the checkpoint."""


@dataclass(frozen=True, slots=True)
class HeatStop:
    """Stop for heat: `reading` ended the search for now, and with it the running `attempts`, which the next start makes
    again."""

    reading: TemperatureReading
    attempts: tuple[TrialRecord, ...]


class TrialRunner:
    """Source of the trials of one start of a cell's search in `folder`, whose lock the caller holds, after the
    `attempts` recorded there.

    `key` is the identity of the search. A configuration among `known` is not trained, and a trial that ended in an
    `earlier` search is taken over from there.
    """

    def __init__(
        self,
        *,
        work: CellWork,
        key: str,
        folder: Path,
        attempts: Sequence[TrialRecord],
        space: SearchSpace,
        schedule: Schedule,
        recorder: TrialRecorder,
        pruning: PruningParams | None,
        earlier: Earlier,
        known: Sequence[Configuration] = (),
    ) -> None:
        self._work = work
        self._key = key
        self._folder = folder
        self._space = space
        self._schedule = schedule
        self._recorder = recorder
        self._earlier = earlier
        self._taken_over: Counter[str] = Counter()
        self._draws = TrialDraws(
            DrawRules(
                space=space,
                schedule=schedule,
                lag=recorder.lag,
                pruning=pruning,
                known=known,
                adopted=earlier.adopted,
                seed=work.seed,
                cell=work.cell,
                phase=recorder.phase,
            ),
            attempts,
        )
        self._done = len(self._draws.ended)
        self._study: SearchStudy | None = None
        self._running: dict[int, TrialPlan] = {}
        self._jobs: dict[int, Job] = {}
        self.folds: Sequence[Fold] = work.dataset.folds
        self.workers = recorder.workers
        self.models_per_job = len(self.folds)
        self.heartbeat = Heartbeat(folder, phase=recorder.phase, total=schedule.trials_total, done=lambda: self._done)
        self._log = TrainingLog(work.cell, lambda number: f"trial {number + 1}/{schedule.trials_total}")
        self._heat_stop: HeatStop | None = None
        self._stopped_by_heat: list[TrialRecord] = []

    @property
    def finished(self) -> Finished | None:
        """Reason why the search ended before all of its trials were asked; None when it did not."""
        return self._draws.finished

    @property
    def heat_stop(self) -> HeatStop | None:
        """Stop for heat, where the machine became too hot to go on; else None."""
        return self._heat_stop

    @property
    def ended_records(self) -> list[TrialRecord]:
        """Ended trials in the order of their numbers."""
        return self._draws.ended

    def run(self) -> Steps[bool]:
        """Have every trial trained that has not ended yet. Returns True when the search stopped before all had ended,
        on request or for heat.

        Where none is left the journal is still brought up to date: a kill may have come between the last trial's line
        and the journal's.
        """
        seed = sampler_seed(self._work.seed, self._work.cell, self._recorder.phase)
        study = open_study(self._folder, self._space.draws, key=self._key, seed=seed, say=self._recorder.say)
        self._study = study
        self._draws.restore(study)
        too_hot = None
        if self._draws.any_open:
            too_hot = yield self
        self._draws.tell_through(study, self._schedule.trials_total - 1)
        if too_hot is not None:
            self._heat_stop = HeatStop(too_hot, tuple(self._stopped_by_heat))
        return self._draws.any_left

    @property
    def work_left(self) -> float:
        """Parameters of the models that are still to be trained: a model's work grows with them."""
        waiting = self._schedule.trials_total - self._done - len(self._running)
        return float(max(0, waiting) * self._space.grid.n_budget)

    @property
    def is_ready(self) -> bool:
        return self._draws.any_open and len(self._running) < self._recorder.lag

    def again(self, number: int, slot: Slot) -> JobOrder:
        trial = self._running[number] = self._plan_trial(self._running[number].drawn, slot)
        job = self._jobs[number] = self._job(trial)
        return JobOrder(number=number, attempt=trial.drawn.attempt, job=job)

    def on_epoch(self, event: Progress) -> None:
        self._log.epoch_ended(event)

    def on_retry(self, event: Retried) -> None:
        self._recorder.say(f"trial {event.number + 1}: {describe_retry(event)}")

    def on_message(self, event: Message) -> None:
        self._recorder.say(f"trial {event.number + 1}: {event.text}")

    def on_end(self, event: Ended) -> None:
        trial = self._running.pop(event.number)
        record = self._recorder.record(trial, event.outcome)
        self._store(record)
        if event.outcome.stop_reason is StopReason.THERMAL:
            self._stopped_by_heat.append(record)
        self._recorder.announce(trial, record, self._schedule.objective.best(self.ended_records))

    def on_stop(self) -> None:
        self._recorder.say(f"{STOPPING}; a second Ctrl-C stops at once")

    def next_job(self, slot: Slot) -> JobOrder | None:
        while (drawn := self._draws.draw(self._opened)) is not None:
            trial = self._plan_trial(drawn, slot)
            found = self._earlier.find(trial.identity, trial.drawn.bar)
            if found is None:
                self._report_taken_over()
                return JobOrder(number=drawn.number, attempt=drawn.attempt, job=self._begin(trial))
            record = self._recorder.taken_over(trial, found)
            if record.taken_from is not None:
                self._taken_over[record.taken_from.folder] += 1
            self._store(record)
        self._report_taken_over()
        return None

    def _begin(self, trial: TrialPlan) -> Job:
        self._running[trial.drawn.number] = trial
        epochs, models = trial.drawn.configuration.settings.epochs, len(self._work.dataset.folds)
        self._log.started(trial.drawn.number, describe_trial(self._work, trial), epochs=epochs, models=models)
        fetched = fetch_checkpoint(self._earlier.folders, self._folder, _checkpoint_of(trial))
        if fetched is not None:
            self._recorder.say(f"trial {trial.drawn.number + 1} resumes from the checkpoint of {fetched.name}")
        job = self._jobs[trial.drawn.number] = self._job(trial)
        return job

    @property
    def _opened(self) -> SearchStudy:
        if self._study is None:
            raise RuntimeError("trials are asked for before `run` has opened the journal")
        return self._study

    def _report_taken_over(self) -> None:
        """Report the trials taken over from other searches since the last report."""
        if self._taken_over:
            done = f"{len(self._draws.ended)} of {self._schedule.trials_total} are done"
            self._recorder.say(f"{describe_taken_over(self._taken_over)}; {done}")
            self._taken_over.clear()

    def _plan_trial(self, drawn: DrawnTrial, slot: Slot) -> TrialPlan:
        """Return the plan of the trial `drawn` in `slot`."""
        configuration = drawn.configuration
        execution = self._work.in_slot(configuration.spec, slot, configuration.effective_batch)
        if execution is None:
            record = configuration.to_record()
            raise ValueError(f"trial {drawn.number} drew {record}, which does not fit {slot.memory_gib:.1f} GiB")
        return TrialPlan(
            drawn=drawn,
            execution=execution,
            identity=training_identity(self._earlier.base, configuration.to_record(), drawn.seed),
            started_ms=int(time.time() * 1000),
        )

    def _job(self, trial: TrialPlan) -> Job:
        job = Job(
            spec=trial.drawn.configuration.spec,
            settings=trial.drawn.configuration.settings,
            recipe=self._work.recipe,
            task=self._work.target.task,
            seed=trial.drawn.seed,
            plan=trial.execution.plan,
            device=trial.execution.device,
            threads=trial.execution.threads,
            bar=trial.drawn.bar,
            scratch_folder=self._work.scratch(trial.drawn.configuration.spec, self._folder),
        )
        return self._work.with_checkpoints(
            job,
            self._folder,
            name=_checkpoint_of(trial),
            identity=trial.identity,
            folds=self._work.dataset.folds,
        )

    def _store(self, record: TrialRecord) -> None:
        """Record a trial on disk first, then in MLflow."""
        append_trial(self._folder / TRIALS, record)
        job = self._jobs.pop(record.number, None)
        self._draws.end(self._opened, record)
        self._done += record.final
        decided = record.best_val_loss is not None or record.outcome.stop_reason in _REPEATABLE_ENDINGS
        if record.final and decided and job is not None:
            remove_checkpoints(job.checkpoints)
        self._recorder.log(record)
        self._recorder.publish(self.ended_records)


def _checkpoint_of(trial: TrialPlan) -> str:
    """Return the name of a trial's checkpoint, the same in every search that has this trial."""
    return f"trial-{trial.identity[:16]}"
