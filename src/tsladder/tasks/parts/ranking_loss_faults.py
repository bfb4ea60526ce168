"""Faults of a mixture of training losses of a ranking, by the leaf of params.yaml that is wrong. Imports neither numpy
nor torch."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tsladder.tasks.parts.ranking_loss_names import MOST_STOCKS, NAMES, OVER_PAIRS, REGIME, SHARPE, weighed


def loss_faults(
    loss_weights: Mapping[str, float],
    *,
    stocks: int | None,
    effective_batch: int,
    day_weights: str | None,
    section: str = "training",
) -> dict[str, str]:
    """Return the faults of a mixture, leaf of params.yaml -> what is wrong and what to do; empty if there is none.

    `stocks`: stocks of a training day, `training.stocks_per_day` or all of the panel; None: not known yet, then their
    number is not checked. `effective_batch`: days of an optimizer step. `section`: section that holds `loss_weights`,
    that of the study or of a phase.
    """
    leaf = f"{section}.loss_weights"
    faults = {
        f"{leaf}.{name}": f"must be a finite number of at least 0, got {weight:g}"
        for name, weight in loss_weights.items()
        if not (math.isfinite(weight) and weight >= 0.0)
    }
    found = weighed(loss_weights)
    if unknown := [name for name in loss_weights if name not in NAMES]:
        faults[leaf] = f"a loss is one of {', '.join(NAMES)}, got {', '.join(unknown)}"
    elif not found:
        faults[leaf] = f"must hold a loss with a weight above 0, one of {', '.join(NAMES)}"
    if SHARPE in found and effective_batch < 2:
        faults["training.effective_batch"] = (
            f"{SHARPE} is the Sharpe ratio over the days of a step, so it must be at least 2, got {effective_batch}"
        )
    if REGIME in found and day_weights is None:
        faults["training.day_weights"] = (
            f"{REGIME} weighs days by their volatility, so it must be volatility_terciles, got null"
        )
    if stocks is not None and stocks > MOST_STOCKS and (over := [name for name in OVER_PAIRS if name in found]):
        faults["training.stocks_per_day"] = (
            f"{', '.join(over)} compares every stock of a day with every other one, so it must be at most "
            f"{MOST_STOCKS}, got {stocks:,} stocks: so many are then drawn on each day of training"
        )
    return faults
