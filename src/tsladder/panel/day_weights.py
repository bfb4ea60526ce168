"""Weights of days in a loss that weighs days: by the volatility of the market up to the day.

The weight of a day follows from returns and members up to that day, and from the volatilities of the training days.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.panel import rolling
from tsladder.panel.panel import BoolTS

VOLATILITY_SESSIONS = 21

TERCILE_WEIGHTS = (0.5, 1.0, 1.5)
"""Weights of a calm, a usual and a volatile day, before they are scaled to mean 1: stocks differ most when markets
move."""


def trailing_volatility(
    return_TS: NDArray[np.floating], member_TS: BoolTS, sessions: int = VOLATILITY_SESSIONS
) -> NDArray[np.float64]:
    """Return volatility_T: the standard deviation, over the last `sessions` sessions up to and including each, of the
    equal-weighted mean return of a session's members.

    `return_TS`: simple return of every session, NaN where there is none. NaN where one of these sessions has no member
    with a return.
    """
    there_TS = member_TS & np.isfinite(return_TS)
    count_T = there_TS.sum(axis=1)
    sum_T = np.where(there_TS, return_TS, 0.0).sum(axis=1, dtype=np.float64)
    market_T = np.where(count_T > 0, sum_T / np.maximum(count_T, 1), np.nan)
    return rolling.spread(market_T[:, None], sessions)[:, 0]


def day_weights(volatility_T: NDArray[np.floating], train_T: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return weight_T: `TERCILE_WEIGHTS` by the tercile of the session's volatility, scaled to mean 1 over the training
    days.

    `train_T`: True on the training days, from whose volatilities the thresholds are taken. A session without a
    volatility weighs as a usual day. Raises ValueError where no training day has a volatility.
    """
    known_N = volatility_T[train_T & np.isfinite(volatility_T)]
    if known_N.size == 0:
        raise ValueError(f"no volatility is known on any of the {int(train_T.sum())} training days")
    thresholds = np.quantile(known_N, (1.0 / 3.0, 2.0 / 3.0))
    tercile_T = np.where(np.isfinite(volatility_T), np.searchsorted(thresholds, volatility_T, side="right"), 1)
    weight_T = np.array(TERCILE_WEIGHTS)[tercile_T]
    return np.asarray(weight_T / weight_T[train_T].mean(), dtype=np.float64)
