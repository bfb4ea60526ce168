"""The weights of the best epoch while training goes on: in memory, or on disk where a second copy would not fit."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tsladder.training.weights import Weights


class BestWeights:
    """`folder`: where they lie between epochs; None keeps them in memory."""

    def __init__(self, weights: Weights, folder: Path | None) -> None:
        self._weights = weights
        self._path = None if folder is None else folder / f"best-{os.getpid()}.safetensors"
        self._copy: dict[str, Tensor] | None = None

    def keep(self) -> None:
        """Take the weights as they are now."""
        if self._path is None:
            self._copy = {name: value.detach().clone() for name, value in self._weights.kept.items()}
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        save_file({name: value.detach().cpu().contiguous() for name, value in self._weights.kept.items()}, temporary)
        temporary.replace(self._path)

    def restore(self) -> None:
        """Put the weights last kept back into the model."""
        if self._path is None:
            if self._copy is None:
                raise ValueError("no weights have been kept")
            self._weights.put_back(self._copy.items())
            return
        for name in self._weights.kept:
            # Opened anew for each: pages of the file that stay mapped would count as memory of this process.
            with safe_open(self._path, framework="pt") as stored:
                self._weights.put_back([(name, stored.get_tensor(name))])

    def discard(self) -> None:
        """Remove what lies on disk."""
        self._copy = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
