"""Records of the checkpoints of a running training: folds.json and the record inside state.safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tsladder.artifacts.outcome import BuiltOptimizer, EpochRecord, FoldOutcome
from tsladder.artifacts.record import OmitNone, json_of, read_record, record_of, write_record
from tsladder.vocabulary import StopReason

FOLDS = "folds.json"

_AGAIN = "remove it, and the training begins again"


@dataclass(frozen=True, kw_only=True, slots=True)
class PatienceState:
    """State of early stopping (`tsladder.patience.Patience`). `best` and `reference` are None before the first epoch,
    where they are infinite."""

    limit: int | None
    min_delta: float
    best: float | None
    best_step: int
    reference: float | None
    since_improvement: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseState:
    """Position of a training in its phases: the current one, counted from 0, and how many of its epochs have ended.
    `best`: lowest loss over all phases so far, and its epoch."""

    number: int
    epochs_done: int
    best: PatienceState


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingState:
    """Numbers of the state of a training, beside the tensors in state.safetensors.

    `identity`: of everything that decides the training's numbers. `epoch` is the current one, counted from 1, of which
    `steps_done` optimizer steps have been made; `steps`: of the whole training. `seconds`: wall time of the whole
    training; `epoch_seconds` and `train_seconds`: that of the current epoch and of its steps. `ended`: how training
    ended if only the final score is missing. `optimizer`: numbers of the optimizer's state. `phase`: None in a training
    without phases; otherwise `patience` is that of the current one.
    """

    identity: str
    epoch: int
    steps: int
    steps_done: int
    seconds: float
    train_seconds: float
    epoch_seconds: float
    patience: PatienceState
    curve: tuple[EpochRecord, ...]
    ended: StopReason | None
    optimizer: Mapping[str, Any]
    phase: Annotated[PhaseState | None, OmitNone()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedFolds:
    """folds.json: folds of a walk forward that ended. `curve`: the epochs of all of them, one after the other.
    `optimizer`: the one that stepped the last of them.

    `steps` and `seconds`: optimizer steps and wall time of the whole training so far.
    """

    identity: str
    steps: int
    seconds: float
    folds: tuple[FoldOutcome, ...]
    curve: tuple[EpochRecord, ...]
    optimizer: Annotated[BuiltOptimizer | None, OmitNone()] = None


def training_state_of(value: object, source: Path) -> TrainingState:
    """Build the state of a training from the JSON in `source`. Raises WorkFailed if it is no such record, or one of an
    unknown version."""
    return record_of(TrainingState, value, source=str(source), remedy=_AGAIN)


def training_state_json(state: TrainingState) -> dict[str, Any]:
    """Return the JSON of `state`; the inverse of `training_state_of`."""
    return json_of(state)


def read_folds(path: Path) -> EndedFolds:
    """Read the ended folds. Raises FileNotFoundError, and WorkFailed if the file is damaged or of another version."""
    return read_record(EndedFolds, path, remedy=_AGAIN)


def write_folds(path: Path, folds: EndedFolds) -> None:
    """Replace the ended folds at `path`."""
    write_record(path, folds)
