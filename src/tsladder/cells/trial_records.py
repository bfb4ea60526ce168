"""Records of a trial, written the moment it ends: its line in trials.jsonl, its MLflow run and its line on the
terminal."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.cells.training_runs import trial_run
from tsladder.cells.work import CellWork, JobExecution, settings_params
from tsladder.search.draws import DrawnTrial
from tsladder.search.objective import Objective
from tsladder.tracking import RunRecord, Tracker
from tsladder.vocabulary import Phase, StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialPlan:
    """Drawn trial, and how it is executed in its slot."""

    drawn: DrawnTrial
    execution: JobExecution
    identity: str
    started_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRecorder:
    """Recorder that turns outcomes of one cell's trials into records and runs. `key` is the cell's, which all its runs
    carry; `publish` shows the ended trials to whoever looks at the results while the search runs."""

    work: CellWork
    phase: Phase
    key: str
    parent_id: str
    tracker: Tracker
    trials_total: int
    workers: int
    lag: int
    objective: Objective
    say: Callable[[str], None]
    publish: Callable[[Sequence[TrialRecord]], None]

    def record(self, trial: TrialPlan, outcome: TrainingOutcome) -> TrialRecord:
        """Return the line of trials.jsonl for a trial that ended."""
        drawn = trial.drawn
        spec, settings = drawn.configuration.spec, drawn.configuration.settings
        if outcome.stop_reason in (StopReason.INTERRUPTED, StopReason.THERMAL):
            state = TrialState.INTERRUPTED
        elif outcome.stop_reason is StopReason.PRUNED:
            state = TrialState.PRUNED
        else:
            state = TrialState.COMPLETE if outcome.scored else TrialState.FAILED
        return TrialRecord(
            number=drawn.number,
            attempt=drawn.attempt,
            state=state,
            forced=drawn.forced,
            draws=drawn.draws,
            params=settings_params(spec, settings.to_record(), outcome.plan, drawn.seed),
            outcome=outcome,
            base_rate_loss=self.work.search_base_rate_loss,
            predicted_memory_gib=self.work.predicted_memory_gib(spec, outcome.plan),
            device=trial.execution.device,
            workers=self.workers,
            lag=self.lag,
            threads=trial.execution.threads,
            place=trial.execution.place,
            kind=trial.execution.kind,
            started_ms=trial.started_ms,
            ended_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            identity=trial.identity,
        )

    def taken_over(self, trial: TrialPlan, earlier: TrialRecord) -> TrialRecord:
        """Return the line of a trial that another search has trained: its measurements with this search's
        bookkeeping."""
        return dataclasses.replace(
            earlier,
            number=trial.drawn.number,
            attempt=trial.drawn.attempt,
            forced=trial.drawn.forced,
            draws=trial.drawn.draws,
            base_rate_loss=self.work.search_base_rate_loss,
            workers=self.workers,
            lag=self.lag,
        )

    def log_missing(self, attempts: Sequence[TrialRecord]) -> None:
        """Copy to MLflow the attempts that a killed run had on disk and not yet there, and close the runs that it left
        open."""
        self.tracker.repair(self.parent_id, [self._run(record) for record in attempts])

    def log(self, record: TrialRecord) -> None:
        """Log the nested MLflow run of a trial."""
        self.tracker.log_run(self._run(record))

    def _run(self, record: TrialRecord) -> RunRecord:
        return trial_run(
            record,
            cell=self.work.cell,
            tags=self.work.tags(self.phase, self.key),
            parent_id=self.parent_id,
            objective=self.objective,
        )

    def announce(self, trial: TrialPlan, record: TrialRecord, leader: TrialRecord | None) -> None:
        """Print one line on the ended trial to stderr."""
        so_far = "" if leader is None else f", {self.objective.describe_leader(leader)}"
        spec, outcome = trial.drawn.configuration.spec, record.outcome
        shape = f"d={spec.d_model} L={spec.n_layers} h={spec.n_heads} ff={spec.d_ff}"
        self.say(
            f"trial {record.number + 1}/{self.trials_total} {shape}: {self.objective.describe(record)}, "
            f"{outcome.stop_reason} after {outcome.epochs_run} epochs in {outcome.seconds:.1f} s{so_far}"
        )
        if outcome.message:
            # The whole message is in trials.jsonl.
            self.say(f"trial {record.number + 1}: {outcome.message.strip().splitlines()[-1]}")
