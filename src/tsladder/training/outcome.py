"""A training run: what it is asked, what it says after each epoch, how it ends where it cannot say. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.artifacts.outcome import BatchPlan, Outcome
from tsladder.models.spec import ModelSpec
from tsladder.planning.recipe import Recipe, Settings
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.pruning import Bar
from tsladder.vocabulary import StopReason

WEIGHTS = "model.safetensors"
RECORD = "training.json"
"""The two files of a checkpoint folder; the record is written last, so a folder with one is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One model to train: everything that decides its numbers, and how it is executed (plan, device, threads)."""

    spec: ModelSpec
    settings: Settings
    recipe: Recipe
    task: str
    """What it forecasts: `target.task`."""
    seed: int
    plan: BatchPlan
    device: str
    threads: int
    bar: Bar | None = None
    """What its learning curve must not stay above; None: it is never given up."""
    scratch_folder: str | None = None
    """Where the best epoch's weights wait on disk, for models that do not fit twice; None keeps them in memory."""
    checkpoint_folder: str | None = None
    """Where the best weights are saved when training ends; None keeps none."""
    checkpoints: CheckpointPlan | None = None
    """Where the training is kept while it is under way; None: interrupted, it begins again."""
    micro_batch_seconds: float | None = None
    """Predicted time of one micro-batch, forward and backward; None where it is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRecord:
    """One finished epoch, `steps` optimizer steps into the run. `train_loss` is the mean over it, with dropout, of the
    loss that `val_loss` is of, whatever is trained on. `val_auc` where it is monitored, else None.

    `train_seconds` went into its optimizer steps, `seconds` into all of it.
    """

    epoch: int
    steps: int
    train_loss: float
    val_loss: float
    train_seconds: float
    seconds: float
    val_auc: float | None = None


def ended_early(job: Job, reason: StopReason, seconds: float, message: str) -> Outcome:
    """The outcome of a run that never came to hand one back itself."""
    return Outcome(
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
