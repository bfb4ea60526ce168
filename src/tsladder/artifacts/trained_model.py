"""training.json beside the weights of a trained model: what was trained, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record
from tsladder.vocabulary import StopReason

RECORD = "training.json"
"""Is written after the weights, so a folder that holds it is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainedModel:
    """`best_epoch` is the epoch of the weights, whose validation loss and AUC these are; the AUC is None where it was
    not monitored. `n_params` is measured. No clock: the same training leaves the same record."""

    architecture: Mapping[str, int]
    settings: Mapping[str, float]
    seed: int
    n_params: int
    best_val_loss: float | None
    best_epoch: int | None
    val_auc: float | None
    stop_reason: StopReason


def read_trained_model(path: Path) -> TrainedModel:
    """Raises FileNotFoundError and WorkFailed."""
    return read_record(TrainedModel, path)


def write_trained_model(path: Path, model: TrainedModel) -> None:
    """Replace `path`."""
    write_record(path, model)
