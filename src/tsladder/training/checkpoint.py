"""Trained weights on disk: safetensors beside a JSON record, both replaced atomically. No pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tsladder.artifacts.store import replacing
from tsladder.artifacts.trained_model import RECORD, TrainedModel, write_trained_model
from tsladder.errors import WorkFailed
from tsladder.training.outcome import WEIGHTS


def save_checkpoint(folder: Path, weights: Mapping[str, Tensor], record: TrainedModel) -> None:
    """Write the weights, then the record: a folder with a record is complete."""
    state = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(state, temporary)
    write_trained_model(folder / RECORD, record)


def saved_weights(folder: Path) -> dict[str, Tensor]:
    """Read the saved weights by name. Raises WorkFailed when they are missing or damaged."""
    path = folder / WEIGHTS
    try:
        return load_file(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro` to train it again") from None
    except SafetensorError as error:
        raise WorkFailed(f"{path} does not hold the weights of this architecture ({error})") from None


def load_weights(folder: Path, model: nn.Module) -> None:
    """Load the saved weights into `model`. Raises WorkFailed when they are missing, damaged or of another shape."""
    weights = saved_weights(folder)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise WorkFailed(f"{folder / WEIGHTS} does not hold the weights of this architecture ({error})") from None
