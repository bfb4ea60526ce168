"""State of one training: everything that its next optimizer step depends on, written to disk and read back."""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

import torch
from torch import Tensor

from tsladder.artifacts.checkpoints import PatienceState, PhaseState, TrainingState
from tsladder.artifacts.outcome import EpochRecord
from tsladder.artifacts.plans import phases_in
from tsladder.patience import Patience
from tsladder.patience import step as step_patience
from tsladder.training.best_weights import BestWeights
from tsladder.training.checkpoints import Checkpoints, StopRequested
from tsladder.training.gradients import Beat, LossSums
from tsladder.training.optim import optimizer_numbers, optimizer_tensors, restore_optimizer
from tsladder.training.outcome import Job
from tsladder.training.state_file import StateFile
from tsladder.training.weights import Weights
from tsladder.vocabulary import StopReason

WEIGHTS, BEST, OPTIMIZER, SUMS = "weights.", "best.", "optimizer.", "sum."
ORDER, HOST, DEVICE = "generator.order", "generator.host", "generator.device"


class ModelInTraining(Protocol):
    """Model under training, with its weights and optimizer; `in_motion`: a step has changed some weights and not yet
    all."""

    weights: Weights
    optimizer: torch.optim.Optimizer
    device: torch.device

    @property
    def in_motion(self) -> bool: ...


