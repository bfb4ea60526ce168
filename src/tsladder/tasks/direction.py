"""Task `direction`: classify whether the Close rises over the horizon. Two classes; target.price is ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tsladder.tasks.parts.classes import ClassTask
from tsladder.tasks.parts.task import Prices, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def label(prices: Prices, _price: str, horizon: int) -> NDArray[np.float64]:
    """Label each day: 1 if Close[t+H] > Close[t]."""
    return (prices.close_T[horizon:] > prices.close_T[:-horizon]).astype(float)


def margin(prices: Prices, _price: str, horizon: int) -> NDArray[np.float64]:
    """Return the simple return over the horizon."""
    return prices.close_T[horizon:] / prices.close_T[:-horizon] - 1.0


TASKS: dict[str, Task] = {
    "direction": ClassTask(label=label, margin=margin, describe_target=lambda _price: "direction")
}
