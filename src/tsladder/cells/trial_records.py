"""Records of a trial, written the moment it ends: its line in trials.jsonl, its MLflow run and its line on the
terminal."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.cells.training_runs import fold_metrics, training_run
from tsladder.cells.work import CellWork, JobExecution, settings_params
from tsladder.search.draws import DrawnTrial
from tsladder.search.objective import Objective
from tsladder.tracking import RunStatus, Tracker
from tsladder.vocabulary import Phase, StopReason

_RUN_STATUS = {
    TrialState.COMPLETE: RunStatus.FINISHED,
    TrialState.PRUNED: RunStatus.FINISHED,
    TrialState.FAILED: RunStatus.FAILED,
    TrialState.INTERRUPTED: RunStatus.KILLED,
}


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
        logged = {
            (run.name, run.tags.get("attempt"))
            for run in self.tracker.runs(self.parent_id)
            if run.status is not RunStatus.RUNNING
        }
        for record in attempts:
            if (self._name(record), str(record.attempt)) not in logged:
                self.log(record)
        # Done last, since a closed run counts as logged at the next start if this process is killed as well.
        self.tracker.close_orphans(self.parent_id)

    def _name(self, record: TrialRecord) -> str:
        kind = "trial" if self.phase is Phase.SEARCH else str(self.phase)
        return f"{self.work.cell}/{kind}-{record.number:03d}"

    def log(self, record: TrialRecord) -> None:
        """Log the nested MLflow run of a trial."""
        message = record.outcome.message
        self.tracker.log_run(
            training_run(
                record.outcome,
                name=self._name(record),
                tags=self.work.tags(self.phase, self.key),
                parent_id=self.parent_id,
                params=record.params,
                status=_RUN_STATUS[record.state],
                start_ms=record.started_ms,
                end_ms=_milliseconds(record.ended_at),
                base_rate_loss=record.base_rate_loss,
                predicted_memory_gib=record.predicted_memory_gib,
                metrics={
                    "score": self.objective.score(record),
                    "train_seconds": record.outcome.train_seconds,
                    **fold_metrics(record.outcome),
                },
                extra_tags={
                    "forced": record.forced or "",
                    "attempt": str(record.attempt),
                    "workers": str(record.workers),
                    **({"lag": str(record.lag)} if record.lag != record.workers else {}),
                    "threads": str(record.threads),
                    "device": record.device,
                    **({"message": message} if message else {}),
                    **({"taken_from": str(record.taken_from)} if record.taken_from else {}),
                },
                description=_description(record, self.objective),
            )
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


def _description(record: TrialRecord, objective: Objective) -> str:
    """Return the text at the top of a trial's page in MLflow."""
    origin = "drawn by the sampler" if record.forced is None else f"forced: {record.forced}"
    outcome, loss = record.outcome, objective.describe(record)
    if outcome.folds and outcome.best_val_loss is not None:
        loss += f", the mean over {len(outcome.folds)} folds"
    ending = f"{outcome.stop_reason} after {outcome.epochs_run} epochs"
    text = f"{outcome.n_params:,} parameters, {origin}. Ended by {ending}, {loss}."
    if record.taken_from is not None:
        text += f" Not trained here: taken over from {record.taken_from}."
    return f"{text}\n\n{outcome.message}" if outcome.message else text


def _milliseconds(iso: str) -> int:
    return round(datetime.datetime.fromisoformat(iso).timestamp() * 1000)
