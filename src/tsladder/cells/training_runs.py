"""MLflow run of a training, whether it is a trial of a search or a seed of a winner."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.trials import TrialRecord, TrialState
from tsladder.search.objective import Objective
from tsladder.tracking import RunRecord, RunStatus, RunTags, size_metrics
from tsladder.vocabulary import Cell, Phase

_RUN_STATUS = {
    TrialState.COMPLETE: RunStatus.FINISHED,
    TrialState.PRUNED: RunStatus.FINISHED,
    TrialState.FAILED: RunStatus.FAILED,
    TrialState.INTERRUPTED: RunStatus.KILLED,
}


def trial_run(record: TrialRecord, *, cell: Cell, tags: RunTags, parent_id: str, objective: Objective) -> RunRecord:
    """Build the run of a trial from its line in trials.jsonl; `tags` are those of its phase."""
    message = record.outcome.message
    kind = "trial" if tags.phase == Phase.SEARCH else tags.phase
    return training_run(
        record.outcome,
        name=f"{cell}/{kind}-{record.number:03d}",
        tags=tags,
        parent_id=parent_id,
        params=record.params,
        status=_RUN_STATUS[record.state],
        start_ms=record.started_ms,
        end_ms=_milliseconds(record.ended_at),
        base_rate_loss=record.base_rate_loss,
        predicted_memory_gib=record.predicted_memory_gib,
        metrics={
            "score": objective.score(record),
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
        description=_description(record, objective),
    )


def training_run(
    outcome: TrainingOutcome,
    *,
    name: str,
    tags: RunTags,
    parent_id: str,
    params: Mapping[str, Any],
    status: RunStatus,
    start_ms: int,
    base_rate_loss: float,
    predicted_memory_gib: float,
    metrics: Mapping[str, float | None],
    extra_tags: Mapping[str, str],
    end_ms: int | None = None,
    description: str = "",
) -> RunRecord:
    """Build the run of a training that ended with `outcome`; `metrics` and `extra_tags` are those of its kind alone."""
    heat = outcome.heat
    return RunRecord(
        name=name,
        tags=tags,
        parent_id=parent_id,
        params=params,
        metrics={
            "best_val_loss": outcome.best_val_loss,
            "val_auc": outcome.val_auc,
            "base_rate_loss": base_rate_loss,
            "peak_memory_gib": outcome.peak_memory_gib,
            "predicted_memory_gib": predicted_memory_gib,
            "seconds": outcome.seconds,
            "retries": float(outcome.retries),
            "max_celsius": heat.max_celsius,
            "pauses": float(heat.pauses),
            "paused_seconds": heat.paused_seconds,
            "epochs_run": float(outcome.epochs_run),
            **size_metrics(outcome.n_params),
            **metrics,
        },
        curves={
            "val_loss": [(epoch, loss) for epoch, (_, loss) in enumerate(outcome.curve, start=1)],
            "train_loss": list(enumerate(outcome.train_losses, start=1)),
            "val_auc_by_epoch": list(enumerate(outcome.val_aucs, start=1)),
        },
        extra_tags={"stop_reason": str(outcome.stop_reason), "thermal": str(heat.level), **extra_tags},
        status=status,
        start_ms=start_ms,
        end_ms=end_ms,
        description=description,
    )


def fold_metrics(outcome: TrainingOutcome) -> dict[str, float | None]:
    """Return the loss and AUC of every fold of a walk forward, by metric name."""
    metrics: dict[str, float | None] = {}
    for number, fold in enumerate(outcome.folds, start=1):
        metrics[f"fold_{number}_val_loss"] = fold.best_val_loss
        metrics[f"fold_{number}_val_auc"] = fold.val_auc
    return metrics


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
