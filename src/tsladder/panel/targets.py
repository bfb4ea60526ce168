"""Labels of a panel: the return over h sessions of a position that is entered g sessions after the close of t.

g is the entry lag, h the horizon. The features of t are known at its close; a position cannot be entered at a price
that they are made of, so it is entered at the close of t+g. No other module of this package reads later rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel.normalise import ranks, zscores
from tsladder.panel.panel import BoolTS, FloatTS, Panel
from tsladder.params import RankTargetParams

Transform = Literal["rank", "zscore"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Labels:
    """Forward log returns of every session, stock and horizon.

    `y_TSM`: the returns, NaN where there is no label. `spans_M`: g + h, the number of sessions after t that a label
    uses. `no_entry_TSM`: True where the stock was not traded at t+g. `left_early_TSM`: True where it was traded at t+g
    but not at t+g+h, so that its last price in between is the exit price. Both are False where t+g+h lies after the end
    of the file.
    """

    y_TSM: NDArray[np.float64]
    spans_M: tuple[int, ...]
    no_entry_TSM: NDArray[np.bool_]
    left_early_TSM: NDArray[np.bool_]


def forward_returns(panel: Panel, target: RankTargetParams, horizons: Sequence[int]) -> Labels:
    """Return ln C(t+g+h) - ln C(t+g) for every session, stock and horizon.

    A stock that was not traded at t+g has no label. For one that was traded at t+g but not at t+g+h, the last price in
    between is the exit price, times 1 + `delisting_return` if no later session of the file has a price of the stock.
    Where t+g+h lies after the end of the file, no stock has a label. Raises BadInput for an entry lag, a horizon or a
    delisting return that is out of range.
    """
    _refuse(panel, target, horizons)
    shape = (*panel.close_TS.shape, len(horizons))
    y_TSM = np.full(shape, np.nan)
    no_entry_TSM, left_TSM = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    log_TS, traded_TS = np.log(panel.close_TS), panel.traded_TS
    gone_TS = ~np.flip(np.logical_or.accumulate(np.flip(traded_TS, axis=0), axis=0), axis=0)
    for place, horizon in enumerate(horizons):
        days = len(panel.dates_T) - target.entry_lag - horizon
        entry_TS, exit_TS = (slice(ahead, ahead + days) for ahead in (target.entry_lag, target.entry_lag + horizon))
        last_TS = log_TS[entry_TS].copy()
        for ahead in range(target.entry_lag + 1, target.entry_lag + horizon + 1):
            step_TS = slice(ahead, ahead + days)
            np.copyto(last_TS, log_TS[step_TS], where=traded_TS[step_TS])
        entered_TS = traded_TS[entry_TS]
        left_TS = entered_TS & ~traded_TS[exit_TS]
        if target.delisting_return is not None:
            last_TS += np.where(left_TS & gone_TS[exit_TS], np.log1p(target.delisting_return), 0.0)
        y_TSM[:days, :, place] = np.where(entered_TS, last_TS - log_TS[entry_TS], np.nan)
        no_entry_TSM[:days, :, place] = ~entered_TS
        left_TSM[:days, :, place] = left_TS
    spans_M = tuple(target.entry_lag + horizon for horizon in horizons)
    return Labels(y_TSM=y_TSM, spans_M=spans_M, no_entry_TSM=no_entry_TSM, left_early_TSM=left_TSM)


def transform_labels(y_TS: FloatTS, member_TS: BoolTS, transform: Transform) -> FloatTS:
    """Transform labels for the training loss: ranks or z-scores (see `normalise`) among each day's labelled members.

    NaN for all other stocks. Metrics use the returns themselves.
    """
    among_TS = member_TS & np.isfinite(y_TS)
    transformed_TS = (ranks if transform == "rank" else zscores)(y_TS, among_TS)
    return np.where(among_TS, transformed_TS, np.nan)


def _refuse(panel: Panel, target: RankTargetParams, horizons: Sequence[int]) -> None:
    if target.entry_lag < 0 or (target.entry_lag == 0 and not target.same_close):
        raise BadInput(
            f"target.entry_lag must be at least 1 session, got {target.entry_lag}: at 0 a position is entered at the "
            "same close that its features use; set target.same_close to true if that is meant"
        )
    if not horizons or min(horizons) < 1:
        raise BadInput(f"horizons must be numbers of sessions, each at least 1, got {list(horizons)}")
    if target.delisting_return is not None and target.delisting_return <= -1.0:
        raise BadInput(
            f"target.delisting_return must be above -1, got {target.delisting_return:g}: labels are log returns, and a "
            "total loss has none; use -0.99 for a nearly total loss"
        )
    longest, days = target.entry_lag + max(horizons), len(panel.dates_T)
    if longest >= days:
        raise BadInput(
            f"horizons: a label that ends {longest} sessions ahead (target.entry_lag + horizon) needs more than "
            f"{longest} sessions, but {panel.name} has {days}: shorten the horizon, or bring longer data"
        )
