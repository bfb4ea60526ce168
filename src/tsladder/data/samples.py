"""Samples of a region and folds of them, whatever a sample is: a window of a series, or a day of a panel of stocks."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Samples(Protocol):
    """Labelled samples of one region. Sending them to a process costs little: arrays that all processes read are
    shared."""

    def __len__(self) -> int: ...

    @property
    def dates_N(self) -> NDArray[np.datetime64]:
        """Day of each sample, the last one whose data it shows."""

    def fingerprint(self) -> str:
        """Return a hash of the samples' days and of what they show."""


class Fold(Protocol):
    """Training and validation samples of one model."""

    @property
    def train(self) -> Samples: ...

    @property
    def validation(self) -> Samples: ...
