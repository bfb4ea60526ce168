"""Train one model on one device: warm-up, accumulation, early stopping, best weights restored.

The reported validation loss is that of the restored best weights, scored once more after restoring. It is the loss that
the task reports, for example log loss for classes, whatever was trained on.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from tsladder.artifacts.outcome import BuiltOptimizer, EpochRecord, PhaseOutcome
from tsladder.artifacts.plans import PanelRecipe, Recipe, phases_in
from tsladder.artifacts.validation_figures import ValidationFigures
from tsladder.data.samples import Samples
from tsladder.data.windows import Windows
from tsladder.models.build import Model, build, count_params
from tsladder.models.spec import PanelGeometry
from tsladder.planning.memory import scoring_batch
from tsladder.tasks import load as load_task
from tsladder.tasks import load_ranking
from tsladder.tasks.parts.losses import Loss
from tsladder.training.best_weights import BestWeights
from tsladder.training.checkpoints import Checkpoints, StopRequested
from tsladder.training.feed import Batches, Feed, feed_of
from tsladder.training.gradients import Beat, LossSums, accumulate_gradients, beat_in_blocks, no_heartbeat
from tsladder.training.lean import LeanOptimizer
from tsladder.training.optim import build_optimizer, learning_rate_factor, read_back, set_learning_rate
from tsladder.training.outcome import Job
from tsladder.training.phases import (
    Phase,
    activate,
    parts_of_parameters,
    phase_outcomes,
    phases_of,
)
from tsladder.training.training_state import TrainingProgress
from tsladder.training.validation_metrics import auc, loss_standard_error, mean_loss
from tsladder.training.weights import Weights
from tsladder.vocabulary import StopReason

Report = Callable[[EpochRecord], bool]
"""Callback after every epoch; False asks to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """Trained model with the best epoch's weights in place, and how training went. `figures`: what is reported of its
    outputs on validation beside the loss, None where nothing is. `phases` and `best_phase`, that of the best epoch, are
    None in a training without phases."""

    model: Model
    weights: Weights
    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    n_params: int
    curve: tuple[EpochRecord, ...]
    optimizer: BuiltOptimizer
    figures: ValidationFigures | None = None
    phases: tuple[PhaseOutcome, ...] | None = None
    best_phase: str | None = None

    @property
    def active(self) -> tuple[str, ...] | None:
        """Parts of the model that the best weights were scored with; None in a training without phases."""
        return next((phase.active for phase in self.phases or () if phase.name == self.best_phase), None)


class Trainer:
    """Model of a job on its device, with its optimizer step. Seeds torch by the job's seed.

    `loss` is the one that the job's recipe names, built by its task for its training labels. Raises ValueError when the
    built model does not have the parameters that its spec counts.
    """

    def __init__(self, job: Job, loss: Loss) -> None:
        torch.manual_seed(job.seed)
        self.device = torch.device(job.device)
        self.model = self._built(job).to(self.device)
        self.n_params = count_params(self.model)
        self.weights = Weights(self.model, job.recipe.precision)
        self.loss = loss
        self._spec = job.spec
        self._plan = job.plan
        self._max_gradient_norm = job.recipe.max_gradient_norm
        parts = parts_of_parameters(job.spec, self.model, phases_in(job.recipe))
        self.optimizer = build_optimizer(self.weights.stepped, job.recipe, job.settings, seed=job.seed, parts=parts)
        self._lean = self.optimizer if isinstance(self.optimizer, LeanOptimizer) else None
        if self._lean is not None:
            # The lean optimizer clips the update of each tensor itself.
            self._max_gradient_norm = None
            if self.steps_inside_backward:
                self._lean.step_inside_backward()

    def _built(self, job: Job) -> Model:
        """Build the model that is trained, with its initial weights."""
        model = build(
            job.spec,
            dropout=job.settings.dropout,
            activation_checkpointing=job.plan.activation_checkpointing,
            lowered=job.recipe.precision == "bf16",
            stocks_at_once=job.plan.stocks_at_once,
        )
        if (n_params := count_params(model)) != job.spec.n_params:
            raise ValueError(f"{job.spec} should have {job.spec.n_params} parameters by its formula and has {n_params}")
        if job.initial_weights is not None:
            # By name: the code of pretraining makes no number of a study without it.
            begin = importlib.import_module("tsladder.training.pretraining").begin_with_encoder
            begin(model, job.spec, job.initial_weights)
        return model

    @property
    def steps_inside_backward(self) -> bool:
        """True where each parameter is stepped, and its gradient dropped, as soon as the gradient is complete. That
        rules out accumulation."""
        return self._lean is not None and self._plan.accumulation_steps == 1 and not self.weights.has_masters

    @property
    def in_motion(self) -> bool:
        """True where some parameters have taken a step that others still wait for: the weights are then those of no
        step."""
        return self._lean is not None and self._lean.in_motion

    def begin(self, phase: Phase) -> None:
        """Train as `phase` says from now on. Parameters of the parts that it leaves out get no gradient, and so no
        decay and no step."""
        self.loss = phase.loss
        self._max_gradient_norm = None if self._lean is not None else phase.max_gradient_norm
        if phase.recipe is not None:
            activate(self._spec, self.model, phase.recipe.active)

    def step(self, feed: Batches, index_B: Tensor, learning_rate: float, beat: Beat = no_heartbeat) -> LossSums:
        """Take one optimizer step on the samples `index_B`; return the sums of their losses."""
        set_learning_rate(self.optimizer, learning_rate)
        if self._lean is not None:
            self._lean.begin_step()
        sums = accumulate_gradients(self.model, self.weights, feed, index_B, self._plan.micro_batch, self.loss, beat)
        if self._max_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.weights.stepped.values(), self._max_gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.weights.publish()
        if self._lean is not None:
            self._lean.end_step()
        return sums


