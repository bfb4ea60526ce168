"""Dropout (Srivastava et al. 2014) on residual branches, with masks drawn from a key instead of a shared stream.

By its key a mask repeats when activation checkpointing runs a block again, whatever was drawn meanwhile. On a CPU the
masks come from numpy's SFC64: torch's bernoulli_ takes a seventh of a training step there, ten times as long.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_LEVELS = 1 << 16
"""Number of values of 16 random bits, by which a unit is kept or dropped: a rate is exact to 1.5e-5, and the scale
matches it exactly."""


def draw_keys(count: int) -> list[int]:
    """Draw one key for each block from torch's seeded CPU generator."""
    keys: list[int] = torch.randint(1 << 62, (count,)).tolist()
    return keys


class Masks:
    """The masks of one block in one forward pass. `rate` in [0, 1) is the share of units that are dropped.

    On a GPU torch's own generator draws them; it repeats under checkpointing by itself.
    """

    def __init__(self, rate: float, key: int) -> None:
        self._rate = rate
        self._dropped_levels = round(rate * _LEVELS)
        self._key = key
        self._bits: np.random.SFC64 | None = None

    def drop(self, value: Tensor) -> Tensor:
        """Return `value` with units dropped and the kept ones scaled up."""
        if value.device.type != "cpu":
            return functional.dropout(value, self._rate)
        return value * self._kept(value)

    def add(self, residual: Tensor, branch: Tensor) -> Tensor:
        """Return `residual` plus `branch` with units dropped, in one pass over memory."""
        if branch.device.type != "cpu":
            return residual + functional.dropout(branch, self._rate)
        return torch.addcmul(residual, branch, self._kept(branch))

    def _kept(self, like: Tensor) -> Tensor:
        if self._bits is None:
            self._bits = np.random.SFC64(self._key)
        count = like.numel()
        words: np.ndarray = self._bits.random_raw(-(-count // 4))
        kept = words.view(np.uint16)[:count] >= self._dropped_levels
        # int8, since torch converts a bool tensor six times slower.
        mask = torch.from_numpy(kept.view(np.int8)).to(like.dtype)
        return mask.mul_(_LEVELS / (_LEVELS - self._dropped_levels)).view(like.shape)
