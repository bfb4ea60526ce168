"""When a training under way is written to disk, and from what it is continued.

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
from typing import Any

from torch import Tensor

from tsladder.artifacts.store import read_json, set_aside, write_json
from tsladder.errors import WorkFailed
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.state_file import DamagedState, StateFile, open_state, write_state

STATE = "state.safetensors"
FOLDS = "folds.json"


class StopAsked(Exception):
    """The training was asked to stop, and its weights are still those of the last whole step."""


class Checkpoints:
    """Those of one training in one process. `say` takes a line for people; `stop_asked`: has somebody asked to stop?

    With the folds of a walk forward each fold has its own (`of_fold`), and `ended_folds` is what has ended before.
    """

    def __init__(
        self,
        plan: CheckpointPlan,
        *,
        say: Callable[[str], None],
        stop_asked: Callable[[], bool],
        clock: Callable[[], float] = time.perf_counter,
        whole: Checkpoints | None = None,
    ) -> None:
        self._plan = plan
        self._say = say
        self._stop_asked = stop_asked
        self._clock = clock
        self._whole = self if whole is None else whole
        self._started = self._written = clock()
        self._seconds_before = 0.0
        self._refused = False
        self.resumed_at = 0
        """Optimizer steps that an earlier process has made of this training."""

    @property
    def folder(self) -> Path:
        return Path(self._plan.folder)

    @property
    def seconds(self) -> float:
        """Of the clock, that the training has taken so far in all processes."""
        whole = self._whole
        return whole._seconds_before + whole._clock() - whole._started

    @property
    def active(self) -> bool:
        """Are checkpoints written?"""
        return self._plan.predicted_longer or self.seconds >= self._plan.every_seconds

    @property
    def stop_now(self) -> bool:
        """Is the training to be left where it stands?"""
        return self.active and self._stop_asked()

    def due(self, step_seconds: float) -> bool:
        """Would more than `every_seconds` be lost if the next step, of `step_seconds`, were not completed?"""
        return self.active and self._clock() - self._written + step_seconds >= self._plan.every_seconds

    def of_fold(self, number: int) -> Checkpoints:
        """Of fold `number` of this training."""
        folder, identity = self.folder / f"fold-{number}", f"{self._plan.identity}/fold-{number}"
        plan = dataclasses.replace(self._plan, folder=str(folder), identity=identity)
        return Checkpoints(plan, say=self._say, stop_asked=self._stop_asked, clock=self._clock, whole=self)

    def resume(self) -> StateFile | None:
        """What an earlier process left of this training. What is damaged or of another training is kept aside."""
        path = self.folder / STATE
        try:
            found = open_state(path)
        except DamagedState as error:
            self._put_aside(path, f"is damaged ({error})")
            return None
        if found is not None and found.record.get("identity") != self._plan.identity:
            self._put_aside(path, "belongs to another training")
            return None
        return found

    def refuse(self, fault: str) -> None:
        """Keep aside what `resume` found, since it cannot be continued."""
        self._put_aside(self.folder / STATE, fault)

    def taken_up(self, record: Mapping[str, Any]) -> None:
        """The training goes on from `record`, as `write` or `fold_ended` kept it."""
        self.resumed_at = int(record["steps"])
        # Less where this very process wrote it, before it ran out of memory: that time is counted already.
        self._whole._seconds_before += max(0.0, float(record["seconds"]) - self.seconds)

    def write(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """Replace the state on disk. A disk without room is said once, and training goes on."""
        self._written = self._clock()
        size = sum(value.numel() * value.element_size() for value in tensors.values())
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
            if free < size:
                raise OSError(f"{size / 1e9:.2f} GB are needed and {free / 1e9:.2f} GB are free")
            whole = {**record, "identity": self._plan.identity, "seconds": self.seconds}
            write_state(self.folder / STATE, tensors, whole)
        except OSError as error:
            if not self._refused:
                self._say(f"no checkpoint can be written to {self.folder} ({error}): training goes on without")
            self._refused = True
            return
        if self._refused:
            self._say("checkpoints are written again")
        self._refused = False

    def ended_folds(self) -> Mapping[str, Any]:
        """What `fold_ended` kept; {} where nothing is."""
        path = self.folder / FOLDS
        try:
            record = read_json(path)
        except FileNotFoundError:
            return {}
        except WorkFailed:
            self._put_aside(path, "is damaged")
            return {}
        if record.get("identity") != self._plan.identity:
            self._put_aside(path, "belongs to another training")
            return {}
        return record

    def fold_ended(self, record: Mapping[str, Any]) -> None:
        """Keep `record`, the folds ended so far, also of a short training: it is a small file."""
        try:
            write_json(self.folder / FOLDS, {**record, "identity": self._plan.identity, "seconds": self.seconds})
        except OSError as error:
            self._say(f"the folds that ended cannot be kept in {self.folder} ({error}): training goes on without")

    def _put_aside(self, path: Path, fault: str) -> None:
        kept = set_aside(path)
        self._say(f"the checkpoint {path} {fault}: it is kept as {kept.name}, and the training begins again")
