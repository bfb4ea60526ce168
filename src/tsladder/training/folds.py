"""Train one trial of a walk forward: one model per fold, all with the same settings, judged by their mean.

The folds are trained one after the other, in time order, each from fresh weights.

- Seed: derived from the trial's seed and the fold's number, so that folds share no stream.
- Warm-up: the trial's is counted in optimizer steps of the last fold, on which a winner is trained again; an earlier
  fold, which has fewer steps, takes the same share of its own.
- Validation loss and AUC: the mean over the folds, each fold weighing the same.
- Standard error of that loss: sqrt(sum of the folds' squared standard errors) / K. Those are over windows, as if these
  were independent; the validation windows of different folds are different. Variation between folds shows in their own
  losses.
- Stop reason: that of the first fold that ends without a usable loss, and no later one is trained then; otherwise early
  stopping where any fold stopped early, else completed.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.artifacts.checkpoints import EndedFolds
from tsladder.artifacts.outcome import BuiltOptimizer, EpochRecord, FoldOutcome
from tsladder.data.samples import Fold
from tsladder.seeds import derive_seed
from tsladder.training.checkpoints import Checkpoints
from tsladder.training.gradients import Beat
from tsladder.training.outcome import Job
from tsladder.training.trainer import Report, fit
from tsladder.vocabulary import StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkForwardResult:
    """Result of the folds that were trained. Losses and AUC are None unless all folds have one.

    `curve` holds the epochs of all folds one after the other: `steps` count on, and epoch e of fold k is numbered (k -
    1) * epochs allowed + e. `optimizer`: that of the last fold; None where a process of an older version trained it.
    """

    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    val_auc: float | None
    n_params: int
    curve: tuple[EpochRecord, ...]
    folds: tuple[FoldOutcome, ...]
    optimizer: BuiltOptimizer | None
    best_epoch: None = None


def walk_forward(
    job: Job, folds: Sequence[Fold], report: Report, beat: Beat, checkpoints: Checkpoints | None = None
) -> WalkForwardResult:
    """Train one model of `job` on each of `folds`; `report` is called after every epoch with its record in
    `WalkForwardResult.curve`.

    With `checkpoints` the training continues in the fold, and inside it, where an earlier process left off. Raises
    ValueError for a job that is to leave a trained model: none of several models is the trial's.
    """
    if job.checkpoint_folder is not None:
        raise ValueError(f"{len(folds)} folds are trained on, and a checkpoint holds one model")
    curve: list[EpochRecord] = []
    ended: list[FoldOutcome] = []
    n_params = job.spec.n_params
    optimizer: BuiltOptimizer | None = None
    if checkpoints is not None:
        curve, ended, optimizer = _ended_before(checkpoints)
    for number, fold in enumerate(folds[len(ended) :], start=len(ended) + 1):
        curve_before = curve
        epochs_before, steps_before = (number - 1) * job.settings.epochs, curve[-1].steps if curve else 0

        def renumbered(record: EpochRecord, epochs: int = epochs_before, steps: int = steps_before) -> EpochRecord:
            return dataclasses.replace(record, epoch=epochs + record.epoch, steps=steps + record.steps)

        def report_renumbered(
            record: EpochRecord, renumbered: Callable[[EpochRecord], EpochRecord] = renumbered
        ) -> bool:
            return report(renumbered(record))

        of_fold = None if checkpoints is None else checkpoints.of_fold(number)
        fitted = fit(job_of_fold(job, folds, number), fold.train, fold.validation, report_renumbered, beat, of_fold)
        if checkpoints is not None and of_fold is not None and of_fold.resumed_at > 0:
            checkpoints.resumed_at = steps_before + of_fold.resumed_at
        # Epochs that an earlier process trained were reported there.
        curve = [*curve_before, *map(renumbered, fitted.curve)]
        n_params, optimizer = fitted.n_params, fitted.optimizer
        ended.append(
            FoldOutcome(
                stop_reason=fitted.stop_reason,
                best_val_loss=fitted.best_val_loss,
                val_loss_se=fitted.val_loss_se,
                best_epoch=fitted.best_epoch,
                val_auc=fitted.val_auc,
                epochs_run=len(fitted.curve),
                seconds=sum(epoch.seconds for epoch in fitted.curve),
                phases=fitted.phases,
                best_phase=fitted.best_phase,
            )
        )
        if not ended[-1].scored:
            break
        if checkpoints is not None:
            checkpoints.fold_ended(
                EndedFolds(
                    identity=checkpoints.identity,
                    steps=curve[-1].steps,
                    seconds=checkpoints.seconds,
                    folds=tuple(ended),
                    curve=tuple(curve),
                    optimizer=optimizer,
                )
            )
    return summarised(ended, len(folds), n_params, curve, optimizer)


def _ended_before(checkpoints: Checkpoints) -> tuple[list[EpochRecord], list[FoldOutcome], BuiltOptimizer | None]:
    """Return the epochs and outcomes of the folds that earlier processes have trained to their end, and the optimizer
    of the last one."""
    record = checkpoints.ended_folds()
    if record is None:
        return [], [], None
    checkpoints.continue_counts(record)
    return list(record.curve), list(record.folds), record.optimizer


def job_of_fold(job: Job, folds: Sequence[Fold], number: int) -> Job:
    """Return the job of fold `number`, counted from 1."""
    batch = job.plan.effective_batch
    of_last, of_fold = (-(-len(fold.train) // batch) for fold in (folds[-1], folds[number - 1]))
    warmup_steps = job.settings.warmup_steps
    if warmup_steps > 0:
        warmup_steps = max(1, round(warmup_steps * of_fold / of_last))
    settings = dataclasses.replace(job.settings, warmup_steps=warmup_steps)
    return dataclasses.replace(job, settings=settings, seed=derive_seed(job.seed, "fold", number))


def summarised(
    ended: Sequence[FoldOutcome],
    n_folds: int,
    n_params: int,
    curve: Sequence[EpochRecord],
    optimizer: BuiltOptimizer | None = None,
) -> WalkForwardResult:
    """Summarise as one trial the folds `ended`, those of `n_folds` that were trained."""
    whole = len(ended) == n_folds and all(fold.scored for fold in ended)
    reasons = [fold.stop_reason for fold in ended]
    stopped_early = StopReason.EARLY_STOPPING in reasons
    errors = _all_known([fold.val_loss_se for fold in ended]) if whole else None
    return WalkForwardResult(
        stop_reason=StopReason.EARLY_STOPPING if whole and stopped_early else reasons[-1],
        best_val_loss=_mean([fold.best_val_loss for fold in ended]) if whole else None,
        val_loss_se=None if errors is None else math.hypot(*errors) / n_folds,
        val_auc=_mean([fold.val_auc for fold in ended]) if whole else None,
        n_params=n_params,
        curve=tuple(curve),
        folds=tuple(ended),
        optimizer=optimizer,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = _all_known(values)
    return None if known is None else statistics.fmean(known)


def _all_known(values: Sequence[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None
