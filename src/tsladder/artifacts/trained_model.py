"""training.json beside the weights of a trained model: its architecture and settings, and the outcome of its
training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import OmitNone, read_record, write_record
from tsladder.vocabulary import StopReason

RECORD = "training.json"
"""Name of the file. It is written after the weights, so a folder that holds it is complete."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedModel:
    """Description of a trained model.

    `best_epoch` is the epoch of the weights, to which `best_val_loss` and `val_auc` belong; `val_auc` is None if it was
    not monitored. `n_params` is measured. `active`: parts of the model that are computed, of those that its family can
    switch off; None: all of them. There is no timestamp: the same training gives the same record.
    """

    architecture: Mapping[str, int]
    settings: Mapping[str, float]
    seed: int
    n_params: int
    best_val_loss: float | None
    best_epoch: int | None
    val_auc: float | None
    stop_reason: StopReason
    active: Annotated[tuple[str, ...] | None, OmitNone()] = None


def read_trained_model(path: Path) -> TrainedModel:
    """Read the description of a trained model. Raises FileNotFoundError and WorkFailed."""
    return read_record(TrainedModel, path)


def write_trained_model(path: Path, model: TrainedModel) -> None:
    """Replace the description of a trained model at `path`."""
    write_record(path, model)
