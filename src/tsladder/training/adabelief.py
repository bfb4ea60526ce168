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

    Each group counts in its key `step` the steps in which its parameters had gradients. `foreach` is off: it would copy
    all weights twice, and is slower on a CPU.
    """
    from pytorch_optimizer import AdaBelief

    optimizer = AdaBelief(
        [{**group, "step": 0} for group in groups],
        lr=learning_rate,
        betas=betas,
        eps=EPSILON,
        weight_decouple=True,
        fixed_decay=False,
        rectify=rectify,
        foreach=False,
    )
    optimizer.register_step_post_hook(_uncount_idle_groups)
    return optimizer


def _uncount_idle_groups(optimizer: torch.optim.Optimizer, _args: Any, _keywords: Any) -> None:
    """Take back the step that the library counts for groups whose parameters took none: the correction of their moments
    would be that of older ones."""
    for group in optimizer.param_groups:
        if all(parameter.grad is None for parameter in group["params"]):
            group["step"] -= 1
