"""Tasks `threshold_<X>pct`: classify whether a price rises by X percent within the horizon. Two classes.

Add a number to PERCENTS for another threshold.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tsladder.tasks.parts.classes import ClassTask
from tsladder.tasks.parts.task import Prices, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERCENTS = (0.5, 1.0, 2.0, 3.0, 5.0)


def name_of(percent: float) -> str:
    """Return the name of the task of a threshold: 0.5 -> "threshold_0.5pct"."""
    return f"threshold_{percent:g}pct"


def _highest(prices: Prices, price: str, horizon: int) -> NDArray[np.float64]:
    """Return max(P[t+1 .. t+H]) for each day, with P the High or the Close."""
    from numpy.lib.stride_tricks import sliding_window_view

    price_T = prices.high_T if price == "high" else prices.close_T
    highest_T: NDArray[np.float64] = sliding_window_view(price_T[1:], horizon).max(axis=1)
    return highest_T


def touch(percent: float) -> ClassTask:
    """Build the task of a threshold `percent` above the Close."""

    def label(prices: Prices, price: str, horizon: int) -> NDArray[np.float64]:
        """Label each day: 1 if max(P[t+1 .. t+H]) >= Close[t] * (1 + X/100)."""
        level_T = prices.close_T[:-horizon] * (1.0 + percent / 100.0)
        return (_highest(prices, price, horizon) >= level_T).astype(float)

    def margin(prices: Prices, price: str, horizon: int) -> NDArray[np.float64]:
        """Return how far the highest price ahead exceeds the threshold, as a share of the Close."""
        return _highest(prices, price, horizon) / prices.close_T[:-horizon] - (1.0 + percent / 100.0)

    others = sorted((other for other in PERCENTS if other != percent), key=lambda other: abs(math.log(other / percent)))
    return ClassTask(
        label=label,
        margin=margin,
        describe_target=lambda price: f"{name_of(percent)} on the {price}",
        depends_on_high=True,
        alternatives=(*map(name_of, others), "direction"),
    )


TASKS: dict[str, Task] = {name_of(percent): touch(percent) for percent in PERCENTS}
