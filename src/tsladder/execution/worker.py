"""Worker: one training run in a process of its own, which can die without taking the study with it.

The child sends messages through a pipe: a beat every few seconds while its micro-batches and blocks go by, an
EpochRecord after every epoch, a WorkerMessage for the user, and a TrainingOutcome as its last message. Asked to stop,
it writes a checkpoint within seconds if its training keeps one, and otherwise finishes its epoch; it exits at once when
the parent is gone.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import os
import platform
import resource
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.artifacts.trained_model import TrainedModel
from tsladder.data.samples import Fold
from tsladder.execution.shared_windows import SharedFolds
from tsladder.planning.memory import GIB, smaller_plan
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

if TYPE_CHECKING:
    from tsladder.panel.dataset import CellDays

MAX_RETRIES = 10

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_SMALL, _LARGE = 1 << 18, 1 << 30

BEAT = "beat"
BEAT_SECONDS = 2.0
POLL_SECONDS = 0.2
STOP = "stop"


@dataclass(frozen=True, slots=True)
class WorkerMessage:
    """Line of text for the user."""

    text: str


def run_job(channel: Connection, job: Job, samples: SharedFolds, environment: Mapping[str, str] | None = None) -> None:
    """Run `job` on `samples` and send its messages through `channel`: the entry point of the child process.

    `environment`: variables to set before anything asks for a device, such as CUDA_VISIBLE_DEVICES.
    """
    _die_with_parent()
    os.environ.update(environment or {})
    started = time.perf_counter()
    try:
        outcome = _train(channel, job, samples.folds, started)
    except Exception:
        outcome = ended_early(job, StopReason.ERROR, time.perf_counter() - started, traceback.format_exc())
    channel.send(outcome)
    channel.close()


def _train(channel: Connection, job: Job, folds: tuple[Fold, ...], started: float) -> TrainingOutcome:
    import torch

    from tsladder.training.checkpoint import save_checkpoint
    from tsladder.training.checkpoints import Checkpoints
    from tsladder.training.folds import WalkForwardResult, walk_forward
    from tsladder.training.trainer import Fitted, fit

    torch.set_num_threads(job.threads)

    stopping = False
    last_poll = last_beat = started

    def poll_stop() -> bool:
        nonlocal stopping
        stopping = stopping or (channel.poll() and channel.recv() == STOP)
        return stopping

    def stop_requested() -> bool:
        """Check at most every POLL_SECONDS whether the parent asked to stop.

        This is called in every block of a model, and reading the pipe costs as much as a small block.
        """
        nonlocal last_poll
        now = time.perf_counter()
        if now - last_poll < POLL_SECONDS:
            return stopping
        last_poll = now
        return poll_stop()

    def report(record: EpochRecord) -> bool:
        channel.send(record)
        return not poll_stop()

    checkpoints = None
    if job.checkpoints is not None:
        checkpoints = Checkpoints(
            job.checkpoints, say=lambda text: channel.send(WorkerMessage(text)), stop_requested=stop_requested
        )

    def beat() -> None:
        nonlocal last_beat
        now = time.perf_counter()
        if now - last_beat >= BEAT_SECONDS:
            last_beat = now
            channel.send(BEAT)

    def trained() -> Fitted | WalkForwardResult:
        if job.mask is not None:
            # Imported here: no other job needs the code of pretraining.
            from tsladder.training.pretraining import pretrain

            return pretrain(job, cast("CellDays", folds[-1].train), report, beat, checkpoints)
        if len(folds) > 1:
            return walk_forward(job, folds, report, beat, checkpoints)
        return fit(job, folds[0].train, folds[0].validation, report, beat, checkpoints)

    retries = 0
    while True:
        allocate_for(job.plan)
        message = ""
        try:
            fitted = trained()
            break
        except (torch.OutOfMemoryError, MemoryError) as error:
            message = str(error)
        except RuntimeError as error:
            if "can't allocate memory" not in str(error):
                raise
            message = str(error)
        # Outside the except block, so that the failed attempt's tensors are no longer held by its traceback.
        smaller = smaller_plan(job.plan, job.spec.stocks)
        if smaller is None or retries >= MAX_RETRIES:
            seconds = time.perf_counter() - started
            return dataclasses.replace(ended_early(job, StopReason.OUT_OF_MEMORY, seconds, message), retries=retries)
        retries += 1
        job = dataclasses.replace(job, plan=smaller)
        gc.collect()
        if job.device == "cuda":
            torch.cuda.empty_cache()
    outcome = TrainingOutcome(
        stop_reason=fitted.stop_reason,
        best_val_loss=fitted.best_val_loss,
        val_loss_se=fitted.val_loss_se,
        best_epoch=fitted.best_epoch,
        val_auc=fitted.val_auc,
        n_params=fitted.n_params,
        curve=tuple((epoch.steps, epoch.val_loss) for epoch in fitted.curve),
        train_losses=tuple(epoch.train_loss for epoch in fitted.curve),
        val_aucs=tuple(epoch.val_auc for epoch in fitted.curve if epoch.val_auc is not None),
        plan=job.plan,
        retries=retries,
        peak_memory_gib=peak_memory_gib(job.device),
        seconds=time.perf_counter() - started if checkpoints is None else checkpoints.seconds,
        train_seconds=sum(epoch.train_seconds for epoch in fitted.curve),
        folds=fitted.folds if isinstance(fitted, WalkForwardResult) else (),
        validation=fitted.figures if isinstance(fitted, Fitted) else None,
        resumed_at=0 if checkpoints is None else checkpoints.resumed_at,
        optimizer=None if fitted.optimizer is None else fitted.optimizer.name,
        optimizer_settings=None if fitted.optimizer is None else fitted.optimizer.settings,
        phases=fitted.phases if isinstance(fitted, Fitted) else None,
        best_phase=fitted.best_phase if isinstance(fitted, Fitted) else None,
    )
    if isinstance(fitted, Fitted) and job.checkpoint_folder is not None and outcome.scored:
        record = TrainedModel(
            seed=job.seed,
            n_params=fitted.n_params,
            best_val_loss=fitted.best_val_loss,
            best_epoch=fitted.best_epoch,
            val_auc=fitted.val_auc,
            stop_reason=fitted.stop_reason,
            architecture=job.spec.architecture(),
            settings=job.settings.to_record(),
            active=fitted.active,
        )
        save_checkpoint(Path(job.checkpoint_folder), fitted.weights.to_save, record)
    return outcome


def allocate_for(plan: BatchPlan) -> None:
    """Set glibc's allocator for a process that trains under `plan`; do nothing under another C library.

    Memory that a step frees is kept for the next step, instead of being returned to the system and faulted in again,
    which took 2 to 7 % of a step. If memory is short enough for activation checkpointing, every tensor gets pages of
    its own, which are returned when it is freed: between the kept inputs of blocks the heap would fragment to twice its
    size. So it would between the moments of AdamW that steps bf16 weights, with a few fp32 copies of each at a time.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    fragments = plan.activation_checkpointing or (plan.precision == "bf16" and plan.optimizer == "adamw")
    own_pages_from = _SMALL if fragments else _LARGE
    for option, value in ((_M_MMAP_THRESHOLD, own_pages_from), (_M_TRIM_THRESHOLD, (1 << 31) - 1)):
        if libc.mallopt(option, value) != 1:
            raise OSError(f"mallopt({option}, {value}) was refused by glibc")


def peak_memory_gib(device: str) -> float:
    """Return the allocator's peak on a GPU, and the peak resident size of the process elsewhere, in GiB."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated() / GIB
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
