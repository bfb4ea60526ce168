"""AdaBelief (Zhuang et al. 2020) of pytorch-optimizer, set up for this project. The library is imported only where the
optimizer is asked for."""

from __future__ import annotations

from typing import Any

import torch

EPSILON = 1e-16
"""Added to the second moment at every step, and to its root. With 1e-8, the default of some packages, its accumulated
sum outweighs small second moments, and the optimizer nearly becomes SGD (issue 57 of
juntang-zhuang/Adabelief-Optimizer)."""


def build_adabelief(
    groups: list[dict[str, Any]], *, learning_rate: float, betas: tuple[float, float], rectify: bool
) -> torch.optim.Optimizer:
    """Build AdaBelief with decoupled weight decay, as each of `groups` gives it.

    Each group counts its steps in its key `step`. `foreach` is off: it would copy all weights twice, and is slower on a
    CPU.
    """
    from pytorch_optimizer import AdaBelief

    return AdaBelief(
        [{**group, "step": 0} for group in groups],
        lr=learning_rate,
        betas=betas,
        eps=EPSILON,
        weight_decouple=True,
        fixed_decay=False,
        rectify=rectify,
        foreach=False,
    )