def fit(
    job: Job,
    train: Samples,
    validation: Samples,
    report: Report,
    beat: Beat = no_heartbeat,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train `job.spec` on `train`, choosing the epoch by the recipe's monitor on `validation`.

    With `checkpoints` the training continues what an earlier process left, and leaves what a later one needs. Raises
    BadInput where the training labels do not allow the recipe's loss, ValueError where the monitor is an AUC and
    validation has none.

    Two runs of the same job on the same machine and thread count end with the same weights, bit for bit, interrupted or
    not.
    """
    phases = phases_of(job, lambda recipe: training_loss(job, train, recipe))
    trainer = Trainer(job, phases[0].loss)
    train_feed, validation_feed = (
        feed_of(samples, trainer.device, job.recipe, seed=job.seed) for samples in (train, validation)
    )
    best = _best_weights(job, trainer, checkpoints)
    progress = TrainingProgress(job, trainer, best, checkpoints)
    alive = progress.beat(beat)
    beat_in_blocks(trainer.model, alive)
    try:
        if progress.ended is None:
            feeds = (train_feed, validation_feed)
            progress.ended = _train(job, trainer, phases, progress, best, feeds, report, alive)
        ended = _fitted(job, trainer, progress, progress.ended)
        if progress.best_epoch == 0 or progress.ended in (StopReason.DIVERGED, StopReason.PRUNED):
            best.discard()
            return ended
        best.restore()
        best_phase = _phase_of_best(phases, progress)
        trainer.begin(best_phase)
        logits_N = predict_logits(trainer.model, validation_feed, job.plan.micro_batch, alive)
    except StopRequested:
        progress.write()
        return _fitted(job, trainer, progress, StopReason.INTERRUPTED)
    best.discard()
    loss = trainer.loss
    return replace(
        ended,
        best_val_loss=mean_loss(loss, logits_N, validation_feed.every_label),
        val_loss_se=loss_standard_error(loss, logits_N, validation_feed.every_label),
        best_epoch=progress.best_epoch,
        val_auc=auc(loss, logits_N, validation_feed.every_label),
        figures=validation_feed.figures(logits_N),
        best_phase=best_phase.name,
    )


def training_loss(job: Job, train: Samples, recipe: Recipe) -> Loss:
    """Build the loss that `recipe` names for the training samples of the job. Raises BadInput where they do not allow
    it."""
    if isinstance(recipe, PanelRecipe):
        return load_ranking(job.task).training_loss(recipe, cast(PanelGeometry, job.spec.geometry))
    return load_task(job.task).training_loss(recipe.loss, cast(Windows, train).y_N)


def _best_weights(job: Job, trainer: Trainer, checkpoints: Checkpoints | None) -> BestWeights:
    """Return the store of the best weights: on disk for models that do not fit twice; beside the checkpoints where
    there are some, to outlive the process."""
    if job.scratch_folder is None:
        return BestWeights(trainer.weights, None)
    if checkpoints is None:
        return BestWeights(trainer.weights, Path(job.scratch_folder))
    return BestWeights(trainer.weights, checkpoints.folder, persistent=True)


def _train(
    job: Job,
    trainer: Trainer,
    phases: Sequence[Phase],
    progress: TrainingProgress,
    best: BestWeights,
    feeds: tuple[Feed, Feed],
    report: Report,
    beat: Beat,
) -> StopReason:
    """Train epoch after epoch, phase after phase, from where `progress` stands; return how training ended. Raises
    StopRequested."""
    train_feed, validation_feed = feeds
    steps_per_epoch = -(-train_feed.per_epoch // job.plan.effective_batch)
    while True:
        phase = phases[progress.phase]
        trainer.begin(phase)
        epoch, of_phase = progress.epoch, progress.phase_epochs + 1
        order = train_feed.order(epoch, progress.shuffled)
        batches = order.split(job.plan.effective_batch)
        for number in range(progress.steps_done, len(batches)):
            factor = learning_rate_factor(
                (of_phase - 1) * steps_per_epoch + number,
                total_steps=steps_per_epoch * phase.epochs,
                warmup_steps=phase.warmup_steps,
                schedule=job.recipe.schedule,
            )
            learning_rate = job.settings.learning_rate * (phase.learning_rate * factor)
            progress.begin_step()
            progress.end_step(trainer.step(train_feed, batches[number], learning_rate, beat))
        trained_loss = progress.sums.trained.item() / len(order)
        train_seconds = progress.end_steps()
        logits_N = predict_logits(trainer.model, validation_feed, job.plan.micro_batch, beat)
        val_loss = mean_loss(phase.loss, logits_N, validation_feed.every_label)
        if not math.isfinite(trained_loss) or not math.isfinite(val_loss) or trained_loss > phase.loss.diverges_above:
            return StopReason.DIVERGED
        record = EpochRecord(
            epoch=epoch,
            steps=epoch * steps_per_epoch,
            train_loss=progress.sums.reported.item() / len(order),
            val_loss=val_loss,
            val_auc=auc(phase.loss, logits_N, validation_feed.every_label) if job.recipe.monitor == "val_auc" else None,
            train_seconds=train_seconds,
            seconds=progress.epoch_seconds,
            phase=phase.place(of_phase),
        )
        progress.curve.append(record)
        progress.judge(_watched(job, record))
        if progress.best_epoch == epoch:
            best.keep(epoch)
        progress.end_epoch()
        go_on = report(record)
        if job.bar is not None and job.bar.is_hopeless([(past.steps, past.val_loss) for past in progress.curve]):
            return StopReason.PRUNED
        if progress.patience.exhausted or of_phase == phase.epochs:
            if phase is phases[-1]:
                whole = not progress.patience.exhausted and epoch == job.settings.epochs
                return StopReason.COMPLETED if whole else StopReason.EARLY_STOPPING
            progress.begin_phase()
        if not go_on:
            progress.stop_if_resumable()
            return StopReason.INTERRUPTED


def _phase_of_best(phases: Sequence[Phase], progress: TrainingProgress) -> Phase:
    """Return the phase of the best epoch."""
    place = progress.curve[progress.best_epoch - 1].phase
    return next(phase for phase in phases if place is None or phase.name == place.name)


def _fitted(job: Job, trainer: Trainer, progress: TrainingProgress, stop_reason: StopReason) -> Fitted:
    """Return the fitted model without a score, which is added where training ended with one."""
    return Fitted(
        model=trainer.model,
        weights=trainer.weights,
        stop_reason=stop_reason,
        best_val_loss=None,
        val_loss_se=None,
        best_epoch=None,
        val_auc=None,
        n_params=trainer.n_params,
        curve=tuple(progress.curve),
        optimizer=read_back(trainer.optimizer),
        phases=phase_outcomes(job.recipe, progress.curve),
    )


def _watched(job: Job, record: EpochRecord) -> float:
    """Return the value that early stopping and the choice of the epoch minimise."""
    if job.recipe.monitor == "val_loss":
        return record.val_loss
    if record.val_auc is None:
        raise ValueError("training.monitor val_auc needs positives and negatives in validation")
    return -record.val_auc


@torch.no_grad()
def predict_logits(model: Model, feed: Feed, micro_batch: int | None = None, beat: Beat = no_heartbeat) -> Tensor:
    """Return the raw outputs, one per sample in the order of the samples, without dropout.

    `micro_batch`: how many samples training could hold.
    """
    model.eval()
    return torch.cat(list(_logits(model, feed, scoring_batch(micro_batch, feed.stocks), beat)))


def _logits(model: Model, feed: Feed, at_once: int, beat: Beat) -> Iterator[Tensor]:
    for index_B in torch.arange(len(feed), device=feed.device).split(at_once):
        inputs_B, _ = feed.batch(index_B)
        yield model(inputs_B)
        beat()
