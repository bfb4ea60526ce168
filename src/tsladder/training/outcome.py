"""What a training run hands back: values, also for the endings nobody wished for. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tsladder.models.spec import ModelSpec
from tsladder.planning.memory import BatchPlan
from tsladder.planning.recipe import Recipe, Settings
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.heat import NO_HEAT, Heat
from tsladder.training.pruning import Bar
from tsladder.vocabulary import StopReason

WEIGHTS = "model.safetensors"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldOutcome:
    """How the model of one fold of a walk forward ended; its fields are as in `Outcome`.

    `seconds` are those of the epochs that came to their end.
    """

    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    epochs_run: int
    seconds: float

    @property
    def scored(self) -> bool:
        return _scored(self.stop_reason, self.best_val_loss)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How training ended. `best_val_loss`, its standard error over windows and `val_auc` belong to the restored weights
    of `best_epoch`. The loss is log loss for classes; for returns it is Huber's loss in standard deviations of the
    training labels, and there is no AUC.

    A run without a usable validation loss has None there, never a number. `seconds` are of the clock, those of `heat`
    that it was paused included; so are `train_seconds`.

    Of a walk forward the losses are means over its `folds`, in `tsladder.training.folds`; `best_epoch` is None, each
    fold has its own. `folds` is empty where one model was trained.

    `resumed_at`: optimizer steps that came from a checkpoint of an earlier process, 0 where it began afresh. `curve`
    and `seconds` include them.
    """

    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    n_params: int | None
    curve: tuple[EpochRecord, ...]
    plan: BatchPlan
    retries: int
    peak_memory_gib: float | None
    seconds: float
    message: str = ""
    heat: Heat = NO_HEAT
    folds: tuple[FoldOutcome, ...] = ()
    resumed_at: int = 0

    @property
    def train_seconds(self) -> float:
        """Seconds in optimizer steps, of the epochs that came to their end."""
        return sum(epoch.train_seconds for epoch in self.curve)

    @property
    def losses(self) -> tuple[tuple[int, float], ...]:
        """(optimizer steps so far, validation loss) after each epoch."""
        return tuple((epoch.steps, epoch.val_loss) for epoch in self.curve)

    @property
    def scored(self) -> bool:
        return _scored(self.stop_reason, self.best_val_loss)


def _scored(stop_reason: StopReason, best_val_loss: float | None) -> bool:
    return stop_reason.scored and best_val_loss is not None and math.isfinite(best_val_loss)


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
        plan=job.plan,
        retries=0,
        peak_memory_gib=None,
        seconds=seconds,
        message=message,
    )
