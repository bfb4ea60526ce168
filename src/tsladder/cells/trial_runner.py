"""Train the trials of one cell in worker processes and record them as they end; resumable at any instant.

trials.jsonl is written the moment a trial ends and is the truth. Which trial comes next is decided in `draws`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.heat import TemperatureReading
from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.trials import TRIALS, TrialRecord, append_trial
from tsladder.cells.start_lines import describe_taken_over, describe_trial
from tsladder.cells.training_log import TrainingLog
from tsladder.cells.trial_records import TrialPlan, TrialRecorder
from tsladder.cells.work import CellWork
from tsladder.execution.crew import JobOrder, Slot
from tsladder.execution.heartbeat import Heartbeat
from tsladder.execution.job_loop import STOPPING, describe_retry, run_jobs
from tsladder.execution.thermal_guard import ThermalWatch
from tsladder.locks import is_locked
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
    """Runner of one start of a cell's search in `folder`, whose lock the caller holds, after the `attempts` recorded
    there.

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
        self._running: dict[int, TrialPlan] = {}
        self._jobs: dict[int, Job] = {}
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

    def run(self) -> bool:
        """Train every trial that has not ended yet. Returns True when the search stopped before all had ended, on
        request or for heat.

        Where none is left the journal is still brought up to date: a kill may have come between the last trial's line
        and the journal's.
        """
        seed = sampler_seed(self._work.seed, self._work.cell, self._recorder.phase)
        study = open_study(self._folder, self._space.draws, key=self._key, seed=seed, say=self._recorder.say)
        self._draws.restore(study)
        too_hot = self._train(study) if self._draws.any_open else None
        self._draws.tell_through(study, self._schedule.trials_total - 1)
        if too_hot is not None:
            self._heat_stop = HeatStop(too_hot, tuple(self._stopped_by_heat))
        return self._draws.any_left

    def _train(self, study: SearchStudy) -> TemperatureReading | None:
        """Keep the workers busy; return the temperature reading for which they were stopped, if they were."""
        folds = self._work.dataset.folds
        return run_jobs(
            self._work.crew(folds, workers=self._recorder.workers),
            next_job=lambda slot: self._next_job(study, slot),
            on_retry=lambda event: self._recorder.say(f"trial {event.number + 1}: {describe_retry(event)}"),
            on_end=lambda event: self._record_end(study, self._running.pop(event.number), event.outcome),
            on_epoch=self._log.epoch_ended,
            on_stop=lambda: self._recorder.say(f"{STOPPING}; a second Ctrl-C stops at once"),
            on_message=lambda event: self._recorder.say(f"trial {event.number + 1}: {event.text}"),
            watch=ThermalWatch(self._work.thermometer, self._recorder.say),
            heartbeat=Heartbeat(
                self._folder,
                phase=self._recorder.phase,
                total=self._schedule.trials_total,
                done=lambda: len(self._draws.ended),
            ),
            pause_requested=lambda: is_locked(self._work.places.pause),
            models_per_job=len(folds),
        )

    def _next_job(self, study: SearchStudy, slot: Slot) -> JobOrder | None:
        while (drawn := self._draws.draw(study)) is not None:
            trial = self._plan_trial(drawn, slot)
            found = self._earlier.find(trial.identity, trial.drawn.bar)
            if found is None:
                self._report_taken_over()
                return JobOrder(number=drawn.number, attempt=drawn.attempt, job=self._begin(trial))
            record = self._recorder.taken_over(trial, found)
            if record.taken_from is not None:
                self._taken_over[record.taken_from.folder] += 1
            self._store(study, record)
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

    def _record_end(self, study: SearchStudy, trial: TrialPlan, outcome: TrainingOutcome) -> None:
        record = self._recorder.record(trial, outcome)
        self._store(study, record)
        if outcome.stop_reason is StopReason.THERMAL:
            self._stopped_by_heat.append(record)
        self._recorder.announce(trial, record, self._schedule.objective.best(self.ended_records))

    def _store(self, study: SearchStudy, record: TrialRecord) -> None:
        """Record a trial on disk first, then in MLflow."""
        append_trial(self._folder / TRIALS, record)
        job = self._jobs.pop(record.number, None)
        self._draws.end(study, record)
        decided = record.best_val_loss is not None or record.outcome.stop_reason in _REPEATABLE_ENDINGS
        if record.final and decided and job is not None:
            remove_checkpoints(job.checkpoints)
        self._recorder.log(record)
        self._recorder.publish(self.ended_records)


def _checkpoint_of(trial: TrialPlan) -> str:
    """Return the name of a trial's checkpoint, the same in every search that has this trial."""
    return f"trial-{trial.identity[:16]}"
