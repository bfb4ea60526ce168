"""Job of a training run, and its outcome where the run cannot report one itself. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.artifacts.outcome import BatchPlan, TrainingOutcome
from tsladder.artifacts.plans import Recipe
from tsladder.models.spec import ModelSpec
from tsladder.planning.recipe import Settings
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.pruning import Bar
from tsladder.vocabulary import StopReason

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Job of training one model: everything that decides its numbers, and how it is executed (plan, device,
    threads)."""

    spec: ModelSpec
    settings: Settings
    recipe: Recipe
    task: str
    """Task whose target the model forecasts: `target.task`."""
    seed: int
    plan: BatchPlan
    device: str
    threads: int
    bar: Bar | None = None
    """Bar that the learning curve must not stay above; None: the training is never pruned."""
    scratch_folder: str | None = None
    """Folder where the best epoch's weights wait on disk, for models that do not fit twice; None keeps them in
    memory."""
    checkpoint_folder: str | None = None
    """Folder where the best weights are saved when training ends; None saves none."""
    checkpoints: CheckpointPlan | None = None
    """Plan of the checkpoints while the training runs; None: an interrupted training begins again."""
    micro_batch_seconds: float | None = None
    """Predicted time of one micro-batch, forward and backward; None where it is not known."""
    mask: float | None = None
    """Share of the patches that are hidden where the job pretrains an encoder; None: it trains a model on labels."""
    initial_weights: str | None = None
    """Folder of the pretrained encoder that the model begins with; None: all its weights are drawn."""


def ended_early(job: Job, reason: StopReason, seconds: float, message: str) -> TrainingOutcome:
    """Build the outcome of a run that returned none itself."""
    return TrainingOutcome(
        stop_reason=reason,
        best_val_loss=None,
        val_loss_se=None,
        best_epoch=None,
        val_auc=None,
        n_params=job.spec.n_params,
        curve=(),
        train_losses=(),
        plan=job.plan,
        retries=0,
        peak_memory_gib=None,
        seconds=seconds,
        train_seconds=0,
        message=message,
    )
