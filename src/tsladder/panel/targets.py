"""Labels of a panel: what a position taken g sessions after the close of t returns over h sessions.

The only module of this room that looks forward. The features of t are known at its close; a position cannot be taken
at the very price they are made of, so it is taken at the close of t+g.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel.normalise import ranks, zscores
from tsladder.panel.panel import BoolTS, FloatTS, Panel

Transform = Literal["rank", "zscore"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRules:
    """`entry_lag`: g, in sessions; 0 only where `same_close` says that it is meant. `horizons` in sessions.
    `delisting_return`: simple return after the last price of a stock that is never traded again; None: none."""

    entry_lag: int = 1
    horizons: tuple[int, ...] = (1,)
    same_close: bool = False
    delisting_return: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Labels:
    """`y_TSM`: log returns, NaN where there is none. `spans_M`: g + h, the sessions after t that a label is made of.

    `no_entry_TSM`: not traded at t+g. `left_early_TSM`: traded at t+g and not at t+g+h, so that its last price in
    between stands for the last one. Both are False where t+g+h lies after the file's end.
    """

    y_TSM: NDArray[np.float64]
    spans_M: tuple[int, ...]
    no_entry_TSM: NDArray[np.bool_]
    left_early_TSM: NDArray[np.bool_]


def forward_returns(panel: Panel, rules: TargetRules) -> Labels:
    """ln C(t+g+h) - ln C(t+g) for every session, stock and horizon.

    Not traded at t+g: no label. Traded there and not at t+g+h: the last price of the span counts, times 1 +
    `delisting_return` where the stock has no price on any later session of the file. The file ends before t+g+h: no
    label for any stock. Raises BadInput for rules that cannot be.
    """
    _refuse(panel, rules)
    shape = (*panel.close_TS.shape, len(rules.horizons))
    y_TSM = np.full(shape, np.nan)
    no_entry_TSM, left_TSM = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    log_TS, traded_TS = np.log(panel.close_TS), panel.traded_TS
    gone_TS = ~np.flip(np.logical_or.accumulate(np.flip(traded_TS, axis=0), axis=0), axis=0)
    for place, horizon in enumerate(rules.horizons):
        days = len(panel.dates_T) - rules.entry_lag - horizon
        entry_TS, exit_TS = (slice(ahead, ahead + days) for ahead in (rules.entry_lag, rules.entry_lag + horizon))
        last_TS = log_TS[entry_TS].copy()
        for ahead in range(rules.entry_lag + 1, rules.entry_lag + horizon + 1):
            step_TS = slice(ahead, ahead + days)
            np.copyto(last_TS, log_TS[step_TS], where=traded_TS[step_TS])
        entered_TS = traded_TS[entry_TS]
        left_TS = entered_TS & ~traded_TS[exit_TS]
        if rules.delisting_return is not None:
            last_TS += np.where(left_TS & gone_TS[exit_TS], np.log1p(rules.delisting_return), 0.0)
        y_TSM[:days, :, place] = np.where(entered_TS, last_TS - log_TS[entry_TS], np.nan)
        no_entry_TSM[:days, :, place] = ~entered_TS
        left_TSM[:days, :, place] = left_TS
    spans_M = tuple(rules.entry_lag + horizon for horizon in rules.horizons)
    return Labels(y_TSM=y_TSM, spans_M=spans_M, no_entry_TSM=no_entry_TSM, left_early_TSM=left_TSM)


def transform_labels(y_TS: FloatTS, member_TS: BoolTS, transform: Transform) -> FloatTS:
    """What a loss is told: the labels of each day's labelled members as `normalise` makes ranks or scores of them,
    NaN for all other stocks. Metrics use the returns themselves."""
    among_TS = member_TS & np.isfinite(y_TS)
    told_TS = (ranks if transform == "rank" else zscores)(y_TS, among_TS)
    return np.where(among_TS, told_TS, np.nan)


def _refuse(panel: Panel, rules: TargetRules) -> None:
    if rules.entry_lag < 0 or (rules.entry_lag == 0 and not rules.same_close):
        raise BadInput(
            f"target.entry_lag must be 1 session or more, got {rules.entry_lag}: with 0 a position is taken at the "
            "very close its features are made of; set target.same_close to true if that is meant"
        )
    if not rules.horizons or min(rules.horizons) < 1:
        raise BadInput(f"horizons: a target lies at least 1 session ahead, got {list(rules.horizons)}")
    if rules.delisting_return is not None and rules.delisting_return <= -1.0:
        raise BadInput(
            f"target.delisting_return must be above -1, got {rules.delisting_return:g}: a logarithm of 0 is none; "
            "-0.99 stands for nearly all that is lost"
        )
    longest, days = rules.entry_lag + max(rules.horizons), len(panel.dates_T)
    if longest >= days:
        raise BadInput(
            f"horizons: a label {longest} sessions ahead needs more than {longest} sessions, and {panel.name} has "
            f"{days}: shorten the horizon or bring longer data"
        )
