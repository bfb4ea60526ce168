"""Checkpoints of a running training: when they are written, and from which one the training is continued.

A training that is expected to take longer than CheckpointPlan.every_seconds, or has taken so long already, writes its
state at most that long after the last time, and at once when it is asked to stop. The files stay until whoever started
the training has its result on disk.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from tsladder.artifacts.checkpoints import FOLDS, EndedFolds, TrainingState, read_folds, write_folds
from tsladder.artifacts.store import set_aside
from tsladder.errors import WorkFailed
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.state_file import DamagedState, StateFile, open_state, write_state

STATE = "state.safetensors"


class StopRequested(Exception):
    """Request to stop the training, raised while its weights are still those of the last whole step."""


class Checkpoints:
    """Checkpoints of one training in one process. `say` takes a line for the user; `stop_requested` returns whether a
    stop was requested.

    In a walk forward each fold has checkpoints of its own (`of_fold`), and `ended_folds` returns the folds that ended
    before.
    """

    def __init__(
        self,
        plan: CheckpointPlan,
        *,
        say: Callable[[str], None],
        stop_requested: Callable[[], bool],
        clock: Callable[[], float] = time.perf_counter,
        whole: Checkpoints | None = None,
    ) -> None:
        self._plan = plan
        self._say = say
        self._stop_requested = stop_requested
        self._clock = clock
        self._whole = self if whole is None else whole
        self._started = self._written = clock()
        self._seconds_before = 0.0
        self._disk_full = False
        self.resumed_at = 0
        """Optimizer steps that earlier processes have made of this training."""

    @property
    def folder(self) -> Path:
        return Path(self._plan.folder)

    @property
    def identity(self) -> str:
        """Identity of everything that decides the training's numbers."""
        return self._plan.identity

    @property
    def seconds(self) -> float:
        """Seconds of wall time that the training has taken so far in all processes."""
        whole = self._whole
        return whole._seconds_before + whole._clock() - whole._started

    @property
    def active(self) -> bool:
        """True where checkpoints are written."""
        return self._plan.predicted_longer or self.seconds >= self._plan.every_seconds

    @property
    def stop_now(self) -> bool:
        """True where a stop was requested and checkpoints are written, so that the training can be continued."""
        return self.active and self._stop_requested()

    def due(self, step_seconds: float) -> bool:
        """Check whether more than `every_seconds` would be lost if the next step, of `step_seconds`, were not
        completed."""
        return self.active and self._clock() - self._written + step_seconds >= self._plan.every_seconds

    def of_fold(self, number: int) -> Checkpoints:
        """Return the checkpoints of fold `number` of this training."""
        folder, identity = self.folder / f"fold-{number}", f"{self._plan.identity}/fold-{number}"
        plan = dataclasses.replace(self._plan, folder=str(folder), identity=identity)
        return Checkpoints(plan, say=self._say, stop_requested=self._stop_requested, clock=self._clock, whole=self)

    def resume(self) -> StateFile | None:
        """Open the state that an earlier process left of this training; None where there is none. A file that is
        damaged or of another training is set aside."""
        path = self.folder / STATE
        try:
            found = open_state(path)
        except DamagedState as error:
            self._set_state_aside(path, f"is damaged ({error})")
            return None
        if found is not None and found.state.identity != self._plan.identity:
            self._set_state_aside(path, "belongs to another training")
            return None
        return found

    def refuse(self, fault: str) -> None:
        """Set aside the state that `resume` found, since it cannot be continued."""
        self._set_state_aside(self.folder / STATE, fault)

    def continue_counts(self, record: TrainingState | EndedFolds) -> None:
        """Continue the counts of steps and seconds from `record`, as `write` or `fold_ended` stored it."""
        self.resumed_at = record.steps
        # Less the seconds of this process, where it wrote the checkpoint itself before it ran out of memory.
        self._whole._seconds_before += max(0.0, record.seconds - self.seconds)

    def write(self, tensors: Mapping[str, Tensor], state: TrainingState) -> None:
        """Replace the state on disk. A disk without room is reported once, and training goes on."""
        self._written = self._clock()
        size = sum(value.numel() * value.element_size() for value in tensors.values())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
            if free < size:
                raise OSError(f"{size / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free")
            write_state(self.folder / STATE, tensors, state)
        except OSError as error:
            if not self._disk_full:
                self._say(f"no checkpoint can be written to {self.folder} ({error}): training continues without one")
            self._disk_full = True
            return
        if self._disk_full:
            self._say("checkpoints are written again")
        self._disk_full = False

    def ended_folds(self) -> EndedFolds | None:
        """Read what `fold_ended` stored; None where there is nothing."""
        path = self.folder / FOLDS
        try:
            record = read_folds(path)
        except FileNotFoundError:
            return None
        except WorkFailed:
            self._set_state_aside(path, "is damaged")
            return None
        if record.identity != self._plan.identity:
            self._set_state_aside(path, "belongs to another training")
            return None
        return record

    def fold_ended(self, ended: EndedFolds) -> None:
        """Store the folds ended so far, also for a short training: it is a small file."""
        try:
            write_folds(self.folder / FOLDS, ended)
        except OSError as error:
            self._say(f"the folds that ended cannot be kept in {self.folder} ({error}): training continues without one")

    def _set_state_aside(self, path: Path, fault: str) -> None:
        kept = set_aside(path)
        self._say(
            f"the checkpoint {path} {fault}: it is kept as {kept.name}, and the training starts from the beginning"
        )
