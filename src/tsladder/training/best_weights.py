"""Weights of the best epoch while training goes on: in memory, or on disk where a second copy would not fit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tsladder.training.weights import Weights


class BestWeights:
    """Weights of the best epoch so far. `folder`: where they are between epochs; None keeps them in memory.

    `persistent`: the folder outlives this process, so that the training can be continued from it. The files are then
    named by epoch: until a checkpoint names the new one, the old one is needed as well.
    """

    def __init__(self, weights: Weights, folder: Path | None, *, persistent: bool = False) -> None:
        self._weights = weights
        self._folder = folder
        self._persistent = persistent
        self._path: Path | None = None
        self._copy: dict[str, Tensor] | None = None

    def keep(self, epoch: int) -> None:
        """Keep the weights as they are now, after `epoch`."""
        if self._folder is None:
            self._copy = {name: value.detach().clone() for name, value in self._weights.to_save.items()}
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._path_of(epoch)
        temporary = self._path.with_suffix(".tmp")
        save_file({name: value.detach().cpu().contiguous() for name, value in self._weights.to_save.items()}, temporary)
        temporary.replace(self._path)

    def _path_of(self, epoch: int) -> Path:
        if self._folder is None:
            raise ValueError("the best weights are kept in memory")
        return self._folder / f"best-{epoch if self._persistent else f'of-process-{os.getpid()}'}.safetensors"

    @property
    def in_memory(self) -> Mapping[str, Tensor]:
        """Copy of the weights in memory, by name; empty where it is on disk or none has been kept."""
        return self._copy or {}

    def adopt(self, epoch: int, copy: Iterable[tuple[str, Tensor]]) -> bool:
        """Take over the weights that an earlier process kept after `epoch`: `copy`, or the file. Returns False where
        there are none."""
        if self._folder is None:
            self._copy = dict(copy)
            return bool(self._copy)
        self._path = self._path_of(epoch)
        return self._path.exists()

    def forget_older(self) -> None:
        """Remove the files of epochs that are no longer the best."""
        if self._folder is None or not self._persistent or not self._folder.exists():
            return
        for path in self._folder.glob("best-*.safetensors"):
            if path != self._path:
                path.unlink()

    def restore(self) -> None:
        """Restore the weights that were kept last into the model."""
        if self._folder is None:
            if self._copy is None:
                raise ValueError("no weights have been kept")
            self._weights.load(self._copy.items())
            return
        if self._path is None:
            raise ValueError("no weights have been kept")
        for name in self._weights.to_save:
            # Reopened for each tensor: pages of the file that stay mapped would count as memory of this process.
            with safe_open(self._path, framework="pt") as stored:
                self._weights.load([(name, stored.get_tensor(name))])

    def discard(self) -> None:
        """Remove the file on disk; a lasting file stays until whoever started the training has its result."""
        self._copy = None
        if self._path is not None and not self._persistent:
            self._path.unlink(missing_ok=True)
