"""What is written down of a trial the moment it ends: its record, its MLflow run, its line on the terminal."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.cells.work import CellWork, JobExecution, settings_params
from tsladder.search.draws import DrawnTrial
from tsladder.search.objective import Objective
from tsladder.search.trials import TrialRecord, TrialState
from tsladder.tracking import RunRecord, RunStatus, Tracker, size_metrics
from tsladder.training.outcome import Outcome
from tsladder.vocabulary import Phase, StopReason

_RUN_STATUS = {
    TrialState.COMPLETE: RunStatus.FINISHED,
    TrialState.PRUNED: RunStatus.FINISHED,
    TrialState.FAILED: RunStatus.FAILED,
    TrialState.INTERRUPTED: RunStatus.KILLED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialPlan:
    """A drawn trial, and how it is executed in its slot."""

    drawn: DrawnTrial
    execution: JobExecution
    identity: str
    started_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bookkeeper:
    """Turns outcomes of one cell's trials into records and runs. `key` is the cell's, which all its runs carry;
    `publish` shows the ended trials to whoever looks at the results while the search runs."""

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

    def record(self, trial: TrialPlan, outcome: Outcome) -> TrialRecord:
        """The line of trials.jsonl."""
        spec, settings = trial.drawn.configuration.spec, trial.drawn.configuration.settings
        if outcome.stop_reason in (StopReason.INTERRUPTED, StopReason.THERMAL):
            state = TrialState.INTERRUPTED
        elif outcome.stop_reason is StopReason.PRUNED:
            state = TrialState.PRUNED
        else:
            state = TrialState.COMPLETE if outcome.scored else TrialState.FAILED
        return TrialRecord(
            number=trial.drawn.number,
            attempt=trial.drawn.attempt,
            state=state,
            stop_reason=outcome.stop_reason,
            forced=trial.drawn.forced,
            draws=trial.drawn.draws,
            params=settings_params(spec, settings.to_record(), outcome.plan, trial.drawn.seed),
            n_params=outcome.n_params,
            best_val_loss=outcome.best_val_loss,
            val_loss_se=outcome.val_loss_se,
            best_epoch=outcome.best_epoch,
            val_auc=outcome.val_auc,
            base_rate_loss=self.work.search_base_rate_loss,
            train_losses=tuple(epoch.train_loss for epoch in outcome.curve),
            val_aucs=tuple(epoch.val_auc for epoch in outcome.curve if epoch.val_auc is not None),
            epochs_run=len(outcome.curve),
            curve=outcome.losses,
            retries=outcome.retries,
            peak_memory_gib=outcome.peak_memory_gib,
            predicted_memory_gib=self.work.predicted_memory_gib(spec, outcome.plan),
            seconds=outcome.seconds,
            train_seconds=outcome.train_seconds,
            celsius=outcome.heat.max_celsius,
            thermal=outcome.heat.level,
            pauses=outcome.heat.pauses,
            paused_seconds=outcome.heat.paused_seconds,
            device=trial.execution.device,
            workers=self.workers,
            lag=self.lag,
            threads=trial.execution.threads,
            started_ms=trial.started_ms,
            ended_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            message=outcome.message,
            folds=outcome.folds,
            resumed_at=outcome.resumed_at,
            identity=trial.identity,
        )

    def taken_over(self, trial: TrialPlan, earlier: TrialRecord) -> TrialRecord:
        """The line of a trial that another search has trained: its measurements, this search's bookkeeping."""
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

    def log_lost(self, attempts: Sequence[TrialRecord]) -> None:
        """Copy to MLflow what a run that was killed had on disk and not yet there, and close what it left open."""
        logged = {
            (run.name, run.tags.get("attempt"))
            for run in self.tracker.runs(self.parent_id)
            if run.status is not RunStatus.RUNNING
        }
        for record in attempts:
            if (self._name(record), str(record.attempt)) not in logged:
                self.log(record)
        # Last: a run that is closed counts as logged at the next start, should this one be killed as well.
        self.tracker.close_orphans(self.parent_id)

    def _name(self, record: TrialRecord) -> str:
        kind = "trial" if self.phase is Phase.SEARCH else str(self.phase)
        return f"{self.work.cell}/{kind}-{record.number:03d}"

    def log(self, record: TrialRecord) -> None:
        """The nested MLflow run."""
        self.tracker.log_run(
            RunRecord(
                name=self._name(record),
                tags=self.work.tags(self.phase, self.key),
                parent_id=self.parent_id,
                params=record.params,
                metrics={
                    "best_val_loss": record.best_val_loss,
                    "val_auc": record.val_auc,
                    "score": self.objective.score(record),
                    "base_rate_loss": record.base_rate_loss,
                    "peak_memory_gib": record.peak_memory_gib,
                    "predicted_memory_gib": record.predicted_memory_gib,
                    "seconds": record.seconds,
                    "train_seconds": record.train_seconds,
                    "retries": float(record.retries),
                    "max_celsius": record.celsius,
                    "pauses": float(record.pauses),
                    "paused_seconds": record.paused_seconds,
                    "epochs_run": float(record.epochs_run),
                    **size_metrics(record.n_params),
                    **_fold_metrics(record),
                },
                curves={
                    "val_loss": [(epoch, loss) for epoch, (_, loss) in enumerate(record.curve, start=1)],
                    "train_loss": list(enumerate(record.train_losses, start=1)),
                    "val_auc_by_epoch": list(enumerate(record.val_aucs, start=1)),
                },
                extra_tags={
                    "stop_reason": str(record.stop_reason),
                    "forced": record.forced or "",
                    "attempt": str(record.attempt),
                    "workers": str(record.workers),
                    **({"lag": str(record.lag)} if record.lag != record.workers else {}),
                    "threads": str(record.threads),
                    "device": record.device,
                    "thermal": str(record.thermal),
                    **({"message": record.message} if record.message else {}),
                    **({"taken_from": str(record.taken_from)} if record.taken_from else {}),
                },
                status=_RUN_STATUS[record.state],
                start_ms=record.started_ms,
                end_ms=_milliseconds(record.ended_at),
                description=_description(record, self.objective),
            )
        )

    def announce(self, trial: TrialPlan, record: TrialRecord, leader: TrialRecord | None) -> None:
        """One line on stderr."""
        so_far = "" if leader is None else f", {self.objective.leader_words(leader)}"
        spec = trial.drawn.configuration.spec
        shape = f"d={spec.d_model} L={spec.n_layers} h={spec.n_heads} ff={spec.d_ff}"
        self.say(
            f"trial {record.number + 1}/{self.trials_total} {shape}: {self.objective.words(record)}, "
            f"{record.stop_reason} after {record.epochs_run} epochs in {record.seconds:.1f} s{so_far}"
        )
        if record.message:
            # The whole of it is in trials.jsonl.
            self.say(f"trial {record.number + 1}: {record.message.strip().splitlines()[-1]}")


def _fold_metrics(record: TrialRecord) -> dict[str, float | None]:
    """Loss and AUC of every fold of a walk forward."""
    metrics: dict[str, float | None] = {}
    for number, fold in enumerate(record.folds, start=1):
        metrics[f"fold_{number}_val_loss"] = fold.best_val_loss
        metrics[f"fold_{number}_val_auc"] = fold.val_auc
    return metrics


def _description(record: TrialRecord, objective: Objective) -> str:
    """What the page of a trial's run says first."""
    origin = "drawn by the sampler" if record.forced is None else f"forced: {record.forced}"
    loss = objective.words(record)
    if record.folds and record.best_val_loss is not None:
        loss += f", the mean over {len(record.folds)} folds"
    ending = f"{record.stop_reason} after {record.epochs_run} epochs"
    said = f"{record.n_params:,} parameters, {origin}. Ended by {ending}, {loss}."
    if record.taken_from is not None:
        said += f" Not trained here: taken over from {record.taken_from}."
    return f"{said}\n\n{record.message}" if record.message else said


def _milliseconds(iso: str) -> int:
    return round(datetime.datetime.fromisoformat(iso).timestamp() * 1000)