class TrainingProgress:
    """Progress of one training, from its first epoch or from the checkpoint that an earlier process left.

    `epoch` is the current one, counted from 1, of which `steps_done` steps have been made; `ended` says how training
    ended where only the final score is missing. `phase` is the current one, counted from 0, of which `phase_epochs`
    epochs have ended; a training without phases is one phase.
    """

    def __init__(self, job: Job, trained: ModelInTraining, best: BestWeights, checkpoints: Checkpoints | None) -> None:
        self._trained = trained
        self._best = best
        self._checkpoints = checkpoints
        self._device = None if trained.device.type == "cpu" else torch.get_device_module(trained.device)
        self._order = torch.Generator().manual_seed(job.seed)
        self._order_before = self._order.get_state()
        self._before_step: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self._train_seconds_before = self._seconds_before = 0.0
        self._epoch_began = self._steps_began = time.perf_counter()
        self._scoring_began: float | None = None
        self._step_began = self._slowest_step = 0.0
        self.epoch = 1
        self.steps_done = 0
        self.sums = LossSums.zero(trained.device)
        self.phase = self.phase_epochs = 0
        self._has_phases = bool(phases_in(job.recipe))
        self._fresh = Patience(limit=job.recipe.patience, min_delta=job.recipe.min_delta)
        self.patience = self._best_of_all = self._fresh
        self.curve: list[EpochRecord] = []
        self.ended: StopReason | None = None
        stored = None if checkpoints is None else checkpoints.resume()
        if stored is not None and checkpoints is not None:
            self._restore(stored, checkpoints)

    def beat(self, beat: Beat) -> Beat:
        """Return `beat`, extended to raise StopRequested where the training was asked to stop and no weight has
        moved."""
        checkpoints = self._checkpoints
        if checkpoints is None:
            return beat

        def watched() -> None:
            beat()
            if not self._trained.in_motion and checkpoints.stop_now:
                raise StopRequested

        return watched

    def shuffled(self, count: int) -> Tensor:
        """Return the order of the epoch's windows."""
        self._epoch_began = self._steps_began = time.perf_counter()
        self._scoring_began = None
        self._order.set_state(self._order_before)
        return torch.randperm(count, generator=self._order)

    def begin_step(self) -> None:
        """Begin a step, before its first micro-batch."""
        self._step_began = time.perf_counter()
        if self._checkpoints is not None:
            self._before_step = (self._generators(), optimizer_numbers(self._trained.optimizer))

    def end_step(self, sums: LossSums) -> None:
        """End a step: write a checkpoint where one is due. Raises StopRequested where the training is to stop."""
        self.sums = self.sums.plus(sums)
        self.steps_done += 1
        self._before_step = None
        now = time.perf_counter()
        self._slowest_step = max(self._slowest_step, now - self._step_began)
        if self._checkpoints is None:
            return
        if self._checkpoints.stop_now:
            raise StopRequested
        if self._checkpoints.due(self._slowest_step):
            self.write()

    def end_steps(self) -> float:
        """End the steps of an epoch, after the last one: return the seconds that they took."""
        self._scoring_began = time.perf_counter()
        return self._train_seconds_before + self._scoring_began - self._steps_began

    @property
    def epoch_seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._epoch_began

    @property
    def best_epoch(self) -> int:
        """Epoch with the lowest loss so far, over all phases; 0 before the first one."""
        return self._best_of_all.best_step

    def judge(self, loss: float) -> None:
        """Take the loss of the current epoch into account, by which epochs are compared."""
        self.patience = step_patience(self.patience, loss, self.epoch)
        self._best_of_all = step_patience(self._best_of_all, loss, self.epoch)

    def begin_phase(self) -> None:
        """Begin the next phase, with patience of its own."""
        self.phase += 1
        self.phase_epochs = 0
        self.patience = self._fresh

    def end_epoch(self) -> None:
        """Begin the next epoch."""
        self.epoch += 1
        self.phase_epochs += 1
        self.steps_done = 0
        self.sums = LossSums.zero(self._trained.device)
        self._order_before = self._order.get_state()
        self._train_seconds_before = self._seconds_before = 0.0
        self._epoch_began = self._steps_began = time.perf_counter()
        self._scoring_began = None

    def stop_if_resumable(self) -> None:
        """Raise StopRequested where checkpoints are written; elsewhere do nothing, since an interrupted training leaves
        nothing behind."""
        if self._checkpoints is not None and self._checkpoints.active:
            raise StopRequested

    def write(self) -> None:
        """Write a checkpoint of the last whole step."""
        if self._checkpoints is None:
            return
        generators, numbers = self._before_step or (self._generators(), optimizer_numbers(self._trained.optimizer))
        tensors = {
            **{WEIGHTS + name: value for name, value in self._trained.weights.to_save.items()},
            **{BEST + name: value for name, value in self._best.in_memory.items()},
            **{OPTIMIZER + name: value for name, value in optimizer_tensors(self._trained.optimizer).items()},
            **generators,
            ORDER: self._order_before,
            SUMS + "trained": self.sums.trained,
            SUMS + "reported": self.sums.reported,
        }
        steps_until = self._scoring_began or time.perf_counter()
        state = TrainingState(
            identity=self._checkpoints.identity,
            epoch=self.epoch,
            steps=(self.curve[-1].steps if self.curve else 0) + self.steps_done,
            steps_done=self.steps_done,
            seconds=self._checkpoints.seconds,
            train_seconds=self._train_seconds_before + steps_until - self._steps_began,
            epoch_seconds=self.epoch_seconds,
            patience=_stored(self.patience),
            curve=tuple(self.curve),
            ended=self.ended,
            optimizer=numbers,
            phase=PhaseState(number=self.phase, epochs_done=self.phase_epochs, best=_stored(self._best_of_all))
            if self._has_phases
            else None,
        )
        self._checkpoints.write(tensors, state)
        self._best.forget_older()

    def _generators(self) -> dict[str, Tensor]:
        found = {HOST: torch.get_rng_state()}
        return found if self._device is None else {**found, DEVICE: self._device.get_rng_state()}

    def _restore(self, stored: StateFile, checkpoints: Checkpoints) -> None:
        state = stored.state
        best_of_all = _restored(state.patience if state.phase is None else state.phase.best)
        if best_of_all.best_step > 0 and not self._best.adopt(best_of_all.best_step, stored.below(BEST)):
            checkpoints.refuse("lacks the weights of its best epoch")
            return
        self._trained.weights.load(stored.below(WEIGHTS))
        restore_optimizer(self._trained.optimizer, stored.below(OPTIMIZER), state.optimizer)
        for name, generator in stored.below("generator."):
            if "generator." + name == ORDER:
                self._order_before = generator
            elif "generator." + name == HOST:
                torch.set_rng_state(generator)
            elif self._device is not None:
                self._device.set_rng_state(generator)
        self._order.set_state(self._order_before)
        self.epoch, self.steps_done = state.epoch, state.steps_done
        self.sums = LossSums(**{name: value.to(self._trained.device) for name, value in stored.below(SUMS)})
        self._train_seconds_before = state.train_seconds
        self._seconds_before = state.epoch_seconds
        self.patience, self._best_of_all = _restored(state.patience), best_of_all
        self.phase = 0 if state.phase is None else state.phase.number
        self.phase_epochs = state.epoch - 1 if state.phase is None else state.phase.epochs_done
        self.curve = list(state.curve)
        self.ended = state.ended
        checkpoints.continue_counts(state)


def _stored(patience: Patience) -> PatienceState:
    """Return `patience` with None for infinite losses, since JSON has no infinity."""
    return PatienceState(
        limit=patience.limit,
        min_delta=patience.min_delta,
        best=None if patience.best == math.inf else patience.best,
        best_step=patience.best_step,
        reference=None if patience.reference == math.inf else patience.reference,
        since_improvement=patience.since_improvement,
    )


def _restored(state: PatienceState) -> Patience:
    return Patience(
        limit=state.limit,
        min_delta=state.min_delta,
        best=math.inf if state.best is None else state.best,
        best_step=state.best_step,
        reference=math.inf if state.reference is None else state.reference,
        since_improvement=state.since_improvement,
    )
