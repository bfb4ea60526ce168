"""MLflow run of a training, whether it is a trial of a search or a seed of a winner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.tracking import RunRecord, RunStatus, RunTags, size_metrics


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
