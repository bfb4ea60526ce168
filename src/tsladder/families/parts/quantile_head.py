"""Quantiles that never cross, from the raw outputs of a head. Imports torch.

Letters: M horizons, Q quantiles of each.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def quantiles_of(raw: Tensor, horizons: int, quantiles: int) -> Tensor:
    """Return ascending quantiles from `raw`, whose last axis holds `quantiles` outputs for each of `horizons`; both
    have the same shape.

    The middle output is the median as it is. A quantile beside it lies a softplus of its own output further out than
    its inner neighbour. Raises ValueError where the number of quantiles is even, since no one is then the median.
    """
    if quantiles % 2 == 0:
        raise ValueError(f"the median is the middle of an odd number of quantiles, got {quantiles}")
    if quantiles == 1:
        return raw
    middle = quantiles // 2
    raw_MQ = raw.unflatten(-1, (horizons, quantiles))
    median = raw_MQ[..., middle : middle + 1]
    step_MQ = functional.softplus(raw_MQ)
    below = median - step_MQ[..., :middle].flip(-1).cumsum(-1).flip(-1)
    above = median + step_MQ[..., middle + 1 :].cumsum(-1)
    return torch.cat([below, median, above], dim=-1).flatten(-2)
