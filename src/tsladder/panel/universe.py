"""Universe of a panel: the stocks that are members on each day, found without labels and without later rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel.panel import BoolTS, Panel
from tsladder.params import UniverseParams

_TURNOVER_DAYS = 63


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Universe:
    """Listed stocks and members of each day.

    `listed_TS`: every rule holds but that of the history; the market return of a day is their mean. `member_TS`: every
    rule holds.
    """

    listed_TS: BoolTS
    member_TS: BoolTS


def find_universe(panel: Panel, rules: UniverseParams) -> Universe:
    """Apply `rules` to every day and stock.

    A stock is listed on a day if it was traded, is a Member where the file has that column, had a raw close of at least
    `min_price`, and is among the `top` of these stocks by median turnover over the last 63 sessions (sessions without a
    value are skipped; stocks with equal medians are all kept). It is a member if it also has at least `min_history`
    traded days before. Raises BadInput for a rule whose column the panel does not have.
    """
    traded_TS = panel.traded_TS
    listed_TS = traded_TS.copy()
    if panel.member_TS is not None:
        listed_TS &= panel.member_TS
    if rules.min_price is not None:
        if panel.close_raw_TS is None:
            raise BadInput(
                f"universe.min_price is {rules.min_price:g} and limits prices as they were paid, but {panel.name} has "
                "no CloseRaw (adjusted prices of the past are lower): set universe.min_price to null, or bring raw "
                "closes"
            )
        listed_TS &= panel.close_raw_TS >= rules.min_price
    if rules.top is not None:
        listed_TS &= _among_top(panel, listed_TS, rules.top)
    history_TS: NDArray[np.int64] = np.cumsum(traded_TS, axis=0) - traded_TS
    return Universe(listed_TS=listed_TS, member_TS=listed_TS & (history_TS >= rules.min_history))


def _among_top(panel: Panel, listed_TS: BoolTS, top: int) -> BoolTS:
    """Return True for the listed stocks for which fewer than `top` others have a larger median turnover."""
    import pandas as pd

    turnover_TS = panel.traded_value_TS
    if turnover_TS is None:
        raise BadInput(
            f"universe.top is {top} and orders stocks by turnover, but {panel.name} has neither Turnover nor Volume: "
            "set universe.top to null, or bring one of the two"
        )
    rolling = pd.DataFrame(np.where(panel.traded_TS, turnover_TS, np.nan)).rolling(_TURNOVER_DAYS, min_periods=1)
    median_TS = np.where(listed_TS, rolling.median().to_numpy(), np.nan)
    ranks_TS = pd.DataFrame(median_TS).rank(axis=1, method="min", ascending=False).to_numpy()
    return np.asarray(ranks_TS <= top)
