"""Samples on the device: data are stored once, batches are gathered by index."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from tsladder.artifacts.plans import Recipe
from tsladder.artifacts.validation_figures import ValidationFigures
from tsladder.data.samples import Samples
from tsladder.data.windows import Windows

Shuffled = Callable[[int], Tensor]
"""Function of a count that returns the numbers below it in a random order."""


class Batches(Protocol):
    """Batches of samples as tensors.

    `inputs` of a batch are whatever the model of the job reads, `labels` whatever its loss compares outputs with; both
    are tensors, or records of them, with one entry for each sample of the batch.
    """

    def batch(self, index_B: Tensor) -> tuple[Any, Any]:
        """Return inputs and labels of the samples `index_B`."""

    def labels(self, index_B: Tensor) -> Any:
        """Return the labels of the samples `index_B`."""


class Feed(Batches, Protocol):
    """Samples of one region as tensors on `device`. `stocks`: windows of a sample."""

    device: torch.device
    stocks: int

    def __len__(self) -> int: ...

    @property
    def per_epoch(self) -> int:
        """Largest number of samples that an epoch sees."""

    def order(self, epoch: int, shuffled: Shuffled) -> Tensor:
        """Return the numbers of the samples that `epoch` (counted from 1) sees, in the order in which it sees them."""

    @property
    def every_label(self) -> Any:
        """Labels of all samples, in their order."""

    def figures(self, out_N: Tensor) -> ValidationFigures | None:
        """Return what is reported of the outputs on all samples beside their mean loss; None: nothing."""


def feed_of(samples: Samples, device: torch.device, recipe: Recipe, *, seed: int = 0) -> Feed:
    """Put `samples` on `device`. `seed` decides what is drawn of each sample, where something is."""
    if isinstance(samples, Windows):
        return WindowFeed(samples, device)
    # Loaded by name: the code of day batches makes no number of a series study.
    return cast(Feed, importlib.import_module("tsladder.training.day_feed").DayFeed(samples, device, recipe, seed))


class WindowFeed:
    """Windows of one region as tensors on `device`; a batch is gathered and normalised in one affine step."""

    def __init__(self, windows: Windows, device: torch.device) -> None:
        self.device = device
        self.stocks = 1
        self.context_length = windows.context_length
        self.series_TF = torch.from_numpy(windows.series_TF).to(device)
        self.first_N = torch.from_numpy(windows.ends_N - (windows.context_length - 1)).to(device)
        self.scale_NF = torch.from_numpy(windows.scale_NF).to(device)
        self.shift_NF = torch.from_numpy(windows.shift_NF).to(device)
        self.y_N = torch.from_numpy(windows.y_N).to(device)
        self._days_T = torch.arange(windows.context_length, device=device)

    def __len__(self) -> int:
        return len(self.y_N)

    @property
    def per_epoch(self) -> int:
        return len(self)

    def order(self, epoch: int, shuffled: Shuffled) -> Tensor:
        return shuffled(len(self)).to(self.device)

    def labels(self, index_B: Tensor) -> Tensor:
        return self.y_N[index_B]

    @property
    def every_label(self) -> Tensor:
        return self.y_N

    def figures(self, out_N: Tensor) -> None:
        return None

    def batch(self, index_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_BTC and y_B of the windows `index_B`."""
        rows_BT = self.first_N[index_B, None] + self._days_T
        x_BTC = self.series_TF[rows_BT]
        x_BTC = torch.addcmul(self.shift_NF[index_B, None, :], x_BTC, self.scale_NF[index_B, None, :])
        return x_BTC, self.y_N[index_B]
